"""Stage `evaluate`: the saved model meets the test split; metrics, errors and predictions."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from cifar_pipeline.common.environment import require_environment

require_environment()

from typing import Annotated

import typer

from cifar_pipeline.common.console import command_app, run_program
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.params.loading import load_section
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.params.train import load_training
from cifar_pipeline.trained_model.training_lock import remove_checkpoint


def main(
    model: Annotated[Path, typer.Option(help="The trained model.")] = Path("models/model.keras"),
    processed: Annotated[Path, typer.Option(help="Folder of the arrays.")] = Path("data/processed"),
    reports: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("reports"),
    params: Annotated[Path, typer.Option(help="The file of parameters.")] = Path("params.yaml"),
) -> None:
    """Score the trained model on the test images and show which classes it takes for which."""
    choices = load_section(params, EvaluateParams, "evaluate")
    training = load_training(params)
    used = {
        "preprocess": load_section(params, PreprocessParams, "preprocess"),
        "train": training.choices,
        "evaluate": choices,
        f"models.{training.choices.model}": training.model,
    }
    remove_checkpoint(model.parent)
    # It would tell of its cache where that cannot be written.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from cifar_pipeline.evaluate.stage import evaluate

    evaluate(model, processed, reports, choices, used)


if __name__ == "__main__":
    run_program(command_app(main))
