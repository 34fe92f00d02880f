"""The command `predict`: its three outputs, its warning, its errors, its exit codes."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cifar_pipeline.cli import app
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.thresholds import (
    OperatingPoint,
    choose_operating_point,
    write_operating_point,
)
from cifar_pipeline.predict import output as prediction_output
from cifar_pipeline.predict import predictor as prediction
from cifar_pipeline.trained_model.keras_file import load_saved_model
from closure import ROOT
from pictures import as_nobody, bomb, encoded, noise
from small_models import save_model

DARK = np.full((32, 32, 3), 20, np.uint8)  # unlike the noise that these models know


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.keras"
    save_model(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a model and what was chosen for it, where `predict` looks for them."""
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    Path("models/model.keras").write_bytes(model_path.read_bytes())
    chosen = OperatingPoint(
        temperature=1.0,
        score="norm_and_distance",
        threshold=-9.0,
        target_false_alarm_rate=0.01,
        validation_images=5000,
        false_alarm_rate=0.0123,
        test_images=10_000,
        model_sha256=sha256_of(model_path),
    )
    write_operating_point(Path("reports/chosen.json"), chosen)
    return tmp_path


def save(name: str, picture: np.ndarray | Image.Image | bytes, kind: str = "PNG") -> str:
    content = picture if isinstance(picture, bytes) else encoded(picture, kind)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content)
    return name


def predict(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["predict", *arguments])
    assert "Traceback" not in result.output
    return result


def as_json(*arguments: str) -> list[dict]:
    return json.loads(predict("--json", *arguments).stdout)


def own_probabilities(model_path: Path, *images: np.ndarray) -> np.ndarray:
    return np.asarray(load_saved_model(model_path).predict_on_batch(np.stack(images)))


# What is printed


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_picture_gets_the_models_own_probabilities(
    folder: Path, model_path: Path, kind: str
) -> None:
    images = [noise(seed=seed) for seed in range(3)]
    names = [save(f"{seed}.x", image, kind) for seed, image in enumerate(images)]
    objects = as_json("--top", "10", *names)
    assert [entry["picture"] for entry in objects] == names
    for entry, row in zip(objects, own_probabilities(model_path, *images), strict=True):
        found = {each["class"]: each["probability"] for each in entry["classes"]}
        assert list(found) == [CLASS_NAMES[label] for label in np.argsort(-row)]
        np.testing.assert_allclose([found[name] for name in CLASS_NAMES], row, atol=2e-6)


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
    assert "unfamiliar" not in result.stdout


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


def test_fit_reaches_the_picture(folder: Path, model_path: Path) -> None:
    picture = Image.new("RGB", (320, 32), "red")
    picture.paste((0, 0, 255), (144, 0, 176, 32))
    name = save("wide.png", picture)
    blue = np.zeros((32, 32, 3), np.uint8)
    blue[:, :, 2] = 255
    own = own_probabilities(model_path, blue).max()
    found = {
        fit: as_json("--fit", fit, name)[0]["classes"][0] for fit in ("crop", "pad", "stretch")
    }
    assert as_json(name)[0]["classes"][0] == found["crop"]
    assert found["crop"]["probability"] == pytest.approx(own, abs=2e-6)
    assert len({entry["probability"] for entry in found.values()}) == 3


def test_json_and_csv_exclude_each_other(folder: Path) -> None:
    result = predict("--json", "--csv", "a.png")
    assert result.exit_code == 2
    assert result.stderr == "error: --json and --csv exclude each other; choose one of them\n"


# What is warned of


def test_an_unfamiliar_picture_is_marked_and_explained(folder: Path) -> None:
    result = predict(save("dark.png", DARK), save("light.png", noise()))
    assert (result.exit_code, result.stderr) == (0, "")
    rows = {line.split()[1]: line for line in result.stdout.splitlines() if ".png" in line}
    score = as_json("dark.png")[0]["familiarity"]["score"]
    assert f"unfamiliar ({score:#.3g})" in rows["dark.png"]
    assert "unfamiliar" not in rows["light.png"]
    last = result.stdout.splitlines()[-1]
    assert (
        "(norm_and_distance) is below -9.00, as it is for 1.23% of the 10,000 test images" in last
    )
    assert "false alarms" in last


def test_a_score_at_the_threshold_is_familiar(model_path: Path) -> None:
    chosen = choose_operating_point(
        model_path, 1.0, "norm_and_distance", np.array([2.0]), np.array([3.0])
    )
    assert not prediction.OodCheck(2.0, chosen).out_of_distribution
    assert prediction.OodCheck(1.999, chosen).out_of_distribution


@pytest.mark.parametrize("state", ["missing", "of another model", "no JSON"])
def test_where_nothing_was_chosen_one_line_says_so(folder: Path, state: str) -> None:
    path = Path("reports/chosen.json")
    if state == "missing":
        path.unlink()
    elif state == "no JSON":
        path.write_text("{")
    else:
        fields = json.loads(path.read_text())
        path.write_text(json.dumps(fields | {"model_sha256": "0" * 64}))
    for option in ("--json", "--csv", "--top=3"):
        result = predict(option, save("dark.png", DARK))
        assert result.exit_code == 0
        (line,) = result.stderr.splitlines()
        assert line.startswith("warning: probabilities are as the model gives them, and which ")
        assert "reports/chosen.json" in line
        assert "`dvc repro evaluate`" in line
        assert "unfamiliar" not in result.stdout.replace("unfamiliar,score", "")
        assert ("not checked" in result.stdout) == (option == "--top=3")
    (dark,) = as_json("dark.png")
    assert dark["familiarity"] is dark["temperature"] is None


def test_probabilities_are_at_the_temperature_but_for_raw(folder: Path, model_path: Path) -> None:
    path = Path("reports/chosen.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"temperature": 2.0}))
    name = save("a.png", noise())
    raw = own_probabilities(model_path, noise())[0]
    scaled = np.sqrt(raw) / np.sqrt(raw).sum()
    for options, temperature, expected in (((), 2.0, scaled), (("--raw",), None, raw)):
        (entry,) = as_json("--top", "10", *options, name)
        assert entry["temperature"] == temperature
        found = [each["probability"] for each in entry["classes"]]
        np.testing.assert_allclose(found, np.sort(expected)[::-1], atol=2e-6)
        assert not entry["familiarity"]["unfamiliar"]


def test_another_programs_model_is_said_to_name_no_classes(folder: Path) -> None:
    name = save("a.png", noise())
    for classes, called, known in ((10, "as those of CIFAR-10", "cat"), (3, "numbers", "class 2")):
        save_model(Path("other.keras"), features="other", classes=classes)
        result = predict("--json", "--top", "10", "--model", "other.keras", name)
        first, second = result.stderr.splitlines()
        assert first.startswith("warning: other.keras does not name its classes; they are called ")
        assert called in first
        assert "belongs to another model than other.keras" in second
        names = [each["class"] for each in json.loads(result.stdout)[0]["classes"]]
        assert len(names) == classes
        assert known in names


# What is refused


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


# Names


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


# How it runs


def test_files_are_predicted_in_batches_and_in_their_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, model_path: Path
) -> None:
    monkeypatch.setattr(prediction, "BATCH_SIZE", 2)
    sizes, loads = [], []
    whole = prediction.predict_outputs
    load = prediction.load_saved_model

    def counted(model, images, batch_size):
        sizes.append(len(images))
        return whole(model, images, batch_size)

    monkeypatch.setattr(prediction, "predict_outputs", counted)
    monkeypatch.setattr(
        prediction, "load_saved_model", lambda path: loads.append(path) or load(path)
    )
    images = [noise(seed=seed) for seed in range(5)]
    names = [save(f"{seed}.png", image) for seed, image in enumerate(images)]
    objects = as_json("gone1.png", *names[:3], "gone2.png", *names[3:])
    assert [entry["picture"] for entry in objects] == [
        *("gone1.png", "0.png", "1.png", "2.png", "gone2.png", "3.png", "4.png")
    ]
    assert max(sizes) <= 2
    assert sum(sizes) == 5
    assert len(loads) == 1
    likeliest = [entry["classes"][0]["probability"] for entry in objects if entry["classes"]]
    expected = own_probabilities(model_path, *images).max(axis=1)
    np.testing.assert_allclose(likeliest, expected, atol=2e-6)


def test_csv_is_written_batch_by_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcomes():
        predictor = prediction.Predictor(Path("models/model.keras"), Path("none"))
        yield from prediction.predict_files([save("a.png", noise())], predictor, "crop", 1)
        assert "a.png" in written.getvalue()

    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    prediction_output.print_csv(outcomes(), 1)
    assert len(written.getvalue().splitlines()) == 2


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
            [sys.executable, "-m", "cifar_pipeline", "predict", option, save("a.png", noise())],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the results cannot be written to standard output (No space left")
