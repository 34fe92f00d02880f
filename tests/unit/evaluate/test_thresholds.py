"""The operating point: a threshold for out-of-distribution scores, and its file."""

from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.evaluate.thresholds import (
    OperatingPoint,
    choose_operating_point,
    read_operating_point,
    threshold_at,
    write_operating_point,
)


def chosen_for(path: Path) -> OperatingPoint:
    return OperatingPoint(
        temperature=0.8,
        score="norm_and_distance",
        threshold=1.5,
        target_false_alarm_rate=0.01,
        validation_images=5,
        false_alarm_rate=0.25,
        test_images=4,
        model_sha256=sha256_of(path),
    )


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
    test = np.array([3.0, 9.0, 10.0, 2000.0])
    chosen = choose_operating_point(model_path, 0.8, "norm_and_distance", validation, test)
    assert chosen.threshold == 10.0
    assert chosen.false_alarm_rate == 0.5
    assert (chosen.validation_images, chosen.test_images) == (1000, 4)
    assert chosen.model_sha256 == sha256_of(model_path)
    other = choose_operating_point(model_path, 0.8, "norm_and_distance", validation, np.zeros(7))
    assert other.threshold == chosen.threshold
    assert other.false_alarm_rate == 1.0


def test_the_file_comes_back(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "reports/chosen.json"
    write_operating_point(path, chosen_for(model_path))
    assert read_operating_point(path, model_path, "norm_and_distance") == chosen_for(model_path)
    content = path.read_bytes()
    write_operating_point(path, chosen_for(model_path))
    assert path.read_bytes() == content
    assert content.endswith(b"}\n")


def test_a_file_that_does_not_belong(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "chosen.json"

    def refusal(score: str = "norm_and_distance") -> str:
        with pytest.raises(PipelineError, match="`dvc repro evaluate` writes it") as caught:
            read_operating_point(path, model_path, score)
        return str(caught.value)

    assert "is missing" in refusal()
    for content in (b"", b"[]", b"{}", b"\xff", b'{"threshold": NaN}'):
        path.write_bytes(content)
        assert "cannot be read" in refusal()
    chosen = chosen_for(model_path)
    write_operating_point(path, chosen.model_copy(update={"threshold": float("inf")}))
    assert "cannot be read" in refusal()
    write_operating_point(path, chosen.model_copy(update={"false_alarm_rate": 1.5}))
    assert "cannot be read" in refusal()
    write_operating_point(path, chosen.model_copy(update={"model_sha256": "0" * 64}))
    assert "another model" in refusal()
    write_operating_point(path, chosen)
    assert "another score than negative_entropy" in refusal("negative_entropy")
