"""The console command `adopt`: the pipeline turns to a folder of the user's own pictures."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.decoding import Fit


def adopt(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            help="A folder of pictures: train/CLASS/ (perhaps with val/CLASS/ and test/CLASS/), "
            "class folders alone, or one .csv with the columns file and label.",
            show_default=False,
        ),
    ] = None,
    cifar10: Annotated[
        bool, typer.Option("--cifar10", help="The way back: params.yaml as it was, for CIFAR-10.")
    ] = False,
    params: Annotated[
        Path, typer.Option(help="The file of parameters, in the project's root.")
    ] = Path("params.yaml"),
    image_size: Annotated[
        int | None,
        typer.Option(help="Pixels a side, 32 to 128. Default: 32 or 64, by the pictures."),
    ] = None,
    fit: Annotated[
        Fit | None, typer.Option(help="What becomes of pictures that are not square.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A preset. Default: `fast`, or its like for large images.")
    ] = None,
    validation_images: Annotated[
        str | None, typer.Option(help="Held out of training: a number or a share. Default: 0.1.")
    ] = None,
    test_images: Annotated[
        str | None, typer.Option(help="Split off where no test part is: likewise. Default: 0.2.")
    ] = None,
    flip: Annotated[
        Literal["none", "keep"] | None,
        typer.Option(help="Show mirrored images never, or as the preset does. Default: by a test."),
    ] = None,
    broken_images: Annotated[
        Literal["stop", "leave_out"] | None,
        typer.Option(help="Files that are no pictures stop `make repro`, or are left out."),
    ] = None,
) -> None:
    """Look at every picture of a folder and write into params.yaml what the pipeline needs of it.

    The next step is `make repro`. Called again, it tells what has changed in the folder.
    """
    if (folder is None) != cifar10:
        raise ParamsError("expected a folder of pictures, or --cifar10, the way back; not both")
    # Imported late: NumPy and Pillow would hold up --help.
    from cifar_pipeline.adopt.adoption import adopt_folder
    from cifar_pipeline.adopt.choices import Options
    from cifar_pipeline.adopt.way_back import return_to_cifar10

    options = Options(
        image_size=image_size,
        fit=fit,
        model=model,
        validation_images=_number_or_share(validation_images, "--validation-images"),
        test_images=_number_or_share(test_images, "--test-images"),
        flip=flip,
        broken_images=broken_images,
    )
    if folder is None:
        if options != Options():
            raise ParamsError("--cifar10 takes no other option but --params")
        return_to_cifar10(params)
    else:
        adopt_folder(folder, params, options)


def _number_or_share(text: str | None, option: str) -> int | float | None:
    """Return the number that an option gives. params.yaml's schema knows its limits."""
    if text is None:
        return None
    try:
        return int(text) if text.removeprefix("-").isdecimal() else float(text)
    except ValueError:
        raise ParamsError(
            f"{option}: expected a number of images or a share such as 0.1, got {text!r}"
        ) from None
