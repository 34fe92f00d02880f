"""The trained network as a transform of the codec, and as an archive that plain Keras loads."""

import tempfile
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from keras import layers

from cifar_pipeline.codec.klt import BlockTransform
from cifar_pipeline.codec.network import LEVELS, CodecNetworks, build_networks
from cifar_pipeline.codec.params import TransformNetwork
from cifar_pipeline.trained_model.canonical_archive import save_canonical

_BATCH_PIXELS = 250 * 32 * 32  # in one call of a network
_WORTH_COMPILING = 4  # batches
_ARCHIVE = "archive"


class Learned:
    """A trained network; see `Transform` for what its functions take and return.

    It computes in float32, whatever the precision of its training.

    Args:
        archive: of `save_codec`, its bytes as uint8 (bytes,). It brings no code of its own.

    Raises:
        ValueError: by Keras, as other errors: the archive is damaged.
    """

    kind = "learned"

    def __init__(self, archive: np.ndarray) -> None:
        self._archive = archive
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "codec.keras")
            path.write_bytes(archive.tobytes())
            whole = keras.saving.load_model(path, compile=False, safe_mode=True)
        self._encoder, self._gains, self._decoder = (
            whole.get_layer(name) for name in CodecNetworks._fields
        )

    @property
    def stride(self) -> int:
        """Pixels a side of a block."""
        return int(self._encoder.get_layer("transform").strides[0])

    @property
    def channels(self) -> int:
        """Numbers of a block."""
        return int(self._encoder.output_shape[-1])

    def features(self, images: np.ndarray) -> np.ndarray:
        """See `Transform`."""
        return _answers(self._encoder, [images], images[0, ..., 0].size)

    def symbols(self, features: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """See `Transform`."""
        return np.rint(features * self._factors[levels]).astype(np.int32)

    def pixels(self, symbols: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """See `Transform`."""
        pixels = symbols[0, ..., 0].size * self.stride**2
        found = _answers(self._decoder, [symbols, levels], pixels)
        return np.clip(np.rint(found), 0, 255).astype(np.uint8)

    @cached_property
    def _factors(self) -> np.ndarray:
        """The gains of all levels, float32 (256, 1, 1, channels)."""
        return keras.ops.convert_to_numpy(self._gains(np.arange(LEVELS, dtype=np.int32)))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `Transform`."""
        return {_ARCHIVE: self._archive}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Learned":
        """Return the transform of `to_arrays`; errors as for the class."""
        return cls(arrays[_ARCHIVE])


def _answers(network: keras.Model, inputs: list[np.ndarray], pixels: int) -> np.ndarray:
    """Return the outputs of a network for images of so many pixels each, float32 (N, ...).

    Batches of one shape are computed by a compiled function. A batch that is smaller is computed
    layer by layer: TensorFlow would compile a function for each shape, and warn of that.
    """
    number, batch = len(inputs[0]), max(1, _BATCH_PIXELS // pixels)
    outputs = []
    for at in range(0, number, batch):
        some = [
            each[at : at + batch].astype(tensor.dtype)
            for each, tensor in zip(inputs, network.inputs, strict=True)
        ]
        given = some if len(some) > 1 else some[0]
        whole = len(some[0]) == batch and number >= _WORTH_COMPILING * batch
        found = network.predict_on_batch(given) if whole else network(given, training=False)
        outputs.append(keras.ops.convert_to_numpy(found))
    return np.concatenate(outputs)


def save_codec(
    path: Path, params: TransformNetwork, transform: BlockTransform, trained: CodecNetworks
) -> None:
    """Write the trained networks as one model of plain Keras layers, in float32.

    It takes pixels (n, H, W, 3) and levels, integers (n,), and returns pixels: what a file of that
    quality would decode to. Its parts are its layers "encoder", "gains" and "decoder".
    """
    plain = build_networks(params, transform, "float32")
    for network, other in zip(plain, trained, strict=True):
        network.set_weights(other.get_weights())
    pixels = keras.Input((None, None, 3), dtype="float32", name="pixels")
    levels = keras.Input((), dtype="int32", name="levels")
    latents = layers.Multiply(name="scaled_latents")([plain.encoder(pixels), plain.gains(levels)])
    decoded = plain.decoder([keras.ops.round(latents), levels])
    codec = keras.Model([pixels, levels], decoded, name="codec")
    for operation in codec.operations:
        if operation.name.startswith("round"):
            operation.name = "rounded_latents"  # Keras numbers them over the whole process
    save_canonical(codec, path, {})
