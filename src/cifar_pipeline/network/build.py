"""A VGG-like ConvNet from parameters alone."""

from typing import Any

import keras
import numpy as np
from keras import layers

from cifar_pipeline.backend.device import resolve_convolution
from cifar_pipeline.backend.jax import IS_JAX
from cifar_pipeline.dataset.channel_statistics import ChannelStatistics
from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE
from cifar_pipeline.fourier.convolution import FourierConv2D
from cifar_pipeline.fourier.layout import (
    as_batch_first,
    as_spatial_first,
    is_spatial_first,
    max_pooled,
)
from cifar_pipeline.fourier.matrices import fourier_saves_time, out_side
from cifar_pipeline.network.activations import silu
from cifar_pipeline.network.batch_norm import FusedBatchNormalization
from cifar_pipeline.network.initializers import DiracUniform
from cifar_pipeline.network.pooling import TiledMaxPooling2D
from cifar_pipeline.network.whitening import PATCH
from cifar_pipeline.params.network import Block, Head
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.trained_model.layer_names import FEATURES, LOGITS

_WHITEN = "whiten"
_BATCH_NORM_EPSILON = 2e-5  # cuDNN takes no less than 1e-5


class _Builder:
    """Stacks layers; `for_saving` chooses between the network to train and the one to save.

    In the one to train, convolutions that are quicker by Fourier transforms are done so. Their maps
    are in the order (rows, columns, batch, channels), and stay in it until a layer needs another.
    """

    def __init__(self, params: ModelParams, policy: str, for_saving: bool) -> None:
        self.params, self.policy, self.for_saving = params, policy, for_saving
        self.fourier = not for_saving and resolve_convolution(params.convolution) == "fourier"

    def normalized(self, pixels: Any, statistics: ChannelStatistics) -> Any:
        if self.params.normalization == "unit":
            return layers.Rescaling(1 / 255, dtype=self.policy, name="normalize")(pixels)
        variance = [scale**2 for scale in statistics.scale]
        return layers.Normalization(
            mean=list(statistics.mean), variance=variance, dtype=self.policy, name="normalize"
        )(pixels)

    def whitened(self, maps: Any, filters: int, activation: str) -> Any:
        maps = layers.Conv2D(
            filters, PATCH, use_bias=False, trainable=False, dtype=self.policy, name=_WHITEN
        )(maps)
        return self._activated(maps, activation, "whiten_activation")

    def block(self, maps: Any, block: Block, name: str) -> Any:
        first = None
        for number in range(1, block.convolutions + 1):
            part = f"{name}_conv{number}"
            pooled = number == 1 and block.pooling_after == "first"
            maps = self._convolved(maps, block, part, block.pooling if pooled else 1)
            if pooled:
                maps = self._pooled(maps, block, name)
            if block.batch_normalization:
                maps = self._batch_normalized(maps, block.activation, f"{part}_norm")
            if block.shortcut and number == block.convolutions:
                maps = self._added(maps, first, f"{name}_shortcut")
            maps = self._activated(maps, block.activation, f"{part}_act")
            first = maps if number == 1 else first
        if block.pooling_after == "last":
            maps = self._pooled(maps, block, name)
        return self._dropped(maps, block.dropout, name)

    def head(self, maps: Any, head: Head, classes: int) -> Any:
        pooling = {
            "flatten": layers.Flatten,
            "max": layers.GlobalMaxPooling2D,
            "average": layers.GlobalAveragePooling2D,
        }[head.pooling]
        features = pooling(dtype=self.policy, name=FEATURES)(self._batch_first(maps))
        if head.dense_units:
            features = layers.Dense(
                head.dense_units, activation=head.activation, dtype=self.policy, name="hidden"
            )(features)
        features = self._dropped(features, head.dropout, "head")
        logits = layers.Dense(classes, dtype=self.policy, name="logits")(features)
        # Logits in float32: a loss or a softmax in bfloat16 has two or three digits.
        return layers.Rescaling(head.logit_scale, dtype="float32", name=LOGITS)(logits)

    def _convolved(self, maps: Any, block: Block, name: str, pooling: int) -> Any:
        dirac = block.batch_normalization and not self.for_saving
        shape = (maps.shape[1], block.kernel_size, block.padding, maps.shape[-1], block.filters)
        options: dict[str, Any] = {
            "padding": block.padding,
            # A bias right before batch normalisation has no effect: the mean takes it away.
            "use_bias": not block.batch_normalization,
            "kernel_initializer": DiracUniform() if dirac else "glorot_uniform",
            "dtype": self.policy,
            "name": name,
        }
        if self.fourier and fourier_saves_time(*shape):
            maps = self._spatial_first(maps)
            side = out_side(maps.shape[0], block.kernel_size, block.padding)
            kept = side // pooling * pooling  # the pooling leaves the others out
            return FourierConv2D(block.filters, block.kernel_size, kept=kept, **options)(maps)
        return layers.Conv2D(block.filters, block.kernel_size, **options)(self._batch_first(maps))

    def _added(self, maps: Any, others: Any, name: str) -> Any:
        ordered = self._spatial_first if is_spatial_first(maps) else self._batch_first
        return layers.Add(dtype=self.policy, name=name)([maps, ordered(others)])

    def _spatial_first(self, maps: Any) -> Any:
        return maps if is_spatial_first(maps) else as_spatial_first(maps)

    def _batch_first(self, maps: Any) -> Any:
        return as_batch_first(maps) if is_spatial_first(maps) else maps

    def _activated(self, maps: Any, activation: str, name: str) -> Any:
        quicker = not self.for_saving and activation == "silu"
        return layers.Activation(silu if quicker else activation, dtype=self.policy, name=name)(
            maps
        )

    def _pooled(self, maps: Any, block: Block, name: str) -> Any:
        if block.pooling == 1:
            return maps
        if is_spatial_first(maps):
            return max_pooled(maps, block.pooling)
        tiled = IS_JAX and not self.for_saving
        kind = TiledMaxPooling2D if tiled else layers.MaxPooling2D
        return kind(block.pooling, dtype=self.policy, name=f"{name}_pool")(maps)

    def _batch_normalized(self, maps: Any, activation: str, name: str) -> Any:
        # TensorFlow 2.21 on a CPU wants to make one operation of a convolution, the fused batch
        # normalisation and tanh, and then has none ("Fusion is not implemented").
        plain = self.for_saving or activation == "tanh"
        kind = layers.BatchNormalization if plain else FusedBatchNormalization
        return kind(
            momentum=self.params.batch_norm_momentum,
            epsilon=_BATCH_NORM_EPSILON,
            scale=False,
            dtype=self.policy,
            name=name,
        )(maps)

    def _dropped(self, values: Any, rate: float, name: str) -> Any:
        if not rate:
            return values
        return layers.Dropout(rate, dtype=self.policy, name=f"{name}_dropout")(values)


def _stack(
    params: ModelParams,
    statistics: ChannelStatistics,
    image_shape: tuple[int, ...],
    classes: int,
    policy: str,
    for_saving: bool,
    whitening_filters: int,
) -> keras.Model:
    builder = _Builder(params, policy, for_saving)
    pixels = keras.Input(image_shape, dtype="float32", name="pixels")
    maps = builder.normalized(pixels, statistics)
    if whitening_filters:
        maps = builder.whitened(maps, whitening_filters, params.blocks["block1"].activation)
    for number in range(1, len(params.blocks) + 1):
        maps = builder.block(maps, params.blocks[f"block{number}"], f"block{number}")
    outputs = builder.head(maps, params.head, classes)
    if for_saving:
        outputs = layers.Activation("softmax", dtype="float32", name="probabilities")(outputs)
    return keras.Model(pixels, outputs, name="convnet")


def build_training_network(
    params: ModelParams,
    statistics: ChannelStatistics,
    classes: int,
    precision: str,
    whitening: np.ndarray | None,
    image_shape: tuple[int, ...] = IMAGE_SHAPE,
) -> keras.Model:
    """Return the untrained network: pixels 0-255 (N, H, W, 3) to float32 logits (N, classes).

    Args:
        params: layers and their dimensions.
        statistics: of the training images, for `normalization: channel`.
        classes: number of classes.
        precision: "float32" or "bfloat16"; weights are float32 in both.
        whitening: kernel of the frozen first convolution where `params.whitening_filters`, else
            None. It may have fewer filters than that.
        image_shape: (H, W, 3).

    Raises:
        ValueError: by Keras, when the blocks leave no pixels.
    """
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    filters = 0 if whitening is None else whitening.shape[-1]
    network = _stack(params, statistics, image_shape, classes, policy, False, filters)
    if whitening is not None:
        network.get_layer(_WHITEN).set_weights([whitening])
    return network


def build_saved_network(
    params: ModelParams, statistics: ChannelStatistics, trained: keras.Model
) -> keras.Model:
    """Return `trained` as plain Keras layers in float32: pixels to softmax probabilities."""
    _, *image_shape = trained.input_shape
    classes = trained.output_shape[-1]
    filters = trained.get_layer(_WHITEN).filters if params.whitening_filters else 0
    shape = tuple(image_shape)
    network = _stack(params, statistics, shape, classes, "float32", True, filters)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
    return network


def halfway_layer(params: ModelParams) -> str:
    """Return the name of the first activation of the middle block."""
    return f"block{(len(params.blocks) + 1) // 2}_conv1_act"
