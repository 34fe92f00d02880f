"""Which device trains, and in which precision."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import keras

from cifar_pipeline.backend.jax import jax_gpu_details
from cifar_pipeline.backend.tensorflow import tensorflow_gpu_details
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import is_lack_of_memory

Precision = Literal["float32", "bfloat16"]
Convolution = Literal["direct", "fourier"]
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
_AMPERE = (8, 0)
_CPUINFO = Path("/proc/cpuinfo")


def _gpus() -> list[str]:
    # Asking JAX for GPUs where there are none is an error, asking for all devices is not.
    return [name for name in keras.distribution.list_devices() if name.startswith("gpu")]


def computes_on_gpu() -> bool:
    """Say whether Keras computes on a GPU."""
    return bool(_gpus())


def gpu_details() -> dict[str, Any]:
    """Return `device_name` and `compute_capability` of the first GPU where they are known.

    The capability is CUDA's, as two numbers: (8, 0) for an A100.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return tensorflow_gpu_details()
    if backend == "jax" and _gpus():
        return jax_gpu_details()
    return {}


def describe_device() -> str:
    """Return the device that Keras trains on, as one phrase."""
    gpus = _gpus()
    if gpus:
        return f"GPU, 1 of {len(gpus)} ({keras.backend.backend()})"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"CPU, {cores} cores ({keras.backend.backend()})"


def _reported_by_linux(cpuinfo: Path, field: str) -> str:
    """Return what Linux reports of the first core under `field`, empty elsewhere."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    line = next((line for line in lines if line.partition(":")[0].strip() == field), "")
    return line.partition(":")[2].strip()


def processor_name(cpuinfo: Path = _CPUINFO) -> str:
    """Return the processor's name, or its architecture where Linux does not report one."""
    return _reported_by_linux(cpuinfo, "model name") or platform.machine()


def processor_details(cpuinfo: Path = _CPUINFO) -> list[str]:
    """Return name, family, model and flags of the processor; virtual machines hide the name."""
    fields = ("vendor_id", "cpu family", "model", "stepping", "flags")
    return [processor_name(cpuinfo), *(_reported_by_linux(cpuinfo, field) for field in fields)]


def processor_kind(cpuinfo: Path = _CPUINFO) -> str:
    """Return the kind of the processor, by its instructions for products of matrices.

    The kind decides how fast a processor trains, in which precision, and how it rounds: "AMX",
    "AVX512-BF16", or "neither" with the widest vectors of the processor in brackets, such as
    "neither (AVX2)". Where Linux reports no flags, the architecture stands in the brackets.
    """
    flags = set(_reported_by_linux(cpuinfo, "flags").split())
    if "amx_bf16" in flags:
        return "AMX"
    if "avx512_bf16" in flags:
        return "AVX512-BF16"
    vectors = {"avx512f": "AVX512", "avx2": "AVX2"}
    widest = next((name for flag, name in vectors.items() if flag in flags), platform.machine())
    return f"neither ({widest})"


def device_kind() -> str:
    """Return the name of the GPU that Keras trains on, or else the kind of the processor."""
    return str(gpu_details().get("device_name") or processor_kind())


def processor_computes_in_bfloat16(cpuinfo: Path = _CPUINFO) -> bool:
    """Say whether the processor has bfloat16 arithmetic, by the flags that Linux reports.

    Elsewhere the answer is no: emulated bfloat16 is slower than float32.
    """
    return bool(_BFLOAT16_FLAGS & set(_reported_by_linux(cpuinfo, "flags").split()))


def resolve_precision(choice: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """Return the precision for `choice`; `auto` is bfloat16 where the device computes in it."""
    if choice != "auto":
        return choice
    if _gpus():
        capability = gpu_details().get("compute_capability")
        return "bfloat16" if capability and capability >= _AMPERE else "float32"
    return "bfloat16" if processor_computes_in_bfloat16() else "float32"


def resolve_convolution(choice: Literal["auto", "direct", "fourier"]) -> Convolution:
    """Return the algorithm for `choice`; `auto` is direct on GPUs, whose own are faster."""
    if choice != "auto":
        return choice
    return "direct" if _gpus() else "fourier"


@contextmanager
def within_memory(remedy: str) -> Iterator[None]:
    """Turn memory that the device or the system refuses in the block into one line for the user.

    Raises:
        PipelineError: with the `remedy`.
    """
    try:
        yield
    except Exception as error:
        if not is_lack_of_memory(error):
            raise
        raise PipelineError(f"{describe_device()}: out of memory; {remedy}") from None


def keeps_images_on_device() -> bool:
    """Say whether the training images go to the device once, as JAX can have it on a GPU."""
    return keras.backend.backend() == "jax" and computes_on_gpu()
