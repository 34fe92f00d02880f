"""The device: what kind of processor it is, and what it can do."""

import platform
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import keras
import pytest

from cifar_pipeline.backend.device import (
    device_kind,
    gpu_details,
    processor_computes_in_bfloat16,
    processor_kind,
    resolve_convolution,
    resolve_precision,
)


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ("fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile", "AMX"),
        ("fpu avx2 avx512f avx512_bf16", "AVX512-BF16"),
        ("fpu avx2 avx512f avx512_vnni", "neither (AVX512)"),
        ("fpu avx avx2", "neither (AVX2)"),
        ("fpu sse2", f"neither ({platform.machine()})"),
    ],
)
def test_the_kind_is_the_best_instructions(tmp_path: Path, flags: str, kind: str) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert processor_kind(tmp_path / "cpuinfo") == kind


def test_without_linux_it_is_the_architecture(tmp_path: Path) -> None:
    assert processor_kind(tmp_path / "missing") == f"neither ({platform.machine()})"


def test_without_a_gpu_the_device_is_the_processor() -> None:
    assert device_kind() == processor_kind()


@pytest.mark.parametrize(("flags", "answer"), [("fpu avx512_bf16", True), ("fpu avx512f", False)])
def test_bfloat16_only_where_the_processor_computes_in_it(
    tmp_path: Path, flags: str, answer: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert processor_computes_in_bfloat16(tmp_path / "cpuinfo") is answer
    assert processor_computes_in_bfloat16(tmp_path / "missing") is False


def test_a_precision_that_is_asked_for_is_used() -> None:
    assert resolve_precision("float32") == "float32"
    assert resolve_precision("bfloat16") == "bfloat16"


@pytest.mark.parametrize(
    ("capability", "details", "precision"),
    [
        ("9.0", {"compute_capability": (9, 0)}, "bfloat16"),
        ("7.5", {"compute_capability": (7, 5)}, "float32"),
        ("gfx90a", {}, "float32"),
    ],
)
def test_a_gpu_of_jax_is_known_by_its_capability(
    monkeypatch: pytest.MonkeyPatch, capability: str, details: dict[str, object], precision: str
) -> None:
    gpu = SimpleNamespace(device_kind="NVIDIA H100 80GB HBM3", compute_capability=capability)
    jax = ModuleType("jax")
    monkeypatch.setattr(jax, "devices", lambda kind: [gpu], raising=False)
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert gpu_details() == {"device_name": gpu.device_kind, **details}
    assert resolve_precision("auto") == precision


def test_a_cpu_convolves_by_fourier_transforms_unless_told_otherwise() -> None:
    on_cpu = not any("gpu" in name for name in keras.distribution.list_devices())
    assert resolve_convolution("auto") == ("fourier" if on_cpu else "direct")
    assert resolve_convolution("direct") == "direct"
    assert resolve_convolution("fourier") == "fourier"
