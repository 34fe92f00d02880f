"""The stage `train` of the codec: what it leaves, the same twice, in a file that decodes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cifar_pipeline.codec import training
from cifar_pipeline.codec.model import load_model
from cifar_pipeline.common.checksums import sha256_of, write_manifest
from codec_trainings import NETWORK, preset
from synthetic import synthetic_split

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processed")
    for seed, split in enumerate(("train", "validation")):
        images, labels = synthetic_split(48, seed)
        np.save(folder / f"{split}_images.npy", images)
        np.save(folder / f"{split}_labels.npy", labels)
    write_manifest(folder)
    return folder


def test_a_training_leaves_a_model_that_codes_images(
    processed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "LEVELS_OF_TABLES", 3)
    models, reports = tmp_path / "models", tmp_path / "reports"
    params = preset(epochs=1, network=NETWORK.model_dump() | {"channels": 12})
    training.train_codec(processed, models, reports, params, seed=3)
    digest = sha256_of(models / "model.npz")
    names = {"codec.keras", "model.npz", f"{digest}.npz"}
    assert {path.name for path in models.iterdir()} == names
    metrics = json.loads((reports / "train_metrics.json").read_text())
    scores = list(metrics["validation"].values())
    psnrs = [each["psnr"] for each in scores]
    assert psnrs == sorted(psnrs)
    assert len(pd.read_csv(reports / "history.csv")) == metrics["epochs"] == 1

    model = load_model(models / "model.npz")
    images, levels = synthetic_split(5, 7)[0], np.array([0, 60, 120, 180, 255], np.uint8)
    symbols = model.transform.symbols(model.features(images), levels)
    payload = model.encode(symbols, levels)
    assert np.array_equal(model.decode(payload, levels, (32, 32)), symbols)
    assert 8 * len(payload) == pytest.approx(model.bits(symbols, levels).sum(), rel=0.02)
