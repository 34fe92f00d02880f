"""Arrays that are larger than memory train and are evaluated."""

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.dataset.image_set import FileRecord, ImageSet, write_files, write_image_set
from cifar_pipeline.dataset.npy_files import write_array, writing_rows
from memory_limit import memory_limit
from workspace import INTERPRETERS, Workspace

SIDE = 64
IMAGES = {"train": 245_000, "test": 2_000}  # 3 GB
LIMIT = 1_500_000_000


def write_raw(folder: Path) -> None:
    """Write what download leaves of pictures of three classes, whose colours differ."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    colours = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]], np.uint8)
    noise = random.integers(0, 50, (SIDE, SIDE, 3), np.uint8)
    records = []
    for part, number in IMAGES.items():
        labels = random.integers(0, 3, number).astype(np.uint8)
        write_array(folder / f"{part}_labels.npy", labels)
        with writing_rows(folder / f"{part}_images.npy", (SIDE, SIDE, 3)) as append:
            for some in np.array_split(labels, number // 1000):
                append(colours[some][:, None, None] + noise)
        records += [
            FileRecord(part, int(label), f"{part}/{at}.png", SIDE, SIDE, "RGB", len(records) + at)
            for at, label in enumerate(labels)
        ]
    write_files(folder / "files.csv", records)
    write_image_set(folder, ImageSet(image_size=SIDE, fit="crop", pictures="0" * 64))
    (folder / "classes.json").write_text(json.dumps(["red", "green", "blue"]))
    write_manifest(folder)


@pytest.mark.slow
def test_three_gigabytes_train_in_one_and_a_half(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.set_params(
        {
            "preprocess.validation_images": 2_000,
            "models.fast.hardest_share": 0.02,
            "evaluate.test_time_augmentation": "flip_shift",
        }
    )
    write_raw(workspace.folder / "data/raw")
    with memory_limit(LIMIT) as enter:
        for stage in ("preprocess", "train", "evaluate"):
            subprocess.run(
                ["python", f"stages/{stage}.py"],
                cwd=workspace.folder,
                env={**workspace.environment, "PATH": INTERPRETERS},
                preexec_fn=enter,
                check=True,
                timeout=3000,
            )
    sizes = (workspace.folder / "data/processed").glob("*_images.npy")
    assert sum(path.stat().st_size for path in sizes) > 2 * LIMIT
    with (workspace.folder / "reports/per_class_errors.csv").open() as file:
        assert sum(int(row["support"]) for row in csv.DictReader(file)) == IMAGES["test"]
