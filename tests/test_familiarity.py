"""The score of familiarity, its threshold, and the file that keeps both."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_pipeline.checksums import sha256_of
from cifar_pipeline.errors import PipelineError
from cifar_pipeline.familiarity import (
    Calibration,
    calibrate,
    read_calibration,
    score_name,
    threshold_at,
    write_calibration,
)
from cifar_pipeline.saved_model import predict_outputs, probe_of
from pictures import noise
from small_models import save_model


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.keras"
    save_model(path)
    return path


def scores(model: Any, images: np.ndarray, batch_size: int) -> np.ndarray:
    return predict_outputs(probe_of(model), images, batch_size).familiarity


def calibration_of(path: Path) -> Calibration:
    return Calibration(
        score="feature_norm",
        threshold=1.5,
        target_false_alarm_rate=0.01,
        validation_images=5,
        false_alarm_rate=0.25,
        test_images=4,
        model_sha256=sha256_of(path),
    )


def test_the_score_is_the_norm_of_the_features(tmp_path: Path) -> None:
    model = save_model(tmp_path / "model.keras")
    images = np.stack([noise(seed=seed) for seed in range(5)])
    # The features of the small model are its images' mean colours, from 0 to 1.
    expected = np.linalg.norm(images.mean(axis=(1, 2)) / 255, axis=1)
    for batch_size in (2, 5):
        np.testing.assert_allclose(scores(model, images, batch_size), expected, rtol=1e-5)
    assert score_name(model) == "feature_norm"


def test_a_model_without_features_is_scored_by_its_entropy(tmp_path: Path) -> None:
    model = save_model(tmp_path / "model.keras", features="other")
    images = np.stack([noise(seed=seed) for seed in range(3)])
    probabilities = model.predict_on_batch(images).astype(np.float64)
    expected = (probabilities * np.log(probabilities)).sum(axis=1)
    np.testing.assert_allclose(scores(model, images, 2), expected, rtol=1e-5)
    assert score_name(model) == "negative_entropy"


def test_a_certain_model_is_no_error(tmp_path: Path) -> None:
    model = save_model(tmp_path / "model.keras", features="other", bias=500.0)
    assert scores(model, noise()[None], 1).tolist() == [0.0]


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.0, 0.0), (0.01, 1.0), (0.05, 5.0), (0.055, 5.0), (0.99, 99.0)]
)
def test_the_threshold_keeps_the_rate(rate: float, expected: float) -> None:
    scores = np.random.default_rng(1).permutation(100).astype(float)
    assert threshold_at(scores, rate) == expected
    assert np.mean(scores < expected) <= rate


def test_equal_scores_are_no_false_alarms() -> None:
    assert np.mean(np.ones(100) < threshold_at(np.ones(100), 0.5)) == 0


def test_the_threshold_is_the_validation_images_and_its_cost_the_test_images(
    model_path: Path,
) -> None:
    validation = np.arange(1000.0)
    calibration = calibrate(
        model_path, "feature_norm", validation, np.array([3.0, 9.0, 10.0, 2000.0])
    )
    assert calibration.threshold == 10.0
    assert calibration.false_alarm_rate == 0.5
    assert (calibration.validation_images, calibration.test_images) == (1000, 4)
    assert calibration.model_sha256 == sha256_of(model_path)
    other = calibrate(model_path, "feature_norm", validation, np.zeros(7))
    assert other.threshold == calibration.threshold
    assert other.false_alarm_rate == 1.0


def test_the_file_comes_back(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "reports/familiarity.json"
    write_calibration(path, calibration_of(model_path))
    assert read_calibration(path, model_path, "feature_norm") == calibration_of(model_path)
    content = path.read_bytes()
    write_calibration(path, calibration_of(model_path))
    assert path.read_bytes() == content
    assert content.endswith(b"}\n")


def test_a_file_that_does_not_belong(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "familiarity.json"

    def refusal(score: str = "feature_norm") -> str:
        with pytest.raises(PipelineError, match="`dvc repro evaluate` writes it") as caught:
            read_calibration(path, model_path, score)
        return str(caught.value)

    assert "is missing" in refusal()
    for content in (b"", b"[]", b"{}", b"\xff", b'{"threshold": NaN}'):
        path.write_bytes(content)
        assert "cannot be read" in refusal()
    calibration = calibration_of(model_path)
    write_calibration(path, calibration.model_copy(update={"threshold": float("inf")}))
    assert "cannot be read" in refusal()
    write_calibration(path, calibration.model_copy(update={"false_alarm_rate": 1.5}))
    assert "cannot be read" in refusal()
    write_calibration(path, calibration.model_copy(update={"model_sha256": "0" * 64}))
    assert "another model" in refusal()
    write_calibration(path, calibration)
    assert "another score than negative_entropy" in refusal("negative_entropy")
