from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cifar_pipeline.codec.blocks import LARGEST_SYMBOL, decode_block, encode_block, estimate_bits
from cifar_pipeline.codec.entropy_coder import DamagedPayloadError, Decoder
from codec_models import random_tables

SYMBOLS = st.one_of(
    st.integers(-5, 5),
    st.integers(-200, 200),
    st.integers(-LARGEST_SYMBOL, LARGEST_SYMBOL),
)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 20),
    has_neighbours=st.booleans(),
    shape=st.tuples(*[st.integers(1, 4)] * 3),
    data=st.data(),
)
def test_symbols_come_back_exactly(
    seed: int, has_neighbours: bool, shape: tuple[int, int, int], data: st.DataObject
) -> None:
    tables = random_tables(seed, has_neighbours=has_neighbours)
    symbols = data.draw(arrays(np.int32, (*shape, tables.channels), elements=SYMBOLS))
    levels = data.draw(arrays(np.uint8, shape[0]))
    payload = encode_block(symbols, levels, tables)
    assert (decode_block(payload, shape, levels, tables) == symbols).all()
    bits = 8 * len(payload)
    # The coder ends with a word or two that it does not fill.
    assert bits - 64 <= estimate_bits(symbols, levels, tables).sum() * 1.0001 <= bits + 1


def test_the_estimate_is_of_each_image() -> None:
    tables = random_tables()
    rng = np.random.default_rng(0)
    symbols = rng.integers(-6, 6, (5, 4, 4, 3)).astype(np.int32)
    levels = np.arange(5, dtype=np.uint8)
    one_by_one = [estimate_bits(symbols[n : n + 1], levels[n : n + 1], tables)[0] for n in range(5)]
    assert estimate_bits(symbols, levels, tables) == pytest.approx(one_by_one)


def test_estimate_and_payload_differ_by_less_than_two_per_cent() -> None:
    tables = random_tables()
    symbols = np.random.default_rng(0).integers(-6, 6, (9, 8, 8, 3)).astype(np.int32)
    levels = np.zeros(9, np.uint8)
    bits = 8 * len(encode_block(symbols, levels, tables))
    assert estimate_bits(symbols, levels, tables).sum() == pytest.approx(bits, rel=0.02)


@settings(deadline=None)
@given(payload=st.binary(max_size=80))
def test_any_bytes_are_symbols_or_one_line(payload: bytes) -> None:
    tables = random_tables()
    with suppress(DamagedPayloadError):
        found = decode_block(payload, (3, 2, 2), np.zeros(3, np.uint8), tables)
        assert found.shape == (3, 2, 2, 3)


def test_escapes_that_no_encoder_writes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = random_tables()
    payload = encode_block(np.full((1, 1, 1, 3), 99, np.int32), np.zeros(1, np.uint8), tables)
    take = Decoder.take
    for length, reason in ((0, "inside"), (31, "too large")):

        def taken(self: Decoder, count: int, model: object, length: int = length) -> np.ndarray:
            found = take(self, count, model)
            # The lengths of the three escapes are what is taken of all three for the first time.
            return np.full_like(found, length) if count == 3 else found

        monkeypatch.setattr(Decoder, "take", taken)
        with pytest.raises(DamagedPayloadError, match=reason):
            decode_block(payload, (1, 1, 1), np.zeros(1, np.uint8), tables)
