"""The stage `evaluate` on a tiny model: its reports, and one line for whatever is wrong."""

import json
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cifar_pipeline.common.console import command_app
from cifar_pipeline.dataset.arrays import array_names
from cifar_pipeline.metrics.calibration import fit_temperature
from cifar_pipeline.trained_model.validation_outputs import FILE
from evaluate_inputs import (
    IMAGES,
    PARAMS,
    STAGE,
    arguments,
    lay_out_inputs,
    save_tiny_model,
    write_outputs,
)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    return path, save_tiny_model(path)


@pytest.fixture
def inputs(tmp_path, tiny_model, blank_figures):
    """Lay out what evaluate reads, and nothing else, and return the folder."""
    lay_out_inputs(tmp_path, tiny_model[0])
    return tmp_path


def run(folder):
    spec = spec_from_file_location("evaluate_stage", STAGE)
    stage = module_from_spec(spec)
    spec.loader.exec_module(stage)
    return CliRunner().invoke(command_app(stage.main), arguments(folder))


def assert_one_line(result, exit_code, *parts):
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.output
    for part in ("error: ", *parts):
        assert part in result.stderr


def test_reports_and_headline(inputs, tiny_model):
    result = run(inputs)
    assert result.exit_code == 0, result.output
    metrics = json.loads((inputs / "reports" / "test_metrics.json").read_text())["test"]
    images, labels = (np.load(inputs / "processed" / name) for name in array_names("test"))
    expected = tiny_model[1].predict_on_batch(images)
    assert metrics["accuracy"] == np.mean(expected.argmax(axis=1) == labels)
    predictions = pd.read_csv(inputs / "reports" / "predictions.csv")
    np.testing.assert_allclose(predictions.filter(regex="^p_"), expected, atol=2e-6)
    loss = metrics["negative_log_likelihood"]
    headline = f"test accuracy {metrics['accuracy']:.4f}, loss {loss:.4f} (40 images)"
    assert headline in result.stdout.splitlines()
    assert result.stdout.count("<->") == 3


def test_test_time_augmentation_has_scores_of_its_own(inputs):
    run(inputs)
    plain = json.loads((inputs / "reports" / "test_metrics.json").read_text())
    (inputs / "params.yaml").write_text(
        PARAMS.replace("augmentation: none", "augmentation: flip_shift", 1)
    )
    result = run(inputs)
    assert result.exit_code == 0, result.output
    metrics = json.loads((inputs / "reports" / "test_metrics.json").read_text())
    scores = metrics.pop("test_time_augmentation")
    assert metrics == plain
    assert list(scores) == list(plain["test"])
    line = (
        f"with test-time augmentation (flip_shift): test accuracy {scores['accuracy']:.4f}, "
        f"loss {scores['negative_log_likelihood']:.4f}"
    )
    assert line in result.stdout.splitlines()
    assert f"{100 * scores['accuracy']:.2f} %" in (inputs / "model_card.md").read_text()


def test_the_batch_size_does_not_change_the_scores(inputs):
    runs = []
    for size in (7, 64):
        (inputs / "params.yaml").write_text(PARAMS.replace("16", str(size), 1))
        assert run(inputs).exit_code == 0
        runs.append(json.loads((inputs / "reports" / "test_metrics.json").read_text())["test"])
    assert runs[0] == pytest.approx(runs[1], abs=2e-6)


def test_corrupt_array(inputs):
    path = inputs / "processed" / "test_images.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert_one_line(run(inputs), 1, "test_images.npy", "corrupt", "`make verify`")
    assert not (inputs / "reports" / "test_metrics.json").exists()


def test_missing_model(inputs):
    (inputs / "model.keras").unlink()
    assert_one_line(run(inputs), 1, "model.keras is missing", "`dvc repro train`")


def test_validation_outputs_of_another_number_of_images(inputs):
    write_outputs(inputs, np.zeros((7, 10), np.float32))
    assert_one_line(run(inputs), 1, "of 7 images", "40", "`dvc repro`")


def test_missing_validation_outputs(inputs):
    (inputs / FILE).unlink()
    assert_one_line(run(inputs), 1, f"{FILE} is missing", "`dvc repro train`")


@pytest.mark.parametrize("name", ["history.csv", "train_metrics.json"])
def test_missing_report_of_train(inputs, name):
    (inputs / "reports" / name).unlink()
    assert_one_line(run(inputs), 1, name, "`dvc repro train`")


def test_damaged_report_of_train(inputs):
    (inputs / "reports" / "train_metrics.json").write_text("{")
    assert_one_line(run(inputs), 1, "train_metrics.json is damaged", "git restore")


def test_temperature_is_of_the_validation_logits(inputs):
    generator = np.random.default_rng(2)
    logits = generator.normal(size=(IMAGES, 10)).astype(np.float32)
    write_outputs(inputs, logits)
    assert run(inputs).exit_code == 0
    metrics = json.loads((inputs / "reports" / "test_metrics.json").read_text())
    labels = np.arange(IMAGES, dtype=np.uint8) % 10
    scaled = metrics["test_temperature_scaled"]
    assert scaled["temperature"] == pytest.approx(fit_temperature(logits, labels), abs=1e-6)
    # It moves no image to another class.
    for name in ("accuracy", "top_2_accuracy"):
        assert scaled[name] == metrics["test"][name]


def test_a_model_at_chance_on_the_validation_images_is_said_to_be_so(inputs):
    result = run(inputs)  # its validation outputs are random
    assert result.exit_code == 0, result.output
    *_, page_line, last = result.stdout.splitlines()
    assert page_line == f"the page of results: {inputs / 'reports' / 'index.html'}"
    assert last.startswith(
        "warning: the model is no better than chance on the 40 validation images"
    )
    assert "`dvc exp run -S models.fast.whitening=false`" in last
    page = (inputs / "reports" / "index.html").read_text()
    before_the_figures = page[: page.index('<div class="cards">')]
    assert "no better than chance on the 40 validation images" in before_the_figures
    assert "<code>dvc exp run -S models.fast.whitening=false</code>" in before_the_figures
    card = (inputs / "model_card.md").read_text()
    assert last.removeprefix("warning: ") in card[: card.index("## Use")]


def test_a_model_that_is_better_than_chance_has_no_warning(inputs):
    labels = np.arange(IMAGES) % 10
    write_outputs(inputs, 5 * np.eye(10, dtype=np.float32)[labels])
    result = run(inputs)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith("the page of results: ")
    for path in (inputs / "reports" / "index.html", inputs / "model_card.md"):
        assert "chance on the" not in path.read_text()
        assert "Warning" not in path.read_text()


@pytest.mark.parametrize("damage", ["no archive", "cut off", "weights", "directory"])
def test_corrupt_model(inputs, damage):
    path = inputs / "model.keras"
    content = path.read_bytes()
    if damage == "no archive":
        path.write_bytes(b"not a model")
    elif damage == "cut off":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "directory":
        # The length of a comment: the archive then seems to end before the weights.
        at = content.index(b"PK\x01\x02") + 33
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    else:
        # Stored, not deflated: Keras alone would load these weights without a word.
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    assert_one_line(run(inputs), 1, "model.keras cannot be loaded", "fetch or save it again")


def test_misspelt_parameter(inputs):
    (inputs / "params.yaml").write_text(PARAMS.replace("batch_size", "batchsize", 1))
    assert_one_line(run(inputs), 2, "evaluate.batchsize", "did you mean 'batch_size'?")


def test_model_of_other_classes(inputs):
    save_tiny_model(inputs / "model.keras", units=7)
    assert_one_line(run(inputs), 1, "10 probabilities an image, got shape (7,)")
