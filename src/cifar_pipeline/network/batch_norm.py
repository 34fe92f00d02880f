"""Batch normalisation that costs no more than it must in bfloat16."""

from typing import Any

import keras

from cifar_pipeline.backend.tensorflow import IS_TENSORFLOW


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation of NHWC feature maps that keeps bfloat16 activations in bfloat16.

    Keras' own casts whole activations to float32 and back, which costs more than bfloat16 wins.
    Statistics stay float32. The variables are those of its base, and in their order: weights can
    be copied into a `keras.layers.BatchNormalization`. For training only.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise `inputs` (N, H, W, C) by the batch in training, else by moving averages."""
        if not IS_TENSORFLOW:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        offset = tf.convert_to_tensor(self.beta)
        scale = tf.convert_to_tensor(self.gamma) if self.scale else tf.ones_like(offset)
        empty = tf.zeros([0])
        mean = empty if training else tf.convert_to_tensor(self.moving_mean)
        variance = empty if training else tf.convert_to_tensor(self.moving_variance)
        normalized = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=scale,
            offset=offset,
            mean=mean,
            variance=variance,
            epsilon=self.epsilon,
            is_training=bool(training),
        )
        if training:
            keep = self.momentum
            self.moving_mean.assign(self.moving_mean * keep + normalized[1] * (1 - keep))
            self.moving_variance.assign(self.moving_variance * keep + normalized[2] * (1 - keep))
        return normalized[0]
