"""The console command `predict`: which of its classes a trained model sees in picture files."""

import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from cifar_pipeline.errors import ParamsError
from cifar_pipeline.picture_files import Fit, PictureError, expand


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Picture files of any kind and size, patterns such as 'photos/**/*.jpg', or "
            "folders, which stand for the pictures in them and in their subfolders.",
        ),
    ],
    model: Annotated[Path, typer.Option(help="The trained model.")] = Path("models/model.keras"),
    familiarity: Annotated[
        Path, typer.Option(help="What evaluate found of the pictures the model knows.")
    ] = Path("reports/familiarity.json"),
    top: Annotated[int, typer.Option(min=1, help="How many classes to show.")] = 3,
    fit: Annotated[
        Fit,
        typer.Option(
            help="A picture that is not square loses its ends, gets white added, or is distorted."
        ),
    ] = "crop",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, not a table.")] = False,
) -> None:
    """Show the likeliest classes of pictures, and warn of pictures unlike any the model knows.

    Results go to standard output, errors to standard error. A picture that cannot
    be read does not stop the others; the exit code is then 1.
    """
    if as_json and as_csv:
        raise ParamsError("--json and --csv exclude each other; choose one of them")
    # Imported late: NumPy and Pillow would hold up --help.
    from cifar_pipeline.prediction import Prediction, predict_files
    from cifar_pipeline.prediction_output import print_csv, print_json, print_table

    failed = False

    def watched() -> Iterator[Prediction | PictureError]:
        nonlocal failed
        for outcome in predict_files(expand(images), model, familiarity, fit, top):
            failed = failed or isinstance(outcome, PictureError)
            yield outcome

    # A name may have characters that the terminal's or the log's encoding lacks.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if as_json:
        print_json(watched())
    elif as_csv:
        print_csv(watched(), top)
    else:
        print_table(watched())
    if failed:
        raise typer.Exit(1)
