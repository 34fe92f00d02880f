"""The range coder, which is the library constriction's, with frequencies that are integers.

constriction takes probabilities as floats and turns them into integers itself. Of n symbols it
makes `floor(p_1 + ... + p_i) * (2^24 - n) / sum + i` for cumulative frequencies, with one added to
each frequency so that none is zero. Given frequencies less one, whose sum is 2^24 - n, the factor
is exactly 1 and each partial sum is an integer below 2^24, which a float32 holds: no rounding takes
place, and the frequencies are ours on every processor. A test reads them off the coder's state.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np

from cifar_pipeline.common.errors import PipelineError

TOTAL = 1 << 24  # of the frequencies of a table
_WORD = np.dtype("<u4")
WORD_BYTES = _WORD.itemsize


class DamagedPayloadError(PipelineError):
    """The bytes are none that the encoder writes."""


def require_coder() -> None:
    """Say in one line what to install where the library is missing.

    Raises:
        PipelineError: it is missing.
    """
    if find_spec("constriction") is None:
        raise PipelineError(
            "the codec needs the package constriction, which is not installed; "
            "`make setup EXTRAS=codec` installs it"
        )


def coder_model(frequencies: np.ndarray) -> Any:
    """Return the library's model of one table.

    Args:
        frequencies: integers (symbols,), each at least 1, with the sum 2^24.
    """
    from constriction import stream

    return stream.model.Categorical((frequencies - 1).astype(np.float32), perfect=False)


class Encoder:
    """Collects symbols, and makes bytes of them."""

    def __init__(self) -> None:
        from constriction import stream

        self._encoder = stream.queue.RangeEncoder()

    def put(self, symbols: np.ndarray, model: Any) -> None:
        """Append int32 symbols (n,), each from 0 to the table's length less 1."""
        self._encoder.encode(symbols, model)

    def payload(self) -> bytes:
        """Return all that was appended, a whole number of words of 4 bytes."""
        return self._encoder.get_compressed().astype(_WORD).tobytes()


class Decoder:
    """Takes the symbols out of `Encoder.payload`, in their order and with the same models.

    Raises:
        DamagedPayloadError: the bytes are no whole number of words.
    """

    def __init__(self, payload: bytes) -> None:
        from constriction import stream

        if len(payload) % WORD_BYTES:
            raise DamagedPayloadError(f"{len(payload)} bytes are no multiple of {WORD_BYTES}")
        words = np.frombuffer(payload, _WORD).astype(np.uint32)
        self._decoder = stream.queue.RangeDecoder(words)

    def take(self, count: int, model: Any) -> np.ndarray:
        """Return the next `count` symbols, int32 (count,).

        Raises:
            DamagedPayloadError: no such symbols were ever appended. What lies behind the end of
                the bytes is taken for zeros and not noticed.
        """
        try:
            return self._decoder.decode(model, count)
        except AssertionError:  # the library's word for it
            raise DamagedPayloadError("no symbols that this model codes") from None

    def require_end(self) -> None:
        """Refuse bytes that are left over.

        Raises:
            DamagedPayloadError: some are.
        """
        if not self._decoder.maybe_exhausted():
            raise DamagedPayloadError("bytes are left over")
