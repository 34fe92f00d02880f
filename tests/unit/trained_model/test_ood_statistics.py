"""The out-of-distribution score of an image, and what of the training images it needs."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.keras_file import load_saved_model
from cifar_pipeline.trained_model.ood_statistics import (
    OodStatistics,
    load_ood_statistics,
)
from cifar_pipeline.trained_model.outputs import (
    FeatureExtractor,
    feature_extractor,
    fit_ood_statistics,
    predict_outputs,
)
from pictures import noise
from small_models import TRAINING_IMAGES, save_model


def probe_at(path: Path) -> FeatureExtractor:
    return feature_extractor(load_saved_model(path), load_ood_statistics(path))


def test_the_score_is_the_norm_of_the_features_and_the_distance_of_the_channels(
    model_path: Path,
) -> None:
    def mean_colours(images: np.ndarray) -> np.ndarray:
        """Return what this model's features are, and its layer's channel means."""
        return images.mean(axis=(1, 2)) / 255

    known = mean_colours(TRAINING_IMAGES)
    covariance = np.cov(known.T, bias=True)
    inverse = np.linalg.inv(covariance + 1e-3 * np.trace(covariance) / 3 * np.eye(3))

    def parts(colours: np.ndarray) -> np.ndarray:
        far = colours - known.mean(axis=0)
        distances = np.sqrt(np.einsum("ni,ij,nj->n", far, inverse, far))
        return np.stack([np.log(np.linalg.norm(colours, axis=1)), -np.log(distances)])

    of_known = parts(known)
    images = np.stack([*(noise(seed=seed) for seed in range(4)), np.full((32, 32, 3), 9, "uint8")])
    raw = parts(mean_colours(images))
    expected = ((raw - of_known.mean(1, keepdims=True)) / of_known.std(1, keepdims=True)).sum(0)
    extractor = probe_at(model_path)
    assert extractor.score_name == "norm_and_distance"
    for batch_size in (2, 5):
        found = predict_outputs(extractor, images, batch_size).ood_scores
        np.testing.assert_allclose(found, expected, rtol=1e-2)
    assert found[:4].min() > found[4] + 10


def test_the_statistics_come_back_from_the_archive(model_path: Path) -> None:
    statistics = load_ood_statistics(model_path)
    assert statistics
    model = load_saved_model(model_path)
    _, again = fit_ood_statistics(model, "scaled", TRAINING_IMAGES, len(TRAINING_IMAGES))
    assert again.entry() == statistics.entry()


def test_a_model_of_before_0_2_has_them_under_another_name(
    model_path: Path, tmp_path: Path
) -> None:
    former = tmp_path / "model.keras"
    with zipfile.ZipFile(model_path) as source, zipfile.ZipFile(former, "w") as target:
        for name in source.namelist():
            renamed = name.replace("ood_statistics.npz", "familiarity.npz")
            target.writestr(renamed, source.read(name))
    statistics, expected = load_ood_statistics(former), load_ood_statistics(model_path)
    assert statistics
    assert expected
    assert statistics.entry() == expected.entry()


def test_images_without_any_difference_are_no_error() -> None:
    same = OodStatistics.of("flat", np.ones(4, "float32"), np.ones((4, 2), "float32"))
    assert np.isfinite(same.score(np.zeros(3), np.full((3, 2), 2.0))).all()


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive"])
def test_damaged_statistics_are_one_line(model_path: Path, tmp_path: Path, content: bytes) -> None:
    damaged = tmp_path / "model.keras"
    with zipfile.ZipFile(model_path) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            target.writestr(name, content if name == "ood_statistics.npz" else source.read(name))
    with pytest.raises(PipelineError, match="cannot be loaded"):
        load_ood_statistics(damaged)


def test_a_model_without_statistics_is_scored_by_its_entropy(tmp_path: Path) -> None:
    model = save_model(tmp_path / "model.keras", features="other")
    images = np.stack([noise(seed=seed) for seed in range(3)])
    probabilities = model.predict_on_batch(images).astype(np.float64)
    expected = (probabilities * np.log(probabilities)).sum(axis=1)
    extractor = probe_at(tmp_path / "model.keras")
    assert extractor.score_name == "negative_entropy"
    outputs = predict_outputs(extractor, images, 2)
    np.testing.assert_allclose(outputs.ood_scores, expected, rtol=1e-5)
    np.testing.assert_allclose(outputs.logits, np.log(probabilities), rtol=1e-5)


def test_a_certain_model_is_no_error(tmp_path: Path) -> None:
    save_model(tmp_path / "model.keras", features="other", bias=500.0)
    outputs = predict_outputs(probe_at(tmp_path / "model.keras"), noise()[None], 1)
    assert outputs.ood_scores.tolist() == [0.0]
