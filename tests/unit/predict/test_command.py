"""The command `predict`: its three outputs, its warning, its errors, its exit codes."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pictures import as_nobody, bomb, encoded, noise
from predicting import as_json, predict, save


def test_json_and_csv_exclude_each_other(folder: Path) -> None:
    result = predict("--json", "--csv", "a.png")
    assert result.exit_code == 2
    assert result.stderr == "error: --json and --csv exclude each other; choose one of them\n"


def test_broken_files_do_not_stop_the_others(folder: Path) -> None:
    whole = encoded(noise(), "PNG")
    Path("folder.png/empty").mkdir(parents=True)
    Path("link.png").symlink_to("gone")
    os.mkfifo("pipe.png")
    broken = {
        save("truncated.png", whole[:1500]): "cut off",
        save("renamed.jpg", b"#!/bin/sh\n"): "no picture that can be read",
        save("bomb.png", bomb()): "pixels",
        save("zero.png", b""): "empty (0 bytes)",
        "folder.png": "this folder has no picture",
        "link.png": "a link to a file that is not there",
        "pipe.png": "a pipe",
        "gone.png": "no such file",
        "*.webp": "no file matches",
    }
    first, last = save("first.png", noise(seed=1)), save("last.png", noise(seed=2))
    for option in ("--top=3", "--json", "--csv"):
        result = predict(first, *broken, option, last)
        assert result.exit_code == 1
        lines = result.stderr.splitlines()
        for (name, message), line in zip(broken.items(), lines, strict=True):
            assert line.startswith(f"error: {name}: ")
            assert message in line
        assert first in result.stdout
        assert last in result.stdout
        assert result.stdout.count("error: ") == 0


def test_no_permission(folder: Path) -> None:
    name, closed = save("open.png", noise()), save("closed.png", noise())
    Path(closed).chmod(0)
    with as_nobody(folder):
        result = predict(closed, name)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: closed.png: cannot be read (Permission denied)")
    assert "open.png" in result.stdout


@pytest.mark.parametrize("option", ["--top=3", "--json", "--csv"])
def test_a_missing_model_is_one_line_and_no_result(folder: Path, option: str) -> None:
    result = predict(option, "--model", "gone.keras", "gone.png", save("a.png", noise()))
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line == "error: gone.keras is missing; `dvc repro train` writes models/model.keras"


def test_any_kind_of_picture_in_a_folder(folder: Path) -> None:
    alpha = Image.new("RGBA", (70, 50), (200, 0, 0, 90))
    pictures = {
        "a.png": encoded(noise(), "PNG"),
        "b.jpg": encoded(noise(90, 60), "JPEG"),
        "c.webp": encoded(alpha, "WEBP"),
        "d.bmp": encoded(noise(8, 9).mean(axis=2).astype(np.uint8), "BMP"),
        "e.gif": encoded(Image.fromarray(noise(40, 40)).convert("P"), "GIF"),
        "f.tiff": encoded(Image.new("CMYK", (33, 44), (9, 99, 0, 40)), "TIFF"),
        "g.png": encoded(np.full((50, 20), 40_000, np.uint16), "PNG"),
        "h.tif": encoded(noise(1, 1)[:, :, 0].astype(np.float32), "TIFF"),
        "sub/i.JPG": encoded(noise(5, 2000), "JPEG"),
    }
    for name, content in pictures.items():
        save(f"photos/{name}", content)
    save("photos/README.md", b"not a picture")
    result = predict("--json", "photos")
    assert (result.exit_code, result.stderr) == (0, "")
    objects = json.loads(result.stdout)
    assert [entry["picture"] for entry in objects] == [f"photos/{name}" for name in pictures]
    for entry in objects:
        assert 0.2 < sum(each["probability"] for each in entry["classes"]) <= 1.00001
    assert len(as_json("photos/*.png", "photos/a.*")) == 2
