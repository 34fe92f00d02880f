"""The commands `compress`, `decompress` and `inspect`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import ParamsError

if TYPE_CHECKING:
    from cifar_pipeline.codec.compress import Summary, Target

# NumPy and Pillow are imported inside of the commands: they would hold up --help.


def compress(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help=".npy files of images, uint8 (number, height, width, 3); picture files, patterns "
            "such as 'photos/**/*.jpg', or folders of pictures.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    quality: Annotated[
        int | None, typer.Option(min=0, max=255, help="From 0 (smallest) to 255 (best).")
    ] = None,
    target_bpp: Annotated[
        float | None, typer.Option(min=0, help="Bits per pixel that each image is to take.")
    ] = None,
    target_psnr: Annotated[
        float | None, typer.Option(min=0, help="PSNR in dB that each image is to have.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="The codec's model. Default: codec/models/model.npz.", show_default=False
        ),
    ] = None,
) -> None:
    """Compress images with a loss, into one file.

    Choose one of --quality, --target-bpp and --target-psnr. The last two find the quality of each
    image that comes nearest.
    """
    target = _target(quality, target_bpp, target_psnr)
    from cifar_pipeline.codec.compress import compress as run
    from cifar_pipeline.codec.entropy_coder import require_coder
    from cifar_pipeline.codec.inputs import find_inputs
    from cifar_pipeline.codec.model import FOLDER, PRESENT, load_model
    from cifar_pipeline.images.reading import progress_bar

    require_coder()
    found = find_inputs(inputs)
    loaded = load_model(model or FOLDER / PRESENT)
    total = sum(each.source.images for each in found)
    with progress_bar("compressing images", total) as advance:
        summary = run(found, output, target, loaded, advance)
    for line in _lines(summary, output, target):
        say(line)


def _target(quality: int | None, bpp: float | None, psnr: float | None) -> "Target":
    """Return the one that was chosen.

    Raises:
        ParamsError: none or several were.
    """
    if sum(each is not None for each in (quality, bpp, psnr)) != 1:
        raise ParamsError("choose one of --quality, --target-bpp and --target-psnr")
    from cifar_pipeline.codec.compress import Target

    return Target(quality=quality, bits_per_pixel=bpp, psnr=psnr)


def _lines(summary: "Summary", output: Path, target: "Target") -> list[str]:
    pixels = sum(summary.pixels)
    images = len(summary.pixels)
    lines = [
        f"{output}: {images:,} images, {summary.size:,} bytes, {summary.bits_per_pixel:.4f} bits "
        f"per pixel (payload {8 * summary.payload / pixels:.4f}, estimated "
        f"{summary.estimate / pixels:.4f})",
        f"PSNR {summary.psnr:.2f} dB (mean of the images' own {summary.psnrs.mean():.2f} dB), "
        f"quality {min(summary.levels)} to {max(summary.levels)}",
    ]
    if target.bits_per_pixel is not None:
        misses = abs(summary.rates / target.bits_per_pixel - 1)
        near, mean = (misses <= 0.02).sum(), f"{summary.rates.mean():.4f} bits per pixel"
        lines.append(
            f"mean of the images: {mean}; {near:,} of {images:,} are within 2 % of the target"
        )
    if target.psnr is not None:
        near = (abs(summary.psnrs - target.psnr) <= 0.1).sum()
        mean = f"{summary.psnrs.mean():.3f} dB"
        lines.append(
            f"mean of the images: {mean}; {near:,} of {images:,} are within 0.1 dB of the target"
        )
    return lines


def decompress(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `compress`.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write, new or empty.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            help="The model that the file names by its SHA-256, or a folder that holds it. "
            "Default: codec/models.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the images of a compressed file: arrays as .npy files, pictures as PNG files."""
    from cifar_pipeline.codec.container import read_container
    from cifar_pipeline.codec.decompress import decompress as run
    from cifar_pipeline.codec.decompress import require_free
    from cifar_pipeline.codec.entropy_coder import require_coder
    from cifar_pipeline.codec.model import find_model, load_model
    from cifar_pipeline.images.reading import progress_bar

    require_coder()
    require_free(output)
    container = read_container(file)
    loaded = load_model(find_model(container.digest, model))
    with progress_bar("decompressing images", container.images) as advance:
        run(container, loaded, output, advance)
    say(f"{output}: {container.images:,} images")


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `compress`.")],
) -> None:
    """Say what a compressed file holds, and whether it is intact."""
    from cifar_pipeline.codec.inspection import describe

    for line in describe(file):
        print(line)
