"""Probabilities, warning and batches of the command predict."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.thresholds import (
    choose_operating_point,
)
from cifar_pipeline.predict import predictor as prediction
from pictures import noise
from predicting import DARK, as_json, own_probabilities, predict, save
from small_models import save_model

pytestmark = pytest.mark.trains  # networks, whose answers are taken


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


def test_an_unfamiliar_picture_is_marked_and_explained(folder: Path) -> None:
    result = predict(save("dark.png", DARK), save("light.png", noise()))
    assert (result.exit_code, result.stderr) == (0, "")
    rows = {line.split()[1]: line for line in result.stdout.splitlines() if ".png" in line}
    score = as_json("dark.png")[0]["familiarity"]["score"]
    assert f"out of distribution ({score:#.3g})" in rows["dark.png"]
    assert "out of distribution" not in rows["light.png"]
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
        assert line.startswith(
            "warning: probabilities are not temperature-scaled, and no picture is "
            "checked for being out of distribution: "
        )
        assert "reports/chosen.json" in line
        assert "`dvc repro evaluate`" in line
        assert "unfamiliar" not in result.stdout.replace("unfamiliar,score", "")
        assert "out of distribution (" not in result.stdout
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
