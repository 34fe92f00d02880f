import sys

import numpy as np
import pytest
from constriction import stream

from cifar_pipeline.codec.entropy_coder import (
    TOTAL,
    DamagedPayloadError,
    Decoder,
    Encoder,
    coder_model,
    require_coder,
)
from cifar_pipeline.common.errors import PipelineError
from codec_models import random_tables

WHOLE_RANGE = 2**64 - 1  # of a coder that has coded nothing


@pytest.mark.parametrize("largest", [1, 20, 127])
def test_the_librarys_frequencies_are_ours_to_the_integer(largest: int) -> None:
    """Read off the coder's state: the interval that a symbol leaves of the whole one."""
    (frequencies,) = random_tables(largest=largest, tables=1).frequencies.astype(object)
    starts = np.cumsum(frequencies) - frequencies
    for symbol, (start, frequency) in enumerate(zip(starts, frequencies, strict=True)):
        encoder = stream.queue.RangeEncoder()
        encoder.encode(symbol, coder_model(frequencies.astype(np.uint32)))
        _, (lower, width) = encoder.pos()
        scale = WHOLE_RANGE // TOTAL
        expected = scale * start, scale * frequency
        if expected[1] < 2**32:  # the coder has put a word out
            expected = (expected[0] * 2**32) % 2**64, expected[1] * 2**32
        assert (lower, width) == expected


def test_symbols_come_back_in_their_order() -> None:
    models = [coder_model(row) for row in random_tables(tables=2).frequencies]
    encoder = Encoder()
    encoder.put(np.array([1, 0, 7], np.int32), models[0])
    encoder.put(np.array([6], np.int32), models[1])
    decoder = Decoder(encoder.payload())
    assert decoder.take(3, models[0]).tolist() == [1, 0, 7]
    assert decoder.take(1, models[1]).tolist() == [6]
    decoder.require_end()


def test_the_bytes_are_the_same_on_every_machine() -> None:
    """Known ones: a change of the library, or of the order of bytes, shows here."""
    model = coder_model(np.array([1, TOTAL // 4, TOTAL - TOTAL // 4 - 1], np.uint32))
    encoder = Encoder()
    encoder.put(np.array([0, 1, 2, 2, 1, 0, 2], np.int32), model)
    assert encoder.payload().hex() == "1b0000003c9681ff"


def test_bytes_that_no_encoder_writes_are_refused() -> None:
    model = coder_model(np.array([1, TOTAL - 1], np.uint32))
    with pytest.raises(DamagedPayloadError, match="3 bytes"):
        Decoder(b"abc")
    with pytest.raises(DamagedPayloadError, match="no symbols"):
        Decoder(b"\xff" * 8).take(100, model)
    with pytest.raises(DamagedPayloadError, match="left over"):
        Decoder(bytes(12)).require_end()


def test_a_missing_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    require_coder()
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(PipelineError, match="make setup EXTRAS=codec"):
        require_coder()
