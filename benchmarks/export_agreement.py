"""How far each export's probabilities lie from Keras' own, on validation images.

    python benchmarks/export_agreement.py [--model models/model.keras] [--processed data/processed]

Exports the model into a folder that is removed again, runs every format in its own runtime with
that runtime's own choice of threads, and Keras beside them. A format's time is the least of
`PASSES` passes over all the images in batches.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from common import PROCESSED, ROOT

PASSES = 5


def answers_and_milliseconds(
    run: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray, batch_size: int
) -> tuple[np.ndarray, float]:
    """Return the probabilities (N, classes) of `pixels`, and the milliseconds for an image."""
    batches = np.split(pixels, range(batch_size, len(pixels), batch_size))
    seconds = []
    for _ in range(1 + PASSES):  # the first allocates
        started = time.perf_counter()
        answers = [run(batch) for batch in batches]
        seconds.append(time.perf_counter() - started)
    return np.concatenate(answers), 1000 * min(seconds[1:]) / len(pixels)


def main(
    model: Annotated[Path, typer.Option(help="The model to export.")] = ROOT / "models/model.keras",
    processed: Annotated[Path, typer.Option(help="Folder of the arrays.")] = PROCESSED,
    images: Annotated[int, typer.Option(help="How many validation images.", min=1)] = 1000,
    batch_size: Annotated[int, typer.Option(help="Images in one call.", min=1)] = 100,
) -> None:
    """Compare the exports of a model with Keras, and print JSON."""
    from cifar_pipeline.backend.start import start_backend

    start_backend()
    from cifar_pipeline.backend.device import processor_name
    from cifar_pipeline.dataset.arrays import load_split
    from cifar_pipeline.export.command import export
    from cifar_pipeline.export.formats.base import megabytes
    from cifar_pipeline.export.formats.registry import FORMATS
    from cifar_pipeline.trained_model.keras_file import load_saved_model

    pixels, labels = (part[:images] for part in load_split(processed, "validation"))
    pixels = pixels.astype(np.float32)
    result: dict[str, Any] = {
        "model": str(model),
        "processor": processor_name(),
        "images": len(pixels),
        "batch_size": batch_size,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(list(FORMATS), model, folder)
        network = load_saved_model(model)
        expected, milliseconds = answers_and_milliseconds(
            network.predict_on_batch, pixels, batch_size
        )
        result["keras"] = {
            "accuracy": round(float(np.mean(expected.argmax(axis=1) == labels)), 4),
            "megabytes": round(megabytes(model), 2),
            "milliseconds_an_image": round(milliseconds, 3),
        }
        for key, export_format in FORMATS.items():
            path = folder / export_format.path
            runner = export_format.load(path, network)
            answers, milliseconds = answers_and_milliseconds(runner.run, pixels, batch_size)
            result[key] = {
                "runtime": runner.runtime,
                "top1_agreement": float(np.mean(answers.argmax(axis=1) == expected.argmax(axis=1))),
                "largest_difference": float(f"{np.abs(answers - expected).max():.2g}"),
                "megabytes": round(megabytes(path), 2),
                "milliseconds_an_image": round(milliseconds, 3),
            }
    print(json.dumps(result))


if __name__ == "__main__":
    typer.run(main)
