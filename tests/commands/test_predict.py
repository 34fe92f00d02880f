"""The command predict as a program: names that no terminal shows, its start, a full disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from closure import ROOT
from pictures import encoded, noise
from predicting import lay_out_model, save
from workspace import search_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lay_out_model(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def module(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "cifar_pipeline", "predict", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        check=False,
    )


def test_as_a_program(folder: Path) -> None:
    names = [save("ü😀.png", noise()), save(os.fsdecode(b"latin-\xe9.png"), noise())]
    # Tag 277, samples per pixel: Pillow logs that 153 are too many.
    samples = b"\x15\x01\x03\0\x01\0\0\0"
    tiff = encoded(noise(), "TIFF").replace(samples + b"\x03", samples + b"\x99")
    broken = [save("b.png", b"broken"), save("c.tif", tiff)]
    done = module(*names, *broken, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert r"\xfc\U0001f600.png" in done.stdout.decode("ascii")
    assert r"latin-\udce9.png" in done.stdout.decode("ascii")
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("error: b.png: no picture that can be read")
    assert second.startswith("error: c.tif: ")  # and not what Pillow logs, nor TensorFlow's notes


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from cifar_pipeline.cli import app\n"
        "try: app(['predict', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'PIL', 'keras', 'tensorflow', 'pandas'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert "--fit" in done.stdout


@pytest.mark.parametrize("option", ["--top=3", "--json", "--csv"])
def test_a_full_disk_is_one_line(folder: Path, option: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            ["python", "-m", "cifar_pipeline", "predict", option, save("a.png", noise())],
            env={**os.environ, "PATH": search_path(), "PYTHONPATH": str(ROOT / "src")},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the results cannot be written to standard output (No space left")
