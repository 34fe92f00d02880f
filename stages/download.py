"""Stage `download`: the six official CIFAR-10 files, whoever serves them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from cifar_pipeline.common.environment import require_environment

require_environment()

from typing import Annotated

import typer

from cifar_pipeline.common.console import command_app, run_program
from cifar_pipeline.params.download import DownloadParams
from cifar_pipeline.params.loading import load_section


def main(
    raw: Annotated[Path, typer.Option(help="Folder for the batch files.")] = Path("data/raw"),
    params: Annotated[Path, typer.Option(help="The file of parameters.")] = Path("params.yaml"),
) -> None:
    """Fetch CIFAR-10 from the first source that answers and verify every file by SHA-256."""
    choices = load_section(params, DownloadParams, "download")
    from cifar_pipeline.download.stage import download

    download(raw, choices)


if __name__ == "__main__":
    run_program(command_app(main))
