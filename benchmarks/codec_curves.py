"""Rate against quality on CIFAR-10's test images: `python benchmarks/codec_curves.py [OPTIONS]`.

A CSV goes to standard output, with a line for each codec and setting: bits per pixel of the files
and of the payloads alone, PSNR of the mean squared error over all images, the mean of the images'
own PSNRs, SSIM. BD-rates against PCA follow on standard error. PCA is fitted on training images,
and so are its tables. The codec's own files hold all images together, those of other codecs one
image each. A model of the codec is measured too where --model names one.
"""

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from common import PROCESSED  # puts src on the path

from cifar_pipeline.codec.compress import Target, compress
from cifar_pipeline.codec.container import read_container
from cifar_pipeline.codec.decompress import decompress
from cifar_pipeline.codec.distortion import bd_rate, psnr, squared_errors, ssim
from cifar_pipeline.codec.fitting import Layout, fit_tables
from cifar_pipeline.codec.inputs import find_inputs
from cifar_pipeline.codec.model import Model, load_model, save_model
from cifar_pipeline.codec.pca import fit_pca
from cifar_pipeline.codec.reference_codecs import ReferenceCodec, reference_codecs

GRID = 18  # levels whose symbols are looked at
BASELINE = "PCA"


@dataclass
class Point:
    """A codec at one setting, over all images."""

    codec: str
    setting: float
    file_bpp: float
    payload_bpp: float
    psnr: float
    mean_psnr: float
    ssim: float


def point(
    codec: str, setting: float, sizes: tuple[int, int], images: np.ndarray, found: np.ndarray
) -> Point:
    """Return a point from the bytes of files and of payloads, and two arrays of images."""
    file, payload = (8 * size / images[..., 0].size for size in sizes)
    errors = squared_errors(images, found)
    whole = float(psnr(errors.mean(), images.size))
    mean = float(psnr(errors, images[0].size).mean())
    return Point(codec, setting, file, payload, whole, mean, float(ssim(images, found).mean()))


def of_reference(name: str, codec: ReferenceCodec, images: np.ndarray) -> Iterator[Point]:
    """Yield the points of a codec with a file for each image."""
    for setting in codec.settings:
        files = [codec.encode(image, setting) for image in images]
        sizes = sum(map(len, files)), sum(map(codec.payload, files))
        found = np.stack([codec.decode(content) for content in files])
        yield point(name, setting, sizes, images, found)


def of_model(name: str, model: Model, images: np.ndarray, levels: list[int]) -> Iterator[Point]:
    """Yield the points of a model of the codec, from real files and what they decompress to."""
    for level in levels:
        with TemporaryDirectory() as folder:
            array, file, out = (Path(folder, each) for each in ("images.npy", "file", "out"))
            np.save(array, images)
            started = time.perf_counter()
            compress(find_inputs([str(array)]), file, Target(quality=level), model)
            between = time.perf_counter()
            container = read_container(file)
            decompress(container, model, out)
            ended = time.perf_counter()
            sizes = container.size, container.payload
            yield point(name, level, sizes, images, np.load(out / array.name))
        rates = [len(images) / each for each in (between - started, ended - between)]
        tell(f"{name} {level}: {rates[0]:,.0f} images/s there, {rates[1]:,.0f} back")


def fit_baseline(path: Path, images: np.ndarray, channels: int, tables_of: int) -> None:
    """Write PCA of whole images with its tables, both of training images."""
    pca = fit_pca(images[:-tables_of], 32, channels, coarsest=500, finest=10)
    features = pca.features(images[-tables_of:])
    symbols = (
        (level, pca.symbols(features, np.full(tables_of, level, np.uint8)))
        for level in np.linspace(0, 255, GRID).round().astype(int).tolist()
    )
    save_model(path, pca, fit_tables(symbols, Layout(channels, group=16, has_neighbours=False)))


def tell(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure all codecs, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codecs", nargs="*", help="PCA, JPEG, WebP, ...; default: all")
    parser.add_argument("--images", type=int, default=10_000, help="of the test split")
    parser.add_argument("--training-images", type=int, default=25_000)
    parser.add_argument("--levels", type=int, default=16, help="of quality, evenly spaced")
    parser.add_argument("--components", type=int, default=1536)
    parser.add_argument("--pca", type=Path, help="PCA's model; made where it is missing")
    parser.add_argument("--model", type=Path, help="a model of the codec")
    options = parser.parse_args()
    images = np.load(PROCESSED / "test_images.npy")[: options.images]
    writer = csv.DictWriter(sys.stdout, list(Point.__annotations__), lineterminator="\n")
    writer.writeheader()
    curves: dict[str, list[Point]] = {}

    def measured(points: Iterator[Point]) -> None:
        for each in points:
            curves.setdefault(each.codec, []).append(each)
            writer.writerow(asdict(each))
            sys.stdout.flush()

    levels = np.linspace(0, 255, options.levels).round().astype(int).tolist()
    with TemporaryDirectory() as folder:
        path = options.pca or Path(folder, "pca.npz")
        if options.codecs is None or BASELINE in options.codecs:
            if not path.is_file():
                training = np.load(PROCESSED / "train_images.npy", mmap_mode="r")
                fit_baseline(path, training[: options.training_images], options.components, 5000)
            measured(of_model(BASELINE, load_model(path), images, levels))
    if options.model:
        measured(of_model("ours", load_model(options.model), images, levels))
    for name, codec in reference_codecs().items():
        if options.codecs is None or name in options.codecs:
            measured(of_reference(name, codec, images))
    for name, points in curves.items():
        if name != BASELINE and BASELINE in curves:
            rates, qualities = (
                tuple(
                    np.array([getattr(each, key) for each in curve])
                    for curve in (points, curves[BASELINE])
                )
                for key in ("file_bpp", "psnr")
            )
            rate = bd_rate(rates[0], qualities[0], (rates[1], qualities[1]))
            tell(f"{name}: BD-rate {rate:+.1%} against {BASELINE}, of files")


if __name__ == "__main__":
    main()
