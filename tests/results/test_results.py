"""What `make repro` has left, on real CIFAR-10: run by `make test-results`.

The results are those of this checkout, or of the one that CIFAR_PIPELINE_RESULTS names.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from browsing import assert_whole, launched
from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.cli import app
from cifar_pipeline.export.formats.registry import FORMATS
from cifar_pipeline.fourier.inference import with_fourier_convolutions
from cifar_pipeline.predict.predictor import Predictor
from cifar_pipeline.trained_model.keras_file import load_saved_model
from closure import ROOT

pytestmark = pytest.mark.results
FOLDER = Path(os.environ.get("CIFAR_PIPELINE_RESULTS", ROOT))
MODEL = FOLDER / "models/model.keras"
# Of a probability: rounding alone, in another order of additions.
TOLERANCE = 1e-5


def validation_images(number: int) -> np.ndarray:
    return np.load(FOLDER / "data/processed/validation_images.npy")[:number]


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """Keras' probabilities for the first 1,000 validation images."""
    start_backend()
    return np.asarray(load_saved_model(MODEL).predict_on_batch(validation_images(1000)))


def test_what_evaluate_asks_agrees_with_plain_keras(expected: np.ndarray) -> None:
    quicker = with_fourier_convolutions(load_saved_model(MODEL))
    answers = np.asarray(quicker.predict_on_batch(validation_images(1000)))
    np.testing.assert_array_equal(answers.argmax(axis=1), expected.argmax(axis=1))
    assert np.abs(answers - expected).max() <= TOLERANCE


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_agrees_with_keras(name: str, expected: np.ndarray, tmp_path: Path) -> None:
    arguments = ["export", name, "--model", str(MODEL), "--output", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    runner = FORMATS[name].load(tmp_path / FORMATS[name].path, load_saved_model(MODEL))
    pixels = validation_images(1000).astype(np.float32)
    answers = np.concatenate([runner.run(batch) for batch in np.split(pixels, 10)])
    np.testing.assert_array_equal(answers.argmax(axis=1), expected.argmax(axis=1))
    assert np.abs(answers - expected).max() <= TOLERANCE


def unfamiliar(images: np.ndarray) -> float:
    """Return the share of images that `predict` warns of."""
    predictor = Predictor(MODEL, FOLDER / "reports/chosen.json")
    found = [
        prediction.ood.out_of_distribution
        for prediction in predictor.predict([""] * len(images), images, 1)
        if prediction.ood
    ]
    assert len(found) == len(images)
    return float(np.mean(found))


def test_the_warning_finds_what_is_far_and_spares_what_is_near() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (300, 32, 32, 3), np.uint8)
    flat = random.integers(0, 256, (300, 1, 1, 3), np.uint8).repeat(32, 1).repeat(32, 2)
    known = validation_images(5000)
    scrambled = known[:300].reshape(300, 1024, 3)[:, random.permutation(1024)]
    assert unfamiliar(noise) > 0.95
    assert unfamiliar(flat) > 0.9
    assert unfamiliar(scrambled.reshape(300, 32, 32, 3)) > 0.95
    assert unfamiliar(known) == pytest.approx(0.01, abs=0.001)


def test_temperature_calibrates() -> None:
    metrics = json.loads((FOLDER / "reports/test_metrics.json").read_text())
    plain, scaled = metrics["test"], metrics["test_temperature_scaled"]
    for name in ("negative_log_likelihood", "expected_calibration_error"):
        assert scaled[name] < plain[name]
    assert scaled["accuracy"] == plain["accuracy"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 400, 1400])
def test_the_page_is_whole(width: int, scheme: str) -> None:
    with launched() as browser:
        assert_whole(browser, FOLDER / "reports/index.html", width, scheme)
