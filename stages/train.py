"""Stage `train`: fit the chosen preset and save it as a model that plain Keras loads."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from cifar_pipeline.common.environment import require_environment

require_environment()

from typing import Annotated

import typer

from cifar_pipeline.common.console import command_app, run_program
from cifar_pipeline.params.train import load_training
from cifar_pipeline.trained_model.training_lock import resume_hint, training_lock


def main(
    processed: Annotated[Path, typer.Option(help="Folder of the arrays.")] = Path("data/processed"),
    models: Annotated[Path, typer.Option(help="Folder for model.keras.")] = Path("models"),
    reports: Annotated[Path, typer.Option(help="Folder for history and metrics.")] = Path(
        "reports"
    ),
    params: Annotated[Path, typer.Option(help="The file of parameters.")] = Path("params.yaml"),
) -> None:
    """Train the preset that train.model names, with early stopping on the validation loss."""
    choices, model = load_training(params)
    with training_lock(models):
        from cifar_pipeline.backend.start import start_backend

        start_backend()
        from cifar_pipeline.train.stage import train

        train(processed, models, reports, model, choices.seed, choices.model)


if __name__ == "__main__":
    run_program(command_app(main, again=resume_hint()))
