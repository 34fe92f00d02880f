"""Test accuracy and training time of presets over seeds.

    python benchmarks/accuracy.py fast --seeds 5
    python benchmarks/accuracy.py accurate --seeds 3 --all-images

Every run is a process of its own, on the arrays of data/processed. Each run's figures go into
results.json, with what they depend on: a run that is there already, on this kind of processor and
with the same first steps, bit for bit, is not repeated, and one that was broken off goes on after
its last epoch. The test set is read when the training is over, and nothing is chosen by it.

--all-images trains on all 50,000 images for the preset's number of epochs, as the presets' peers
do: no image is held out, so the last epoch is kept, whatever it is. The pipeline never does that.
"""

import hashlib
import json
import statistics
from functools import partial
from typing import Annotated, Any

import typer
from common import PROCESSED, ROOT, for_epochs, in_a_process, peak_gigabytes
from records import recorded

BATCH = 500


def setting_of(preset: str, seed: int, all_images: bool) -> dict[str, Any]:
    """Return all that the figures of a run depend on: `key`, in digests, and the same in words.

    Of the code the key holds what the code does, not how it reads: the digest of the weights after
    two short epochs, or three where losses choose the images of an epoch. A run need be repeated
    only when a model's bits change.
    """
    from cifar_pipeline.backend.start import start_backend

    start_backend()
    from cifar_pipeline.backend.device import (
        describe_device,
        device_kind,
        processor_name,
        resolve_precision,
    )
    from cifar_pipeline.dataset.arrays import load_split
    from cifar_pipeline.dataset.channel_statistics import load_statistics
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.fingerprint import fingerprint_of, versions
    from cifar_pipeline.train.loop import Split, fit

    params = load_model(ROOT / "params.yaml", preset)
    precision = resolve_precision(params.precision)
    fingerprint = fingerprint_of(params, seed, precision, PROCESSED)
    images, labels = load_split(PROCESSED, "train")
    few = Split(images[: 2 * params.batch_size], labels[: 2 * params.batch_size])
    # The third epoch is the first one whose images losses choose.
    brief = for_epochs(params, 2 if params.hardest_share == 1 else 3)
    run = fit(brief, seed, precision, few, few, load_statistics(PROCESSED))
    weights = hashlib.sha256(b"".join(value.tobytes() for value in run.network.get_weights()))
    manifest = hashlib.md5((PROCESSED / "manifest.json").read_bytes(), usedforsecurity=False)
    return {
        "key": {
            "preset": preset,
            "seed": str(seed),
            "images": "50,000" if all_images else "45,000",
            **{name: fingerprint[name] for name in ("params", "data", "versions", "device")},
            "weights_after_two_short_epochs": weights.hexdigest(),
        },
        "kind": device_kind(),
        "processor": processor_name(),
        "device": describe_device(),
        "precision": precision,
        "versions": versions(),
        "manifest_md5": manifest.hexdigest(),
    }


def train_once(preset: str, seed: int, all_images: bool) -> dict[str, Any]:
    """Train, then read the test set once; return the run's figures."""
    import numpy as np

    from cifar_pipeline.backend.start import start_backend

    start_backend()
    from cifar_pipeline.backend.device import gpu_details, resolve_precision
    from cifar_pipeline.dataset.arrays import load_split
    from cifar_pipeline.dataset.channel_statistics import load_statistics
    from cifar_pipeline.evaluate.test_time_augmentation import predict_with_augmentation
    from cifar_pipeline.metrics.loss_and_accuracy import accuracy
    from cifar_pipeline.network.build import build_saved_network
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.checkpoint import Checkpoint
    from cifar_pipeline.train.fingerprint import fingerprint_of
    from cifar_pipeline.train.loop import Split, fit
    from cifar_pipeline.trained_model.keras_file import predict_probabilities

    params = load_model(ROOT / "params.yaml", preset)
    precision = resolve_precision(params.precision)
    data, held_out = (Split(*load_split(PROCESSED, name)) for name in ("train", "validation"))
    if all_images:
        images = np.concatenate([data.images, held_out.images])
        data = Split(images, np.concatenate([data.labels, held_out.labels]))
        params = for_epochs(params, params.epochs)
    key = {
        **fingerprint_of(params, seed, precision, PROCESSED),
        "images": str(len(data.images)),
    }
    checkpoint = Checkpoint(ROOT / f"models/training.{preset}-{seed}-{len(data.images)}", key)
    run = fit(params, seed, precision, data, held_out, load_statistics(PROCESSED), checkpoint)
    peak = peak_gigabytes()
    saved = build_saved_network(params, load_statistics(PROCESSED), run.network)
    images, labels = load_split(PROCESSED, "test")
    answers: dict[bytes, np.ndarray] = {}

    def predict(view: np.ndarray) -> np.ndarray:
        """Ask the model once for a view that several choices share."""
        digest = hashlib.sha256(view.tobytes()).digest()
        if digest not in answers:
            answers[digest] = predict_probabilities(saved, view, BATCH)
        return answers[digest]

    test_accuracy = {
        choice: round(accuracy(predict_with_augmentation(predict, images, choice), labels), 4)
        for choice in ("none", "flip", "flip_shift")
    }
    checkpoint.remove()
    kept = run.history.iloc[run.best_epoch - 1]
    median = statistics.median(run.seconds)
    return {
        "gpu": gpu_details().get("device_name"),
        "epochs": len(run.history),
        "kept_epoch": run.best_epoch,
        "validation_accuracy": None if all_images else round(float(kept["val_accuracy"]), 4),
        "test_accuracy": test_accuracy,
        # With the graph's tracing, and all epochs of a run that was broken off and taken up again.
        "epoch_seconds": round(sum(run.seconds), 1),
        "median_epoch_seconds": round(median, 3),
        # What the first epoch took more than the median one: tracing, and XLA's compiling on a GPU.
        # Of a single epoch, or of a run that was taken up again, it says nothing; of one that does
        # not validate its first epoch it leaves out what the first validation has to trace.
        "first_epoch_extra_seconds": round(run.seconds[0] - median, 1),
        "peak_gigabytes": round(peak, 2),
    }


def flags_of(all_images: bool) -> list[str]:
    """Return the option for all images, or none."""
    return ["--all-images"] if all_images else []


def setting_of_run(preset: str, seed: int, all_images: bool) -> dict[str, Any]:
    """Return `setting_of` from a process of its own."""
    return in_a_process(__file__, preset, "--setting", str(seed), *flags_of(all_images))


def collect(preset: str, seeds: range, all_images: bool) -> list[dict[str, Any]]:
    """Return the run of each seed: the one in results.json, else a new one, which goes there."""
    runs = []
    for seed in seeds:
        train = partial(in_a_process, __file__, preset, "--one", str(seed), *flags_of(all_images))
        run = recorded(setting_of_run(preset, seed, all_images), train)
        print(json.dumps({name: run[name] for name in run if name != "key"}), flush=True)
        runs.append(run)
    return runs


def main(
    preset: Annotated[str, typer.Argument(help="A preset of params.yaml.")],
    seeds: Annotated[int, typer.Option(help="Seeds up to this.", min=1)] = 3,
    first: Annotated[int, typer.Option(help="The first seed.", min=1)] = 1,
    all_images: Annotated[bool, typer.Option("--all-images", help="50,000, no choice.")] = False,
    one: Annotated[int, typer.Option(hidden=True)] = 0,
    setting: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Train a preset with several seeds; print test accuracy (mean, spread) and seconds."""
    if one or setting:
        of = train_once if one else setting_of
        print(json.dumps(of(preset, one or setting, all_images)))
        return
    runs = collect(preset, range(first, seeds + 1), all_images)
    summary: dict[str, Any] = {
        "preset": preset,
        "seeds": len(runs),
        "images": runs[0]["key"]["images"],
    }
    for name in runs[0]["test_accuracy"]:
        values = [run["test_accuracy"][name] for run in runs]
        spread = round(statistics.stdev(values), 4) if len(runs) > 1 else None
        summary[name] = {"mean": round(statistics.mean(values), 4), "deviation": spread}
    summary["epoch_seconds"] = round(statistics.mean(run["epoch_seconds"] for run in runs), 1)
    print(json.dumps(summary))


if __name__ == "__main__":
    typer.run(main)
