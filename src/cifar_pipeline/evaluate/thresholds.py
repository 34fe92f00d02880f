"""The operating point of a model: the temperature and the OOD threshold that `predict` uses."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, ValidationError

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.outputs import ScoreName

DIGITS = 6
TARGET_FALSE_ALARM_RATE = 0.01
Rate = Annotated[float, Field(ge=0, le=1)]


class OperatingPoint(BaseModel):
    """A model's temperature, the threshold of its OOD scores, and the threshold's false alarms.

    Logits are divided by `temperature`. An image with a score below `threshold` counts as
    out-of-distribution (OOD). Both were chosen on validation images; `false_alarm_rate` is the
    fraction of the test images below the threshold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: Annotated[FiniteFloat, Field(gt=0)]
    score: ScoreName
    threshold: FiniteFloat
    target_false_alarm_rate: Rate
    validation_images: PositiveInt
    false_alarm_rate: Rate
    test_images: PositiveInt
    model_sha256: str


def threshold_at(
    validation_scores: np.ndarray, false_alarm_rate: float = TARGET_FALSE_ALARM_RATE
) -> float:
    """Return the highest threshold that has at most `false_alarm_rate` of the scores below it.

    Args:
        validation_scores: float (N,), N at least 1, of images that the model should know.
        false_alarm_rate: from 0 to less than 1.
    """
    allowed = int(false_alarm_rate * len(validation_scores))
    return float(np.sort(validation_scores)[allowed])


def choose_operating_point(
    model_path: Path,
    temperature: float,
    score: ScoreName,
    validation: np.ndarray,
    test: np.ndarray,
) -> OperatingPoint:
    """Choose the threshold by the validation images and measure its cost on the test images.

    Args:
        model_path: the model's file.
        temperature: fitted on the validation images.
        score: what its scores are.
        validation: scores of the validation images, float (N,).
        test: scores of the test images, float (N,); they choose nothing.
    """
    threshold = round(threshold_at(validation), DIGITS)
    return OperatingPoint(
        temperature=round(temperature, DIGITS),
        score=score,
        threshold=threshold,
        target_false_alarm_rate=TARGET_FALSE_ALARM_RATE,
        validation_images=len(validation),
        false_alarm_rate=round(float(np.mean(test < threshold)), DIGITS),
        test_images=len(test),
        model_sha256=sha256_of(model_path),
    )


def write_operating_point(path: Path, operating_point: OperatingPoint) -> None:
    """Write reports/chosen.json."""
    with replacing(path) as temporary:
        content = json.dumps(operating_point.model_dump(), indent=2) + "\n"
        temporary.write_text(content, encoding="utf-8", newline="\n")


def read_operating_point(path: Path, model_path: Path, score_name: str) -> OperatingPoint:
    """Return what the file at `path` says, which has to be of the model at `model_path`.

    Raises:
        PipelineError: it is missing, cannot be read, or belongs to another model or score.
    """
    remedy = "`dvc repro evaluate` writes it"
    try:
        operating_point = OperatingPoint.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise PipelineError(f"{path} is missing; {remedy}") from None
    except (OSError, ValidationError):
        raise PipelineError(f"{path} cannot be read; {remedy} again") from None
    if operating_point.model_sha256 != sha256_of(model_path):
        raise PipelineError(f"{path} belongs to another model than {model_path}; {remedy} again")
    if operating_point.score != score_name:
        raise PipelineError(f"{path} is for another score than {score_name}; {remedy} again")
    return operating_point
