"""Test-time augmentation: average the logits of a model over several views of an image.

Source: Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.5.
"""

from collections.abc import Callable, Iterator

import numpy as np

from cifar_pipeline.params.evaluate import TestTimeAugmentation

_SHIFT = 1


def views(images: np.ndarray, choice: TestTimeAugmentation) -> Iterator[tuple[float, np.ndarray]]:
    """Yield each view of the images with its weight; the weights sum to 1.

    `none`: the image. `flip`: the image and its mirror image, with weights of 1/2. `flip_shift`:
    these two with weights of 1/4; the image shifted by one pixel to the upper left, the one shifted
    to the lower right, and the mirror images of both, with weights of 1/8. Shifted images are
    padded by reflection.

    Args:
        images: uint8 (N, H, W, 3).
        choice: which views.

    Yields:
        A weight, and a view of all images, uint8 (N, H, W, 3).
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
    predict: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    choice: TestTimeAugmentation,
    part: int = 1000,
) -> np.ndarray:
    """Return the softmax of the weighted mean of the views' logits, float32 (N, classes).

    Args:
        predict: returns probabilities, float32 (N, classes), for uint8 images (N, H, W, 3).
        images: uint8 (N, H, W, 3).
        choice: which views.
        part: how many images have views in memory at a time; a multiple of the batch size of
            `predict` gives the batches that all images at once would.
    """
    starts = range(0, len(images), part)
    found = [_averaged(predict, images[at : at + part], choice) for at in starts]
    return np.concatenate(found)


def _averaged(
    predict: Callable[[np.ndarray], np.ndarray], images: np.ndarray, choice: TestTimeAugmentation
) -> np.ndarray:
    smallest = np.finfo(np.float32).tiny
    # The logarithm of a softmax is the logit plus a number that all classes share. That number does
    # not change the softmax of the mean.
    logits = sum(
        weight * np.log(np.maximum(predict(view), smallest))
        for weight, view in views(images, choice)
    )
    shares = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
