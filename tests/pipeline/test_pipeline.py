"""The whole pipeline by `dvc repro`, in a temporary clone on synthetic data."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from differences import SCORES
from synthetic import synthetic_split
from workspace import Workspace

LOAD_IN_A_PLAIN_PROCESS = """
import json, sys
import keras, numpy as np
model = keras.saving.load_model("models/model.keras")
images = np.load("data/processed/test_images.npy")
as_integers = model.predict_on_batch(images)
as_floats = model.predict_on_batch(images.astype("float32"))
assert not [name for name in sys.modules if name.startswith("cifar_pipeline")]
print(json.dumps({
    "dtype": str(as_integers.dtype),
    "shape": as_integers.shape,
    "sums_to_one": bool(np.allclose(as_integers.sum(axis=1), 1, atol=1e-5)),
    "same": bool(np.array_equal(as_integers, as_floats)),
    "predicted": as_integers.argmax(axis=1).tolist(),
}))
"""


def test_arrays_have_the_promised_shapes(finished_workspace: Workspace) -> None:
    processed = finished_workspace.folder / "data/processed"
    for split, number in {"train": 250, "validation": 50, "test": 60}.items():
        images = np.load(processed / f"{split}_images.npy")
        labels = np.load(processed / f"{split}_labels.npy")
        assert (images.dtype, images.shape) == (np.uint8, (number, 32, 32, 3))
        assert (labels.dtype, labels.shape) == (np.uint8, (number,))
    validation_labels = np.load(processed / "validation_labels.npy")
    assert np.bincount(validation_labels).tolist() == [5] * 10


def test_the_test_set_passes_through_untouched(finished_workspace: Workspace) -> None:
    images, labels = synthetic_split(60, 5)
    processed = finished_workspace.folder / "data/processed"
    assert np.array_equal(np.load(processed / "test_images.npy"), images)
    assert np.array_equal(np.load(processed / "test_labels.npy"), labels)


def test_statistics_are_those_of_the_training_part(finished_workspace: Workspace) -> None:
    processed = finished_workspace.folder / "data/processed"
    stored = json.loads((processed / "statistics.json").read_text())
    images = np.load(processed / "train_images.npy")
    assert stored["mean"] == list(channel_statistics(images).mean)
    assert np.allclose(stored["mean"], images.mean(axis=(0, 1, 2)))
    assert np.allclose(stored["standard_deviation"], images.std(axis=(0, 1, 2)))


def test_history_has_its_columns(finished_workspace: Workspace) -> None:
    history = pd.read_csv(finished_workspace.folder / "reports/history.csv")
    expected = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert list(history.columns) == expected
    assert history["epoch"].tolist() == [1]
    assert (history["learning_rate"] > 0).all()


def test_train_metrics_have_their_keys(finished_workspace: Workspace) -> None:
    metrics = json.loads(finished_workspace.read("reports/train_metrics.json"))
    keys = ["epochs", "best_epoch", "stopped_early", "precision", "train", "validation"]
    assert list(metrics) == keys
    assert (metrics["epochs"], metrics["best_epoch"]) == (1, 1)
    assert metrics["stopped_early"] is False
    assert metrics["precision"] == "float32"
    for split in ("train", "validation"):
        assert list(metrics[split]) == ["loss", "accuracy", "balanced_accuracy"]


def test_reports_agree_with_each_other(finished_workspace: Workspace) -> None:
    reports = finished_workspace.folder / "reports"
    metrics = json.loads((reports / "test_metrics.json").read_text())
    errors = pd.read_csv(reports / "per_class_errors.csv")
    confusion = pd.read_csv(reports / "confusion.csv")
    predictions = pd.read_csv(reports / "predictions.csv")

    assert list(metrics) == ["test", "test_temperature_scaled", "error_by_class"]
    assert list(metrics["test"]) == SCORES
    assert list(metrics["test_temperature_scaled"]) == ["temperature", *SCORES]
    assert list(metrics["error_by_class"]) == list(CLASS_NAMES)
    assert list(errors.columns) == [
        "class",
        "support",
        "correct",
        "errors",
        "error_rate",
        "precision",
        "recall",
        "f1",
        "most_confused_with",
        "most_confused_count",
    ]
    assert errors["class"].tolist() == list(CLASS_NAMES)
    assert list(confusion.columns) == ["actual", "predicted"]
    columns = ["index", "label", "predicted", "confidence", *(f"p_{name}" for name in CLASS_NAMES)]
    assert list(predictions.columns) == columns

    assert len(confusion) == len(predictions) == errors["support"].sum() == 60
    accuracy = (confusion["actual"] == confusion["predicted"]).mean()
    assert metrics["test"]["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert errors["correct"].sum() / 60 == pytest.approx(accuracy)
    assert errors["error_rate"].tolist() == pytest.approx(list(metrics["error_by_class"].values()))


def test_the_model_loads_with_plain_keras(finished_workspace: Workspace) -> None:
    output = finished_workspace.run("python", "-c", LOAD_IN_A_PLAIN_PROCESS)
    answer = json.loads(output.splitlines()[-1])
    assert answer["dtype"] == "float32"
    assert answer["shape"] == [60, 10]
    assert answer["sums_to_one"]
    assert answer["same"]
    # The published predictions are those of the file.
    published = pd.read_csv(finished_workspace.folder / "reports/predictions.csv")["predicted"]
    assert [CLASS_NAMES[label] for label in answer["predicted"]] == published.tolist()


def test_one_line_says_device_precision_and_size(finished_workspace: Workspace) -> None:
    lines = [line for line in finished_workspace.first_output.splitlines() if "precision:" in line]
    assert len(lines) == 1
    assert "device:" in lines[0]
    assert "parameters:" in lines[0]


def test_git_holds_the_small_files_alone(finished_workspace: Workspace) -> None:
    tracked = finished_workspace.run("git", "ls-files", "data", "models", "reports", "dvc.lock")
    assert sorted(name for name in tracked.split() if not name.endswith(".gitignore")) == [
        "dvc.lock",
        "reports/confusion.csv",
        "reports/history.csv",
        "reports/per_class_errors.csv",
        "reports/test_metrics.json",
        "reports/train_metrics.json",
    ]


def test_a_second_repro_has_nothing_to_do(finished_workspace: Workspace) -> None:
    assert "up to date" in finished_workspace.run("dvc", "repro")
    assert finished_workspace.run("git", "status", "--porcelain") == ""


def test_test_labels_cannot_influence_training(workspace: Workspace) -> None:
    from cifar_pipeline.common.checksums import sha256_of
    from cifar_pipeline.dataset.binary_format import decode_batch, encode_batch

    before = {name: workspace.read(name) for name in ("models/model.keras", "reports/history.csv")}
    metrics = workspace.read("reports/test_metrics.json")
    permuted = workspace.folder.parent / "permuted"
    shutil.copytree(workspace.source, permuted)
    images, labels = decode_batch((permuted / "test_batch.bin").read_bytes())
    (permuted / "test_batch.bin").write_bytes(encode_batch(images, np.roll(labels, 1)))
    workspace.set_params(
        {
            "download.source": str(permuted),
            "download.sha256": {p.name: sha256_of(p) for p in sorted(permuted.iterdir())},
        }
    )
    # --force: train runs again although DVC sees that nothing it reads has changed.
    workspace.run("dvc", "repro", "--force")
    assert {name: workspace.read(name) for name in before} == before
    assert workspace.read("reports/test_metrics.json") != metrics


def test_a_misspelt_preset_ends_before_any_stage(workspace: Workspace) -> None:
    workspace.set_params({"train.model": "fsat"})
    output = workspace.run(
        "env", "PYTHONPATH=src", "python", "-m", "cifar_pipeline.check_params", expect=2
    )
    assert output.strip().endswith("did you mean 'fast'?")
    assert len(output.strip().splitlines()) == 1


def test_what_a_failed_stage_removed_comes_back(workspace: Workspace) -> None:
    names = ("models/model.keras", "reports/history.csv", "reports/train_metrics.json")
    before = {name: workspace.read(name) for name in names}
    workspace.set_params({"models.fast.optimizer.learning_rate": 1e30})
    output = workspace.run("dvc", "repro", expect=255)
    assert "training diverged" in output
    assert "`dvc checkout` and `git restore reports`" in output
    assert not [name for name in names if (workspace.folder / name).exists()]
    workspace.run("git", "restore", "params.yaml")
    workspace.run("dvc", "checkout")
    workspace.run("git", "restore", "reports")
    assert {name: workspace.read(name) for name in names} == before
    assert "up to date" in workspace.run("dvc", "repro")
