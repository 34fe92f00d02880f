"""Seconds to a validation accuracy of 0.79: the 2017 script as people copy it, against a preset.

    python benchmarks/time_to_accuracy.py [--preset quick] [--epochs 3] [--full]

Both sides run one after the other, each in a process of its own, on the arrays of data/processed
(`make repro` leaves them there). The last line is JSON.

The 2017 side is plain Keras in float32, NumPy arrays in, TensorFlow as it starts by itself: nothing
that this project switches on there (deterministic operations; oneDNN, on processors where that is
not TensorFlow's own choice). Its seconds are the median seconds of an
epoch of this call times the first epoch at 0.79 of a complete run, published_recipe_curve.csv.
--full runs it to the end of its own early stopping and takes the seconds that it really took. Ours
is run whole, the tracing of graphs included; only Python's imports stand outside, on both sides.
"""

import csv
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from common import PROCESSED, ROOT, in_a_process

CURVE = Path(__file__).with_name("published_recipe_curve.csv")
TARGET = 0.79
SEED = 1000  # the 2017 script's own


def published(epochs: int) -> list[dict[str, float]]:
    """Train the 2017 network by its recipe; return seconds and validation accuracy by epoch.

    Args:
        epochs: at most so many; 250 is what the script asks for.
    """
    import keras
    from keras import layers

    from cifar_pipeline.dataset.arrays import load_split

    keras.utils.set_random_seed(SEED)
    images, labels = load_split(PROCESSED, "train")
    held_images, held_labels = load_split(PROCESSED, "validation")
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rate = keras.optimizers.schedules.InverseTimeDecay(1e-4, 1, 1e-6)
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    rows: list[dict[str, float]] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            self.started = time.monotonic()

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            seconds = time.monotonic() - self.started
            rows.append({"seconds": seconds, "accuracy": float((logs or {})["val_accuracy"])})
            print(f"2017 epoch {epoch + 1}: {rows[-1]}", file=sys.stderr, flush=True)

    model.fit(
        images.astype("float32") / 255,
        keras.utils.to_categorical(labels, 10),
        batch_size=128,
        epochs=epochs,
        validation_data=(
            held_images.astype("float32") / 255,
            keras.utils.to_categorical(held_labels, 10),
        ),
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping("val_loss", 0.001, 3), Clock()],
    )
    return rows


def ours(preset: str) -> dict[str, float]:
    """Train a preset to its end; return its seconds, tracing included, and validation accuracy."""
    from cifar_pipeline.backend.start import start_backend

    start_backend()
    from cifar_pipeline.backend.device import resolve_precision
    from cifar_pipeline.dataset.arrays import load_split
    from cifar_pipeline.dataset.channel_statistics import load_statistics
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.loop import Split, fit

    params = load_model(ROOT / "params.yaml", preset)
    train, validation = (Split(*load_split(PROCESSED, name)) for name in ("train", "validation"))
    started = time.monotonic()
    run = fit(
        params,
        SEED,
        resolve_precision(params.precision),
        train,
        validation,
        load_statistics(PROCESSED),
    )
    seconds = time.monotonic() - started
    kept = run.history["val_accuracy"].iloc[run.best_epoch - 1]
    return {"seconds": seconds, "accuracy": float(kept)}


def main(
    preset: Annotated[str, typer.Option(help="Our side.")] = "quick",
    epochs: Annotated[int, typer.Option(help="Epochs to measure of the 2017 side.", min=2)] = 3,
    full: Annotated[bool, typer.Option("--full", help="Run the 2017 side to its end.")] = False,
    side: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Compare the 2017 script with a preset of ours: seconds to 0.79 validation accuracy."""
    if side:
        print(json.dumps(ours(preset) if side == "ours" else published(epochs)))
        return
    with CURVE.open(encoding="utf-8") as file:
        curve = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    needed = next(at for at, accuracy in enumerate(curve, 1) if accuracy >= TARGET)
    rows = in_a_process(__file__, "--side", "2017", "--epochs", "250" if full else str(epochs))
    if full:
        reached = [at for at, row in enumerate(rows, 1) if row["accuracy"] >= TARGET]
        if not reached:
            sys.exit(f"the 2017 script stopped after {len(rows)} epochs without reaching {TARGET}")
        published_seconds = sum(row["seconds"] for row in rows[: reached[0]])
    else:
        published_seconds = needed * statistics.median(row["seconds"] for row in rows)
    result = in_a_process(__file__, "--side", "ours", "--preset", preset)
    print(f"{preset}: validation accuracy {result['accuracy']:.4f} in {result['seconds']:.1f} s")
    if result["accuracy"] < TARGET:
        sys.exit(f"{preset} ended below {TARGET}")
    print(
        json.dumps(
            {
                "published_seconds": round(published_seconds, 1),
                "our_seconds": round(result["seconds"], 1),
                "ratio": round(published_seconds / result["seconds"], 1),
                "preset": preset,
            }
        )
    )


if __name__ == "__main__":
    typer.run(main)
