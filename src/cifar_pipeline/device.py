"""Which device trains, and in which precision."""

import os
from pathlib import Path
from typing import Literal

import keras

from cifar_pipeline.tensorflow_backend import gpu_compute_capability

Precision = Literal["float32", "bfloat16"]
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
_AMPERE = (8, 0)


def _gpus() -> list[str]:
    # Asking JAX for GPUs where there are none is an error, asking for all devices is not.
    return [name for name in keras.distribution.list_devices() if name.startswith("gpu")]


def describe_device() -> str:
    """Return the device that Keras trains on, as one phrase."""
    gpus = _gpus()
    if gpus:
        return f"GPU, 1 of {len(gpus)} ({keras.backend.backend()})"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"CPU, {cores} cores ({keras.backend.backend()})"


def processor_computes_in_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Say whether the processor has bfloat16 arithmetic, by the flags that Linux reports.

    Elsewhere the answer is no: emulated bfloat16 is slower than float32.
    """
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return bool(_BFLOAT16_FLAGS & set(flags.split()))


def resolve_precision(choice: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """Return the precision for `choice`; `auto` is bfloat16 where the device computes in it."""
    if choice != "auto":
        return choice
    if _gpus():
        capability = gpu_compute_capability()
        return "bfloat16" if capability and capability >= _AMPERE else "float32"
    return "bfloat16" if processor_computes_in_bfloat16() else "float32"
