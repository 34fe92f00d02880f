"""The trained network in a file: plain Keras, and the seam of the codec."""

from pathlib import Path

import keras
import numpy as np
import pytest

from cifar_pipeline.codec.klt import fit_block_transform
from cifar_pipeline.codec.learned import Learned, save_codec
from cifar_pipeline.codec.network import build_networks
from codec_trainings import NETWORK
from synthetic import synthetic_split

pytestmark = pytest.mark.trains

IMAGES = synthetic_split(8, 0)[0]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transform = fit_block_transform(IMAGES, NETWORK.block_size, NETWORK.channels)
    path = tmp_path_factory.mktemp("codec") / "codec.keras"
    trained = build_networks(NETWORK, transform, "bfloat16")
    save_codec(path, NETWORK, transform, trained)
    before = path.read_bytes()
    save_codec(path, NETWORK, transform, trained)
    assert path.read_bytes() == before
    return path


def test_plain_keras_answers_what_the_transform_does(archive: Path) -> None:
    learned = Learned(np.frombuffer(archive.read_bytes(), np.uint8))
    assert (learned.stride, learned.channels) == (8, 192)
    levels = np.arange(8, dtype=np.uint8) * 30
    symbols = learned.symbols(learned.features(IMAGES), levels)
    assert (symbols.dtype, symbols.shape) == (np.int32, (8, 4, 4, 192))
    pixels = learned.pixels(symbols, levels)
    assert (pixels.dtype, pixels.shape) == (np.uint8, IMAGES.shape)
    whole = keras.saving.load_model(archive, compile=False, safe_mode=True)
    found = whole.predict_on_batch([IMAGES.astype(np.float32), levels.astype(np.int32)])
    np.testing.assert_allclose(np.clip(found, 0, 255), pixels, atol=0.51)
    errors = np.square(pixels.astype(float) - IMAGES).mean(axis=(1, 2, 3))
    assert (np.diff(errors) < 0).all()


def test_arrays_are_a_round_trip(archive: Path) -> None:
    learned = Learned(np.frombuffer(archive.read_bytes(), np.uint8))
    again = Learned.from_arrays(learned.to_arrays())
    features = learned.features(IMAGES[:, :16, :24])
    assert features.shape == (8, 2, 3, 192)
    assert np.array_equal(features, again.features(IMAGES[:, :16, :24]))
