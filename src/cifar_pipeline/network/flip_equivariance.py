"""Layers that see an image and its mirror image alike.

Channels come in pairs: what the first half of the channels answer of an image, the second half
answer, mirrored, of its mirror image. So a convolution learns half of its filters, and the other
half are their mirror images: as many multiplications, half as many weights to learn. The layers to
save are plain and have all of them (`plain_weights`).

An image and its mirror image get the same answer where poolings leave nothing out. Of maps with an
odd side they leave the last column out, and so see the mirror image through other windows.

A shared weight's gradient is the sum of two. Muon's steps have a length of their own, but the dense
layer and the offsets take steps up to twice as long as in a plain network.

Source: Cohen and Welling, "Group Equivariant Convolutional Networks", 2016, for the group of an
image and its mirror image.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cifar_pipeline.backend.tensorflow import FusedBatchNormalization
from cifar_pipeline.fourier.convolution import FourierConv2D
from cifar_pipeline.fourier.matrices import out_side


def halves_swapped(channels: int) -> list[int]:
    """Return `mirror_of` of so many channels (an even number) whose halves mirror each other.

    That is, of each channel the one that sees in an image what this one sees in its mirror image.
    """
    return [(channel + channels // 2) % channels for channel in range(channels)]


def one_of_each_pair(mirror_of: Sequence[int]) -> list[int]:
    """Return the channels without those that mirror an earlier one."""
    return [channel for channel, other in enumerate(mirror_of) if channel <= other]


def mirrored_filters(kernel: np.ndarray) -> list[int]:
    """Return `mirror_of` of the maps that filters make of an image.

    Args:
        kernel: of the filters, float32 (rows, columns, channels, filters).

    Raises:
        ValueError: a filter's mirror image is none of the filters.
    """
    flat = kernel.reshape(-1, kernel.shape[-1])
    mirrored = kernel[:, ::-1].reshape(flat.shape)
    distances = ((mirrored[:, :, None] - flat[:, None]) ** 2).sum(axis=0)
    if not np.allclose(distances.min(axis=1), 0, atol=1e-6 * float((flat**2).sum(axis=0).min())):
        raise ValueError("the mirror image of each filter must be one of the filters")
    return [int(filter_) for filter_ in distances.argmin(axis=1)]


def with_mirrored(kernel: Any, mirror_of: Sequence[int]) -> Any:
    """Return a kernel and, behind it, the mirror images of its filters.

    Args:
        kernel: (rows, columns, channels, filters / 2), of any float type.
        mirror_of: of the channels that come in; as many as the kernel has.

    Returns:
        (rows, columns, channels, filters), of the same type.

    Raises:
        ValueError: channels without a mirrored one.
    """
    if len(mirror_of) != kernel.shape[2]:
        raise ValueError(f"{kernel.shape[2]} channels, but mirror_of has {len(mirror_of)}")
    mirror_images = ops.take(ops.flip(kernel, axis=1), list(mirror_of), axis=2)
    return ops.concatenate([kernel, mirror_images], axis=-1)


def _half(filters: int) -> int:
    if filters % 2:
        raise ValueError(f"filters come in pairs, got {filters}")
    return filters // 2


class _MirroredFilters:
    """What both convolutions share: of half of the filters they make all of them."""

    kernel: Any
    bias: Any
    use_bias: bool
    mirror_of: list[int]

    def whole_kernel(self) -> Any:
        """Return the kernel with the mirror images of its filters."""
        return with_mirrored(self.kernel, self.mirror_of)

    def whole_bias(self) -> Any:
        """Return the bias of all filters."""
        return ops.concatenate([self.bias, self.bias])

    def plain_weights(self) -> list[np.ndarray]:
        """Return the weights of the `keras.layers.Conv2D` that does the same."""
        weights = (
            [self.whole_kernel(), self.whole_bias()] if self.use_bias else [self.whole_kernel()]
        )
        return [ops.convert_to_numpy(weight) for weight in weights]


class FlipEquivariantConv2D(_MirroredFilters, keras.layers.Layer):
    """2D convolution whose second half of filters are the mirror images of the first.

    Args:
        filters: number of maps that come out.
        kernel_size: side of the kernel.
        mirror_of: of the channels that come in.
        padding: "same" (the kernel's side must be odd then) or "valid".
        use_bias: whether a bias is added.
        kernel_initializer: of the kernel, (kernel_size, kernel_size, channels, filters / 2).

    Raises:
        ValueError: an odd number of filters; when it is called, as `with_mirrored`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        mirror_of: Sequence[int],
        padding: str = "valid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.filters, self.kernel_size, self.padding = filters, kernel_size, padding
        self.learnt_filters = _half(filters)
        self.mirror_of, self.use_bias = list(mirror_of), use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Create half a kernel and half a bias."""
        size = self.kernel_size
        self.kernel = self.add_weight(
            name="kernel",
            shape=(size, size, input_shape[-1], self.learnt_filters),
            initializer=self.kernel_initializer,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.learnt_filters,), initializer="zeros"
            )

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return (batch, rows, columns, filters)."""
        batch, *sides, _ = input_shape
        return (
            batch,
            *(out_side(side, self.kernel_size, self.padding) for side in sides),
            self.filters,
        )

    def call(self, inputs: Any) -> Any:
        """Convolve maps (batch, rows, columns, channels)."""
        maps = ops.conv(inputs, self.whole_kernel(), padding=self.padding)
        return maps + self.whole_bias() if self.use_bias else maps


class FlipEquivariantFourierConv2D(_MirroredFilters, FourierConv2D):
    """The same by Fourier transforms, for maps (rows, columns, batch, channels).

    Args:
        filters: number of maps that come out.
        kernel_size: side of the kernel.
        mirror_of: of the channels that come in.
        **options: those of `FourierConv2D`.

    Raises:
        ValueError: as its direct form and `FourierConv2D`.
    """

    def __init__(
        self, filters: int, kernel_size: int, mirror_of: Sequence[int], **options: Any
    ) -> None:
        super().__init__(filters, kernel_size, **options)
        self.mirror_of = list(mirror_of)
        self.learnt_filters = _half(filters)


class FlipEquivariantBatchNormalization(FusedBatchNormalization):
    """Batch normalisation that takes a channel and its mirrored one together.

    For maps of four dimensions, the last of them an even number of channels.
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Create the variables of half of the channels."""
        super().build((*input_shape[:-1], input_shape[-1] // 2))
        self.input_spec = None  # it is of as many channels as there are variables

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise maps: the halves of the channels are as two pixels."""
        pairs = ops.reshape(inputs, (-1, *inputs.shape[1:-2], 1, inputs.shape[-1] // 2))
        return ops.reshape(super().call(pairs, training, mask), ops.shape(inputs))

    def plain_weights(self) -> list[np.ndarray]:
        """Return the weights of the `keras.layers.BatchNormalization` that does the same."""
        return [np.concatenate([value, value]) for value in self.get_weights()]


class FlipInvariantDense(keras.layers.Dense):
    """A dense layer with a bias that gives a feature and the mirrored one the same weights."""

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Create the kernel of half of the features."""
        super().build((*input_shape[:-1], input_shape[-1] // 2))
        self.input_spec = None  # it is of half as many features as come in

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Add each feature to the mirrored one, and weigh the sums."""
        features, mirrored = ops.split(inputs, 2, axis=-1)
        return super().call(features + mirrored, training)

    def plain_weights(self) -> list[np.ndarray]:
        """Return the weights of the `keras.layers.Dense` that does the same."""
        kernel, bias = self.get_weights()
        return [np.concatenate([kernel, kernel]), bias]
