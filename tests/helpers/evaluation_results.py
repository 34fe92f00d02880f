"""Results of an evaluation worked by hand, without a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.mixed_images import evaluate_mixed_images
from cifar_pipeline.evaluate.page.provenance import Layer, Provenance
from cifar_pipeline.evaluate.page.rendering import EvaluationResults, write_page
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.thresholds import OperatingPoint
from cifar_pipeline.metrics.calibration import at_temperature

# Names of classes that Markdown, HTML or Matplotlib would take for markup.
HOSTILE = ("$x_1$ & co", "_b<script>alert(1)</script>", '"on" | `a` *b*', "\u65e5\u672c #000001")


def predictions_of(
    names: Sequence[str], probabilities: np.ndarray, labels: Sequence[int], temperature: float = 2.0
) -> Predictions:
    scaled = at_temperature(np.log(np.maximum(probabilities, 1e-30)), temperature)
    return Predictions(
        tuple(names),
        np.array(labels, np.uint8),
        probabilities.astype(np.float32),
        temperature,
        scaled,
    )


def sure_predictions(predicted: np.ndarray, labels: np.ndarray) -> Predictions:
    """Return CIFAR-10 predictions at temperature 0.5: 0.55 for `predicted`, 0.05 for the others."""
    probabilities = np.full((len(predicted), len(CLASS_NAMES)), 0.05, np.float32)
    probabilities[np.arange(len(predicted)), predicted] = 0.55
    return predictions_of(CLASS_NAMES, probabilities, labels.tolist(), temperature=0.5)


def results_of(
    predictions: Predictions,
    hardest_share: float = 1.0,
    class_weight: str = "none",
    validation_labels: Sequence[int] | None = None,
) -> EvaluationResults:
    """Return results with noise for images and a model that answers by their mean colours.

    Without `validation_labels`, the validation images have the classes of the test images.
    """
    random = np.random.default_rng(1)
    classes = len(predictions.names)
    images = random.integers(0, 256, (len(predictions.labels), 32, 32, 3), np.uint8)

    def predict(images: np.ndarray) -> np.ndarray:
        return np.eye(classes, dtype=np.float32)[images.mean(axis=(1, 2, 3)).astype(int) % classes]

    provenance = Provenance(
        preset="hand",
        seed=1,
        params="train:\n  seed: 1\n",
        label_smoothing=0.2,
        hardest_share=hardest_share,
        class_weight=class_weight,
        history=pd.DataFrame(
            {
                "epoch": [1, 2, 3],
                "loss": [2.0, 1.0, 0.9],
                "accuracy": [0.4, 0.5, 0.6],
                "val_loss": [1.5, np.nan, 1.2],
                "val_accuracy": [0.3, np.nan, 0.45],
            }
        ),
        training={
            "best_epoch": 3,
            "epochs": 3,
            "stopped_early": False,
            "precision": "float32",
            "train": {"accuracy": 0.5},
            "validation": {"accuracy": 0.45},
        },
        layers=[Layer("pixels", "InputLayer", "32 x 32 x 3", 0), Layer("dense", "Dense", "2", 9)],
        training_images=20,
        validation_images=10,
        model_digest="0" * 64,
        hashes={"test_images.npy": "1" * 64},
        versions={"Python": "3.11.2"},
    )
    operating_point = OperatingPoint(
        temperature=predictions.temperature,
        score="norm_and_distance",
        threshold=-3.25,
        target_false_alarm_rate=0.01,
        validation_images=10,
        false_alarm_rate=0.0123,
        test_images=len(images),
        model_sha256="0" * 64,
    )
    mixed = evaluate_mixed_images(predict, images, predictions)
    labels = predictions.labels if validation_labels is None else np.array(validation_labels)
    return EvaluationResults(predictions, images, provenance, mixed, operating_point, labels)


def spread(classes: int, each: int = 3) -> tuple[np.ndarray, list[int]]:
    """Return probabilities and labels, the last image of each class being taken for the next."""
    labels = np.repeat(np.arange(classes), each)
    predicted = labels.copy()
    predicted[each - 1 :: each] = (predicted[each - 1 :: each] + 1) % classes
    rest = np.full((len(labels), classes), 0.3 / (classes - 1))
    rest[np.arange(len(labels)), predicted] = 0.7
    return rest, labels.tolist()


def written(results: EvaluationResults, folder: Path) -> tuple[str, str]:
    write_page(folder / "index.html", folder / "card.md", results)
    return (folder / "index.html").read_text(), (folder / "card.md").read_text()
