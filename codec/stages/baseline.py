"""Stage `baseline` of the codec: train the autoencoder of 2017 and measure it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from cifar_pipeline.common.environment import require_environment

require_environment()

from typing import Annotated

import typer

from cifar_pipeline.codec.params import BaselinePreset, load_preset
from cifar_pipeline.common.console import command_app, run_program
from cifar_pipeline.trained_model.training_lock import resume_hint, training_lock


def main(
    processed: Annotated[Path, typer.Option(help="Folder of the classifier's arrays.")] = Path(
        "../data/processed"
    ),
    models: Annotated[Path, typer.Option(help="Folder for the autoencoder.")] = Path("models"),
    reports: Annotated[Path, typer.Option(help="Folder for metrics.")] = Path("reports"),
    params: Annotated[Path, typer.Option(help="The file of parameters.")] = Path("params.yaml"),
) -> None:
    """Train the preset that baseline.model names, and write its PSNR on each split."""
    choices, preset = load_preset(params, "baseline", BaselinePreset)
    with training_lock(models):
        from cifar_pipeline.backend.start import start_backend

        start_backend()
        from cifar_pipeline.codec.baseline import train_baseline

        train_baseline(processed, models, reports, preset, choices.seed)


if __name__ == "__main__":
    run_program(command_app(main, again=resume_hint()))
