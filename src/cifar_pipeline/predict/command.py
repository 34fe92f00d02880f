"""The console command `predict`: which of its classes a trained model sees in picture files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.common.streams import standard_output
from cifar_pipeline.dataset.decoding import Fit
from cifar_pipeline.images.paths import PictureError, expand


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
    operating_point: Annotated[
        Path,
        typer.Option(
            "--operating-point",
            "--chosen",
            help="The temperature and the OOD threshold that evaluate chose by validation images.",
        ),
    ] = Path("reports/chosen.json"),
    top: Annotated[
        int, typer.Option(min=1, help="How many classes to show; all if the model has fewer.")
    ] = 3,
    fit: Annotated[
        Fit | None,
        typer.Option(
            help="A picture that is not square loses its ends, gets white added, or is distorted. "
            "Default: as the model's training images; crop where it had no pictures.",
            show_default=False,
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Show the model's own probabilities, not temperature-scaled."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, not a table.")] = False,
) -> None:
    """Show the likeliest classes of pictures, and warn of pictures that are out of distribution.

    Results go to standard output, errors to standard error. A picture that cannot
    be read does not stop the others; the exit code is then 1.
    """
    if as_json and as_csv:
        raise ParamsError("--json and --csv exclude each other; choose one of them")
    if stream := standard_output():
        stream.require()  # not found out when all is predicted
    # Imported late: NumPy and Pillow would hold up --help.
    from cifar_pipeline.predict.output import print_csv, print_json, print_table
    from cifar_pipeline.predict.predictor import Prediction, Predictor, predict_files

    # First of all: without a model nothing can be said of any picture.
    predictor = Predictor(model, operating_point, raw)
    failed = False

    def watched() -> Iterator[Prediction | PictureError]:
        nonlocal failed
        for outcome in predict_files(expand(images), predictor, fit, top):
            failed = failed or isinstance(outcome, PictureError)
            yield outcome

    if as_json:
        print_json(watched())
    elif as_csv:
        print_csv(watched(), min(top, predictor.classes))
    else:
        print_table(watched())
    if failed:
        raise typer.Exit(1)
