"""The operating point of a model: the temperature and the OOD threshold that `predict` uses.

evaluate chooses it and writes it to reports/chosen.json.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, ValidationError

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.trained_model.outputs import ScoreName

DIGITS = 6
TARGET_FALSE_ALARM_RATE = 0.01
Rate = Annotated[float, Field(ge=0, le=1)]


class OperatingPoint(BaseModel):
    """The temperature and the OOD threshold of a model, and how often the threshold errs.

    Attributes:
        temperature: the number by which `predict` divides the logits, fitted on validation images.
        score: which OOD score the threshold is for.
        threshold: an image with a lower score counts as out-of-distribution (OOD).
        target_false_alarm_rate: the greatest fraction of the validation images below the threshold;
            the threshold was chosen so.
        validation_images: the number of validation images.
        false_alarm_rate: the fraction of the test images below the threshold: its false positive
            rate, for all test images are in distribution.
        test_images: the number of test images.
        model_sha256: the SHA-256 of the model's file.
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
    """Return the highest threshold with at most the given fraction of the scores below it.

    Args:
        validation_scores: OOD scores of in-distribution images, float (N,), N at least 1.
        false_alarm_rate: the fraction, from 0 to less than 1.
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
    """Choose the OOD threshold on validation images and measure its false alarms on test images.

    Args:
        model_path: the model's file.
        temperature: the temperature that was fitted on the validation images.
        score: which OOD score the two arrays hold.
        validation: OOD scores of the validation images, float (N,).
        test: OOD scores of the test images, float (M,); the threshold does not depend on them.
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
    """Read reports/chosen.json and check that it belongs to the model.

    Args:
        path: the file.
        model_path: the model's file.
        score_name: the OOD score of the model.

    Raises:
        PipelineError: the file is missing, cannot be read, or belongs to another model or score.
    """
    remedy = "`dvc repro evaluate` writes it"
    try:
        operating_point = OperatingPoint.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise PipelineError(f"{path} is missing; {remedy}") from None
    except OSError as error:
        raise PipelineError(refusal(error, path, "read")) from None
    except ValidationError:
        raise PipelineError(f"{path} cannot be read; {remedy} again") from None
    if operating_point.model_sha256 != sha256_of(model_path):
        raise PipelineError(f"{path} belongs to another model than {model_path}; {remedy} again")
    if operating_point.score != score_name:
        raise PipelineError(f"{path} is for another score than {score_name}; {remedy} again")
    return operating_point
