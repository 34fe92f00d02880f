"""The pipeline on a folder of pictures of one's own."""

import json
import re

import pandas as pd

from picture_folders import NAMES, write_pictures
from workspace import Workspace


def test_the_pipeline_trains_on_them(workspace: Workspace) -> None:
    folder = workspace.folder.parent / "pictures"
    write_pictures(folder, train=60, test=20)
    workspace.set_params({"download.source": str(folder), "preprocess.validation_images": 30})
    check = ("env", "PYTHONPATH=src", "python", "-m", "cifar_pipeline.check_params")
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", workspace.run(*check, expect=1))[0]
    workspace.set_params({"download.sha256": {"pictures": digest}})
    workspace.run(*check)
    workspace.run("dvc", "repro")
    errors = pd.read_csv(workspace.folder / "reports/per_class_errors.csv")
    assert tuple(errors["class"]) == NAMES
    assert errors["support"].tolist() == [20] * 3
    predictions = pd.read_csv(workspace.folder / "reports/predictions.csv")
    assert [f"p_{name}" for name in NAMES] == list(predictions.columns[-3:])
    metrics = json.loads(workspace.read("reports/test_metrics.json"))
    assert tuple(metrics["error_by_class"]) == NAMES
    page = workspace.read("reports/index.html").decode()
    assert all(name in page for name in NAMES)
    assert "CIFAR-10" not in workspace.read("models/model_card.md").decode()
    command = "PYTHONPATH=src python -m cifar_pipeline"
    picture = folder / "test/dog/0.png"
    workspace.run("sh", "-c", f"{command} predict --json '{picture}' > found.json")
    (found,) = json.loads(workspace.read("found.json"))
    assert {entry["class"] for entry in found["classes"]} == set(NAMES)
    workspace.run("sh", "-c", f"{command} export saved_model")
    exported = workspace.read("exports/saved_model/assets/classes.txt").decode()
    assert tuple(exported.splitlines()) == NAMES
    # Other pictures: `make repro` notices before DVC says that nothing has changed.
    (folder / "train/dog/0.png").unlink()
    assert "download.sha256.pictures" in workspace.run(*check, expect=1)
