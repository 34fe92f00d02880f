"""The pipeline on a folder of pictures of one's own."""

import json
import re
import shutil

import numpy as np
import pandas as pd
from PIL import Image

from picture_folders import NAMES, write_pictures
from workspace import Workspace

CHECK = ("env", "PYTHONPATH=src", "python", "-m", "cifar_pipeline.check_params")


def test_the_pipeline_trains_on_them(workspace: Workspace) -> None:
    """Class folders alone, of unequal classes, at 48 pixels, not square."""
    folder = workspace.folder.parent / "pictures"
    write_pictures(folder, train=60, test=20)
    shutil.move(folder / "train" / NAMES[0], folder)
    for name in NAMES[1:]:
        shutil.move(folder / "train" / name, folder)
        for at in range(30, 60):
            (folder / name / f"{at}.png").unlink()
    shutil.rmtree(folder / "train")
    shutil.rmtree(folder / "test")
    wide = np.zeros((20, 60, 3), np.uint8)
    Image.fromarray(wide).save(folder / "dog/wide.png")
    workspace.set_params(
        {
            "download.source": str(folder),
            "download.image_size": 48,
            "download.fit": "pad",
            "preprocess.validation_images": 0.2,
            "preprocess.test_images": 20,
        }
    )
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", workspace.run(*CHECK, expect=1))[0]
    workspace.set_params({"download.sha256": {"pictures": digest}})
    workspace.run(*CHECK)
    terminal = workspace.run("dvc", "repro")
    assert "made 48 x 48" in terminal
    errors = pd.read_csv(workspace.folder / "reports/per_class_errors.csv")
    assert tuple(errors["class"]) == NAMES
    assert errors["support"].tolist() == [10, 5, 5]
    predictions = pd.read_csv(workspace.folder / "reports/predictions.csv")
    assert [f"p_{name}" for name in NAMES] == list(predictions.columns[-3:])
    metrics = json.loads(workspace.read("reports/test_metrics.json"))
    assert tuple(metrics["error_by_class"]) == NAMES
    assert terminal.index("balanced accuracy") < terminal.index("top-2 accuracy")
    page = workspace.read("reports/index.html").decode()
    assert all(name in page for name in NAMES)
    assert 'width="48" height="48"' in page
    card = workspace.read("models/model_card.md").decode()
    assert "CIFAR-10" not in card
    assert "48 x 48 pixels" in card
    command = "PYTHONPATH=src python -m cifar_pipeline"
    found = []
    for fit in ("", "--fit pad", "--fit crop"):
        picture = f"'{folder}/dog/wide.png'"
        workspace.run("sh", "-c", f"{command} predict --json --raw {fit} {picture} > found.json")
        (one,) = json.loads(workspace.read("found.json"))
        assert {entry["class"] for entry in one["classes"]} == set(NAMES)
        found.append(one["classes"])
    # Padded as the training images were, unless told otherwise.
    assert found[0] == found[1] != found[2]
    workspace.run("sh", "-c", f"{command} export saved_model")
    exported = workspace.read("exports/saved_model/assets/classes.txt").decode()
    assert tuple(exported.splitlines()) == NAMES
    # Other pictures: `make repro` notices before DVC says that nothing has changed.
    (folder / "dog/0.png").unlink()
    assert "download.sha256.pictures" in workspace.run(*CHECK, expect=1)
    # Without the folder the cached data serve, until they have to be made anew.
    shutil.rmtree(folder)
    assert f"{folder} is not there" in workspace.run(*CHECK)
    assert "up to date" in workspace.run("dvc", "repro")
    workspace.set_params({"download.image_size": 32})
    assert f"{folder} is not there" in workspace.run("dvc", "repro", expect=255)
