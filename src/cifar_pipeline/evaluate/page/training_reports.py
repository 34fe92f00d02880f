"""What train reports of itself, history.csv and train_metrics.json, as the page reads it."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import place_of, reason_of, refusal

_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


class _Accuracy(BaseModel):
    accuracy: float


class _Metrics(BaseModel):
    """What page and card show of train_metrics.json; it holds more."""

    epochs: int
    best_epoch: int
    stopped_early: bool
    precision: str
    train: _Accuracy
    validation: _Accuracy


def read_training_reports(reports: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return history.csv, and what train_metrics.json holds.

    Raises:
        PipelineError: one is missing or damaged.
    """
    path = reports / "history.csv"
    try:
        history = pd.read_csv(path)
        for column in _COLUMNS:
            if not pd.api.types.is_numeric_dtype(history[column]):
                raise ValueError(f"{column} is no column of numbers")
        path = reports / "train_metrics.json"
        training = json.loads(path.read_text(encoding="utf-8"))
        _Metrics.model_validate(training)
    except OSError as error:
        place = place_of(error) or path
        line = refusal(error, place, "read", otherwise="run `dvc repro train`")
        raise PipelineError(line) from None
    except Exception as error:  # which one depends on what is damaged
        raise PipelineError(
            f"{path} is damaged ({reason_of(error)}); `git restore {reports}` brings the committed "
            "one back"
        ) from None
    return history, training
