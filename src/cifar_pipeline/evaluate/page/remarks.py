"""Sentences of the page and the model card that depend on the results."""

import numpy as np

from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.metrics.calibration import expected_calibration_error
from cifar_pipeline.metrics.class_sizes import are_unequal, largest_class, share_difference
from cifar_pipeline.metrics.loss_and_accuracy import accuracy

_OF_2017 = {"cat", "dog"}


def remark_on_pairs(pairs: list[tuple[str, str, int]], is_cifar: bool) -> str:
    """Return a sentence that names the most confused pair, with CIFAR-10 beside that of 2017.

    Args:
        pairs: from `confused_pairs`.
        is_cifar: whether the classes are those of CIFAR-10.
    """
    if not pairs:
        return "No test image is misclassified."
    counted = "Errors in both directions are counted."
    lead = " and ".join(pairs[0][:2])
    if not is_cifar:
        return f"{counted} Most confused: {lead}."
    sets = [{first, second} for first, second, _ in pairs]
    if sets[0] == _OF_2017:
        return f"{counted} Most confused: {lead}, as with the network of 2017."
    place = f" That pair has place {sets.index(_OF_2017) + 1} here." if _OF_2017 in sets else ""
    return f"{counted} Most confused: {lead}. With the network of 2017 it was cat and dog.{place}"


def remark_on_calibration(predictions: Predictions) -> str:
    """Return how well the confidence is calibrated, before and after temperature scaling."""
    confidence = float(predictions.confidence.mean())
    correct = accuracy(predictions.probabilities, predictions.labels)
    before = expected_calibration_error(predictions.probabilities, predictions.labels)
    after = expected_calibration_error(predictions.scaled, predictions.labels)
    effect = f"The temperature {predictions.temperature:.3f} changes the error to {after:.4f}."
    if predictions.temperature == 1:
        effect = (
            "No temperature maximises the likelihood of the validation labels, so the logits are "
            "not scaled."
        )
    manner = "under-confident" if confidence < correct else "over-confident"
    return (
        f"As trained the model is {manner}: its mean confidence is {confidence:.3f}, its accuracy "
        f"{correct:.3f}, and its expected calibration error {before:.4f}. {effect}"
    )


def remark_on_unequal_classes(predictions: Predictions) -> str:
    """Return the scores of always predicting the largest class; "" where classes are equal."""
    if not are_unequal(predictions.labels):
        return ""
    largest, share = largest_class(predictions.labels)
    chance = 1 / len(np.unique(predictions.labels))
    return (
        "The classes of the test images are unequal: always predicting the largest one, "
        f"{predictions.names[largest]}, would have an accuracy of {100 * share:.2f} % and a "
        f"balanced accuracy of {100 * chance:.2f} %."
    )


def remark_on_shares(names: tuple[str, ...], validation: np.ndarray, test: np.ndarray) -> str:
    """Return why validation and test figures cannot be compared; "" where they can.

    Args:
        names: of the classes.
        validation: labels of the validation images, uint8 (N,).
        test: labels of the test images, uint8 (M,).
    """
    found = share_difference(validation, test)
    if found is None:
        return ""
    return (
        "Validation and test figures cannot be compared: the shares of the classes differ by more "
        "than sampling explains (chi-square test at 1 %). The largest difference: "
        f"{names[found.label]} is {100 * found.first:.1f} % of the validation images and "
        f"{100 * found.second:.1f} % of the test images."
    )
