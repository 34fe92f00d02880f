"""Table, JSON and CSV of the command predict."""

import csv
import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.predict import output as prediction_output
from cifar_pipeline.predict import predictor as prediction
from pictures import noise
from predicting import DARK, as_json, own_probabilities, predict, save


def test_table(folder: Path, model_path: Path) -> None:
    result = predict(save("a.png", noise()))
    assert (result.exit_code, result.stderr) == (0, "")
    row = own_probabilities(model_path, noise())[0]
    lines = [line for line in result.stdout.splitlines() if "│" in line]
    assert len(lines) == 3
    for line, label in zip(lines, np.argsort(-row), strict=False):
        assert CLASS_NAMES[label] in line
        assert f"{row[label]:.4f}" in line
    assert "a.png" in lines[0]
    assert "out of distribution" not in result.stdout


def test_json_has_the_same_fields_for_every_picture(folder: Path) -> None:
    result = predict("--json", save("a.png", noise()), "gone.png", save("dark.png", DARK))
    fine, broken, dark = json.loads(result.stdout)
    assert result.exit_code == 1
    assert fine.keys() == broken.keys() == dark.keys()
    assert [len(entry["classes"]) for entry in (fine, broken, dark)] == [3, 0, 3]
    assert fine["error"] is dark["error"] is broken["familiarity"] is None
    assert "no such file" in broken["error"]
    assert not fine["familiarity"]["unfamiliar"]
    assert dark["familiarity"] == {
        "unfamiliar": True,
        "score": dark["familiarity"]["score"],
        "threshold": -9.0,
        "false_alarm_rate": 0.0123,
    }
    assert dark["familiarity"]["score"] < -9 < fine["familiarity"]["score"]
    assert (fine["temperature"], broken["temperature"]) == (1.0, None)


def test_csv_has_a_line_a_picture(folder: Path) -> None:
    result = predict("--csv", "--top", "2", save("a,b.png", noise()), "gone.png")
    fine, broken = csv.DictReader(io.StringIO(result.stdout))
    expected = as_json("--top", "2", "a,b.png")[0]
    assert result.exit_code == 1
    assert fine["picture"] == "a,b.png"
    for rank, entry in enumerate(expected["classes"], start=1):
        assert fine[f"class_{rank}"] == entry["class"]
        assert float(fine[f"probability_{rank}"]) == entry["probability"]
    assert fine["unfamiliar"] == "False"
    assert float(fine["score"]) == expected["familiarity"]["score"]
    assert fine["error"] == ""
    assert broken["class_1"] == broken["unfamiliar"] == ""
    assert "no such file" in broken["error"]


def test_more_classes_than_the_model_has(folder: Path) -> None:
    name = save("a.png", noise())
    assert len(as_json("--top", "50", name)[0]["classes"]) == len(CLASS_NAMES)
    (row,) = csv.DictReader(io.StringIO(predict("--csv", "--top", "12", name).stdout))
    assert row["class_10"] in CLASS_NAMES
    assert "class_11" not in row
    assert predict("--top", "0", name).exit_code == 2


def test_strange_names(folder: Path) -> None:
    names = [
        "a b.png",
        "ü 日本 😀.png",
        "new\nline\x1b[31m.png",
        "[red]x[/red] :dog:.png",
        "-x.png",
    ]
    names.append(os.fsdecode(b"latin-\xe9.png"))
    for name in names:
        save(name, noise())
    assert [entry["picture"] for entry in as_json("--", *names)] == names
    for option in ("--csv", "--top=1"):
        result = predict(option, "--", *names)
        assert (result.exit_code, result.stderr) == (0, "")
        escaped = [*names[:2], r"new\nline\x1b[31m.png", *names[3:5], r"latin-\udce9.png"]
        assert all(name in result.stdout for name in escaped)
        assert "\x1b" not in result.stdout
    result = predict("gone\n\x1b2J.png")
    assert result.stderr.startswith(r"error: gone\n\x1b2J.png: there is no such file")


@pytest.mark.parametrize("columns", [60, 200])
def test_a_long_name_is_never_cut(
    folder: Path, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = save("x" * 90 + "1.png", noise())
    save("x" * 90 + "2.png", noise())
    monkeypatch.setenv("COLUMNS", str(columns))
    assert name in predict("*.png").stdout  # in a log, in one line whatever the width
    monkeypatch.setenv("FORCE_COLOR", "1")  # takes the output for a terminal
    shown = re.sub(r"\x1b\[[0-9;]*m", "", predict("*.png").stdout)
    cells = [line.split("│")[1].strip() for line in shown.splitlines() if "│" in line]
    assert "".join(cells) == name + name.replace("1.", "2.")
    assert max(map(len, shown.splitlines())) <= columns
    assert "…" not in shown


def test_csv_is_written_batch_by_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcomes():
        predictor = prediction.Predictor(Path("models/model.keras"), Path("none"))
        yield from prediction.predict_files([save("a.png", noise())], predictor, "crop", 1)
        assert "a.png" in written.getvalue()

    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    prediction_output.print_csv(outcomes(), 1)
    assert len(written.getvalue().splitlines()) == 2
