"""Test-time augmentation: show a model several views of an image and average what it answers.

Source: Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.5.
"""

from collections.abc import Callable, Iterator

import numpy as np

from cifar_pipeline.params.evaluate import TestTimeAugmentation

_SHIFT = 1


def views(images: np.ndarray, choice: TestTimeAugmentation) -> Iterator[tuple[float, np.ndarray]]:
    """Yield weights, which sum to 1, and views of uint8 images (N, H, W, 3), of the same shape.

    `flip`: the image and its mirror, half each. `flip_shift`: a quarter each for these, an eighth
    each for the image moved one pixel to the upper left and to the lower right, padded by
    reflection, and for their mirrors.
    """
    if choice == "none":
        yield 1.0, images
        return
    shifted = []
    if choice == "flip_shift":
        reach = ((0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0))
        padded = np.pad(images, reach, "reflect")
        shifted = [padded[:, 2 * _SHIFT :, 2 * _SHIFT :], padded[:, : -2 * _SHIFT, : -2 * _SHIFT]]
    weight = 0.25 if shifted else 0.5
    for part, view in [(weight, images), *((0.125, view) for view in shifted)]:
        yield part, view
        yield part, view[:, :, ::-1]


def predict_with_augmentation(
    predict: Callable[[np.ndarray], np.ndarray], images: np.ndarray, choice: TestTimeAugmentation
) -> np.ndarray:
    """Return probabilities, float32 (N, classes), from the weighted mean of the views' logits.

    Args:
        predict: gives probabilities, float32 (N, classes), of uint8 images (N, H, W, 3).
        images: uint8 (N, H, W, 3).
        choice: which views.
    """
    smallest = np.finfo(np.float32).tiny
    # A logit and the logarithm of its softmax differ by a number that all classes share, and the
    # softmax of the mean does not see that.
    logits = sum(
        weight * np.log(np.maximum(predict(view), smallest))
        for weight, view in views(images, choice)
    )
    shares = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
