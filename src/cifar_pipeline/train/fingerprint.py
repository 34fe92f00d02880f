"""What a training run depends on, in digests: two runs with equal keys take the same steps."""

import hashlib
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from cifar_pipeline.backend.device import describe_device, gpu_details, processor_details
from cifar_pipeline.common.checksums import MANIFEST, sha256_of
from cifar_pipeline.params.loading import Section, without_off

Fingerprint = dict[str, str]
_PACKAGE = __name__.split(".")[0]
# Environment variables by which users choose threads, kernels and roundings.
_SETTINGS = ("OMP_", "ONEDNN_", "TF_", "XLA_", "JAX_", "NVIDIA_", "CUDA_")
_MERE_LOGGING = "TF_CPP_"


def fingerprint_of(params: Section, seed: int, precision: str, processed: Path) -> Fingerprint:
    """Return a digest for each thing that a training run depends on.

    Args:
        params: the preset.
        seed: of everything random.
        precision: "float32" or "bfloat16".
        processed: folder of the arrays, which the caller has verified.
    """
    settings = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_SETTINGS) and not name.startswith(_MERE_LOGGING)
    }
    return {
        "params": params_digest(params, seed, precision),
        "data": sha256_of(processed / MANIFEST),
        "code": digest(_code()),
        "versions": digest(versions()),
        "device": digest([describe_device(), gpu_details(), processor_details(), settings]),
    }


def params_digest(params: Section, seed: int, precision: str) -> str:
    """Return the SHA-256 of what a run is told: a function of these values and of nothing else.

    Keys at their off value do not count. So a key that is new, and off, changes no digest.

    Args:
        params: the preset.
        seed: of everything random.
        precision: "float32" or "bfloat16".
    """
    return digest([without_off(params), seed, precision])


def versions() -> list[str]:
    """Return the version of Python, and names and versions of the packages that compute."""
    packages = ("keras", "numpy", keras.backend.backend())
    return [platform.python_version(), *(f"{name} {version(name)}" for name in packages)]


def digest(content: Any) -> str:
    """Return the SHA-256 of what JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _code() -> dict[str, str]:
    """Return the SHA-256 of every module of this package that has been imported."""
    modules = [
        (name, module.__file__)
        for name, module in sys.modules.items()
        if name.split(".")[0] == _PACKAGE
    ]
    return {name: sha256_of(Path(file)) for name, file in modules if file}
