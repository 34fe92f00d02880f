"""Training on the hardest images: an image is hard if its loss was great when it was last shown.

After some epochs most images are learnt and have little left to teach. Leaving them out costs less
accuracy than training for fewer epochs. After Jiang et al., "Accelerating Deep Learning by Focusing
on the Biggest Losers", 2019, who draw images with a probability that rises with their loss; here
the greatest losses themselves are taken, each from when its image was last shown, however long ago.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from cifar_pipeline.train.batches import TrainingBatches


class ImageLosses(keras.metrics.Metric):
    """Cross-entropy of each image's logits against its label; the result is the mean.

    Of smoothed targets, the label is the greatest: smoothing has no part in it. Nor have class
    weights: an image is hard by its own loss, and weighs by its class only in the steps it is in.

    Args:
        capacity: the most images that an epoch of training or validation has.
        name: in Keras' logs.
    """

    def __init__(self, capacity: int, name: str = "unsmoothed_loss") -> None:
        super().__init__(name=name)
        self._losses = self.add_variable((capacity,), "zeros", name="losses", dtype="float32")
        self._seen = self.add_variable((), "zeros", name="seen", dtype="int32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch: targets (B, classes), float32 logits (B, classes). All weigh the same."""
        labels = ops.argmax(y_true, axis=-1)
        losses = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=True)
        number = ops.shape(losses)[0]
        places = ops.expand_dims(self._seen + ops.arange(number, dtype="int32"), -1)
        self._losses.assign(ops.scatter_update(self._losses, places, losses))
        self._seen.assign(self._seen + number)

    def result(self) -> Any:
        """Return the mean."""
        return ops.sum(self._losses) / ops.maximum(ops.cast(self._seen, "float32"), 1.0)

    def losses(self) -> np.ndarray:
        """Return the losses so far, float32 (N,), in the order in which the images came."""
        return ops.convert_to_numpy(self._losses)[: int(self._seen)]


class ReportLosses(keras.callbacks.Callback):
    """Reports each epoch's losses of images to the batches, which also counts the images as shown.

    Alternating flips rest on it too: without it, no image is turned.

    Args:
        batches: of the training images.
        image_losses: of the compiled network.
    """

    def __init__(self, batches: TrainingBatches, image_losses: ImageLosses) -> None:
        super().__init__()
        self._batches, self._image_losses = batches, image_losses

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take note of the images that are shown."""
        self._shown = self._batches.shown
        self._reported = False

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Hand over the losses of training, which validation is about to overwrite."""
        self._report()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Hand them over where there was no validation."""
        self._report()

    def _report(self) -> None:
        if not self._reported:
            self._batches.record_losses(self._shown, self._image_losses.losses())
            self._reported = True
