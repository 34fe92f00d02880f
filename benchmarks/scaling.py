"""Seconds an epoch and peak memory of a preset at 5,000, 15,000 and 45,000 images.

    python benchmarks/scaling.py [--preset fast]

Each size is a process of its own. Memory may grow by the uint8 arrays themselves and a quarter.
"""

import json
import sys
from typing import Annotated

import typer
from common import PROCESSED, ROOT, for_epochs, in_a_process, peak_gigabytes

SIZES = (5_000, 15_000, 45_000)
IMAGE_GIGABYTES = 32 * 32 * 3 / 1e9
EPOCHS = 2  # the first one traces the graph and is left out


def train_once(preset: str, number: int) -> dict[str, float]:
    """Train on the first `number` images; return seconds of an epoch and peak memory."""
    from cifar_pipeline.backend.start import start_backend

    start_backend()
    from cifar_pipeline.backend.device import resolve_precision
    from cifar_pipeline.dataset.arrays import load_split
    from cifar_pipeline.dataset.channel_statistics import load_statistics
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.loop import Split, fit

    params = load_model(ROOT / "params.yaml", preset)
    params = for_epochs(params, EPOCHS)
    images, labels = load_split(PROCESSED, "train")
    train = Split(images[:number].copy(), labels[:number].copy())
    few = Split(images[:500].copy(), labels[:500].copy())
    del images, labels
    precision = resolve_precision(params.precision)
    run = fit(params, 1, precision, train, few, load_statistics(PROCESSED))
    return {
        "images": number,
        "epoch_seconds": run.seconds[-1],
        "peak_gigabytes": round(peak_gigabytes(), 3),
    }


def main(
    preset: Annotated[str, typer.Option(help="A preset of params.yaml.")] = "fast",
    one: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Train on three sizes and say whether time and memory grow straight."""
    if one:
        print(json.dumps(train_once(preset, one)))
        return
    rows = []
    for size in SIZES:
        row = in_a_process(__file__, "--preset", preset, "--one", str(size))
        row["seconds_per_1000_images"] = round(1000 * row["epoch_seconds"] / size, 3)
        first = rows[0] if rows else row
        arrays = (size - first["images"]) * IMAGE_GIGABYTES
        row["gigabytes_allowed"] = round(1.25 * first["peak_gigabytes"] + arrays, 3)
        print(json.dumps(row), flush=True)
        rows.append(row)
    over = [row["images"] for row in rows if row["peak_gigabytes"] > row["gigabytes_allowed"]]
    if over:
        sys.exit(f"more memory than allowed at {over} images")
    print(json.dumps({"preset": preset, "rows": rows}))


if __name__ == "__main__":
    typer.run(main)
