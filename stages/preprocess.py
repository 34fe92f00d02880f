"""Stage `preprocess`: the official batches become train, validation and test arrays."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from cifar_pipeline.common.environment import require_environment

require_environment()

from typing import Annotated

import typer

from cifar_pipeline.common.console import command_app, run_program, say
from cifar_pipeline.params.loading import load_section
from cifar_pipeline.params.preprocess import PreprocessParams


def main(
    raw: Annotated[Path, typer.Option(help="Folder of the six batch files.")] = Path("data/raw"),
    processed: Annotated[Path, typer.Option(help="Folder for the arrays.")] = Path(
        "data/processed"
    ),
    params: Annotated[Path, typer.Option(help="The file of parameters.")] = Path("params.yaml"),
) -> None:
    """Hold validation images out of the training set and write all arrays as .npy files."""
    choices = load_section(params, PreprocessParams, "preprocess")
    from cifar_pipeline.preprocess.stage import preprocess

    sizes = preprocess(raw, processed, choices)
    say(", ".join(f"{split}: {size:,} images" for split, size in sizes.items()))


if __name__ == "__main__":
    run_program(command_app(main))
