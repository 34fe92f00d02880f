"""Digests of what a run computes, to show that a change of code moved no bit.

    python benchmarks/bits.py > before.txt    # where `make repro` has been
    python benchmarks/bits.py > after.txt     # with the change, on the same machine
    diff before.txt after.txt                 # prints nothing where no bit has moved

The digests are of every preset's weights after three short epochs on Keras' present backend
(KERAS_BACKEND), of each file in data/processed, and of each column of reports/predictions.csv.
The numbers of reports/test_metrics.json are printed as they are. Names of presets choose among
the presets: `python benchmarks/bits.py quick fast`. gpu96 takes minutes and 8 GB on a CPU.
"""

import csv
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer
from common import PROCESSED, ROOT, for_epochs

EPOCHS, BATCHES = 3, 2  # the third epoch is the first one whose images losses choose
REPORTS = ROOT / "reports"


def digest(parts: Iterable[bytes]) -> str:
    """Return the first half of the SHA-256 of `parts`, one after the other."""
    sha256 = hashlib.sha256()
    for part in parts:
        sha256.update(part)
    return sha256.hexdigest()[:32]


def lines_of_preset(preset: str, file: Path) -> Iterator[str]:
    """Train a preset of the params.yaml `file` for three short epochs; yield its digests."""
    import numpy as np

    from cifar_pipeline.backend.start import start_backend

    start_backend()
    import keras

    from cifar_pipeline.backend.device import describe_device, resolve_precision
    from cifar_pipeline.dataset.arrays import load_split
    from cifar_pipeline.dataset.channel_statistics import load_statistics
    from cifar_pipeline.network.build import build_saved_network
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.loop import Split, fit

    def of_arrays(arrays: Iterable[Any]) -> str:
        return digest(np.asarray(array).tobytes() for array in arrays)

    params = load_model(file, preset)
    precision = resolve_precision(params.precision)
    statistics = load_statistics(PROCESSED)
    images, labels = load_split(PROCESSED, "train")
    number = BATCHES * params.batch_size
    few = Split(images[:number], labels[:number])
    with redirect_stdout(sys.stderr):  # the lines of epochs hold seconds
        run = fit(for_epochs(params, EPOCHS), 1, precision, few, few, statistics)
    saved = build_saved_network(params, statistics, run.network)
    history = run.history.to_csv(float_format="%.17g").encode()
    yield f"{preset}: {describe_device()}, {precision}"
    yield f"{preset} trained weights {of_arrays(run.network.get_weights())}"
    yield f"{preset} saved weights {of_arrays(saved.get_weights())}"
    yield f"{preset} probabilities {of_arrays([saved.predict_on_batch(images[:64])])}"
    yield f"{preset} history {digest([history])}"
    keras.backend.clear_session()


def lines_of_data(folder: Path) -> Iterator[str]:
    """Yield the digest of each file in `folder`."""
    for file in sorted(folder.iterdir()):
        yield f"{file.name} {digest([file.read_bytes()])}"


def lines_of_metrics(file: Path) -> Iterator[str]:
    """Yield every number of a JSON file with the keys that lead to it."""

    def numbers(value: Any, *keys: str) -> Iterator[str]:
        if isinstance(value, dict):
            for key in sorted(value):
                yield from numbers(value[key], *keys, key)
        else:
            yield f"{'.'.join(keys)} {value!r}"

    return numbers(json.loads(file.read_text(encoding="utf-8")), file.name)


def lines_of_predictions(file: Path) -> Iterator[str]:
    """Yield the digest of each column of a CSV file, as it is written there."""
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    for column in sorted(rows[0]):
        values = "\n".join(row[column] for row in rows)
        yield f"{file.name} {column} {digest([values.encode()])}"


def main(
    presets: Annotated[list[str] | None, typer.Argument(help="Presets; else all of them.")] = None,
) -> None:
    """Print the digests."""
    from cifar_pipeline.params.loading import read_yaml

    file = ROOT / "params.yaml"
    for line in lines_of_data(PROCESSED):
        print(line)
    for lines, report in (
        (lines_of_metrics, REPORTS / "test_metrics.json"),
        (lines_of_predictions, REPORTS / "predictions.csv"),
    ):
        for line in lines(report) if report.exists() else [f"{report.name} is missing"]:
            print(line)
    for preset in presets or read_yaml(file)["models"]:
        for line in lines_of_preset(preset, file):
            print(line, flush=True)


if __name__ == "__main__":
    typer.run(main)
