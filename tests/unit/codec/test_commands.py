import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cifar_pipeline.cli import app
from codec_models import images, write_model


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with images and, where it is looked for, a model."""
    write_model(tmp_path / "codec/models/model.npz")
    np.save(tmp_path / "a.npy", images(9))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_and_back(folder: Path) -> None:
    done = run("compress", "a.npy", "-o", "a.cifc", "--quality", 200)
    assert done.exit_code == 0, done.output
    assert "9 images" in done.stdout
    assert "quality 200 to 200" in done.stdout
    assert run("decompress", "a.cifc", "-o", "out").exit_code == 0
    assert np.load("out/a.npy").shape == (9, 8, 8, 3)
    said = run("inspect", "a.cifc").stdout
    assert "intact" in said
    assert "a.npy: 9 images of 8 x 8 pixels, quality 200" in said


@pytest.mark.parametrize(
    ("option", "value", "unit"), [("bpp", 4, "bits per pixel"), ("psnr", 30, "dB")]
)
def test_the_means_stand_beside_a_target(folder: Path, option: str, value: int, unit: str) -> None:
    done = run("compress", "a.npy", "-o", "x", f"--target-{option}", value)
    assert done.exit_code == 0, done.output
    assert f"{unit}; " in done.stdout.splitlines()[-1]
    assert "of 9 are within" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("chosen", [[], ["--quality", "3", "--target-psnr", "30"]])
def test_one_of_three_targets_is_chosen(folder: Path, chosen: list[str]) -> None:
    done = run("compress", "a.npy", "-o", "x", *chosen)
    assert done.exit_code == 2
    assert "choose one of --quality, --target-bpp and --target-psnr" in done.stderr


def test_another_model_is_named_or_found_by_its_digest(folder: Path) -> None:
    write_model(folder / "old.npz", seed=1)
    assert run("compress", "a.npy", "-o", "x", "--quality", 9, "--model", "old.npz").exit_code == 0
    done = run("decompress", "x", "-o", "out")
    assert done.exit_code == 1
    assert "--model" in done.stderr
    assert run("decompress", "x", "-o", "out", "--model", ".").exit_code == 0


def test_without_the_coder_one_line_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "constriction", None)
    for command in (
        ["compress", "a.npy", "-o", "x", "--quality", 9],
        ["decompress", "x", "-o", "y"],
    ):
        done = run(*command)
        assert done.exit_code == 1
        assert "make setup EXTRAS=codec" in done.stderr
        assert len(done.stderr.splitlines()) == 1
