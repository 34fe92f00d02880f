"""The kind of a processor, as Linux reports its flags."""

import platform
from pathlib import Path

import pytest

from cifar_pipeline.backend.device import device_kind, processor_kind


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
