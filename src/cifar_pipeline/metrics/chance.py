"""Whether a classifier is better than chance, and the sentence that says so if it is not.

The balanced accuracy is the mean recall over the classes. A classifier that always answers the
largest class has the balanced accuracy of chance, whatever its accuracy.

Chance means that predictions and labels are independent: any order of the labels is as likely as
any other. Over all orders, the balanced accuracy has exactly this mean and this variance, for N
images, K classes with n_k images each, and q_k, the share of the predictions that are class k:

    mean     = sum_k q_k / K, which is 1 / K
    variance = N / (N - 1) * sum_k q_k (1 - q_k) / n_k / K^2

and is close to normal for many images. (Where a class without images is predicted, s = sum_k q_k is
below 1, and the sum in the variance is less by s (1 - s) / N.) Source: Hoeffding, "A Combinatorial
Central Limit Theorem", Annals of Mathematical Statistics 22, 1951; the numbers of correct
predictions have a multivariate hypergeometric distribution.

The balanced accuracy moves in steps, 1 / (K n_k) for a correct prediction. Half a mean step is
added to the bound as the continuity correction: else one lucky prediction of a model that gives all
other images the same class would do.
"""

from dataclasses import dataclass

import numpy as np

# The 95 % quantile of the normal distribution: the test is one-sided, at 5 %.
_QUANTILE = 1.6449


@dataclass(frozen=True)
class ChanceTest:
    """The balanced accuracy of a classifier beside that of chance.

    Attributes:
        balanced_accuracy: mean recall over the classes that have images, from 0 to 1.
        by_chance: its mean if predictions and labels are independent.
        bound: what chance exceeds in 5 % of the cases.
        images: the number of images.
        classes: the number of classes that have images.
        is_constant: whether the same class is predicted for every image.
    """

    balanced_accuracy: float
    by_chance: float
    bound: float
    images: int
    classes: int
    is_constant: bool

    @property
    def is_better(self) -> bool:
        """Whether the classifier is better than chance; never with constant predictions."""
        return not self.is_constant and self.balanced_accuracy > self.bound


def compare_with_chance(predicted: np.ndarray, labels: np.ndarray) -> ChanceTest:
    """Compare predicted classes with chance.

    Args:
        predicted: the predicted classes, integers (N,), N at least 1.
        labels: the actual classes, integers (N,). Classes that do not occur here have no recall.

    Raises:
        ValueError: the shapes are not these.
    """
    if predicted.ndim != 1 or predicted.shape != labels.shape or not labels.size:
        raise ValueError(
            "expected predicted classes and labels (N,) of at least one image, got "
            f"{predicted.shape} and {labels.shape}"
        )
    images = len(labels)
    classes, support = np.unique(labels, return_counts=True)
    recall = np.array([np.mean(predicted[labels == label] == label) for label in classes])
    shares = np.array([np.mean(predicted == label) for label in classes])
    total = shares.sum()
    variance = (shares * (1 - shares) / support).sum() - total * (1 - total) / images
    variance *= images / max(images - 1, 1) / len(classes) ** 2
    by_chance = total / len(classes)
    step = np.mean(1 / support) / len(classes)
    return ChanceTest(
        balanced_accuracy=float(recall.mean()),
        by_chance=float(by_chance),
        bound=float(by_chance + _QUANTILE * np.sqrt(max(variance, 0.0)) + step / 2),
        images=images,
        classes=len(classes),
        is_constant=bool((predicted == predicted[0]).all()),
    )


def warning_of_chance(
    logits: np.ndarray, labels: np.ndarray, preset: str, whitens: bool
) -> str | None:
    """Return one sentence if a model is no better than chance on the validation images, else None.

    Args:
        logits: of the validation images, or probabilities; float32 (N, classes).
        labels: uint8 (N,).
        preset: its name, for the hint.
        whitens: whether the preset has whitening filters, which the hint then proposes to leave
            out.
    """
    test = compare_with_chance(logits.argmax(axis=1), labels)
    if test.is_better:
        return None
    same = "the same class is predicted for all of them, " if test.is_constant else ""
    other = f"`dvc exp run -S models.{preset}.whitening=false`, " if whitens else ""
    return (
        f"the model is no better than chance on the {test.images:,} validation images: {same}"
        f"balanced accuracy (mean recall over {test.classes} classes) "
        f"{test.balanced_accuracy:.4f}, chance {test.by_chance:.4f} (at most {test.bound:.4f} in "
        f"95 % of cases); look at the images, then try {other}`dvc exp run -S train.flip=none` "
        "(where left and right matter), another preset or more epochs"
    )
