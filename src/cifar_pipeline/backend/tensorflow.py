"""Everything that needs TensorFlow itself. The other Keras backends train without it."""

from typing import Any

import keras

IS_TENSORFLOW = keras.backend.backend() == "tensorflow"


def enable_determinism() -> None:
    """Make every operation of TensorFlow give the same bits on every run."""
    if IS_TENSORFLOW:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def tensorflow_gpu_details() -> dict[str, Any]:
    """Return what TensorFlow knows of the first GPU, nothing where there is none."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return dict(tf.config.experimental.get_device_details(gpus[0])) if gpus else {}
