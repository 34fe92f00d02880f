import numpy as np

from cifar_pipeline.codec.contexts import CONTEXTS, GroupContexts


def contexts(symbols: np.ndarray, group: int = 2) -> np.ndarray:
    """Return the context of each symbol, of an array (channels, rows, columns, images)."""
    found = np.full(symbols.shape, -1)
    seen = GroupContexts(symbols.shape, group)
    for wave in seen:
        known = seen.of(wave)
        assert (known.shift, known.flip) == (0, 1)
        found[wave.place] = known.contexts
        seen.learn(wave, symbols[wave.place])
    return found


def test_a_context_depends_on_earlier_groups_alone() -> None:
    symbols = np.random.default_rng(0).integers(-300, 300, (6, 2, 1, 3)).astype(np.int32)
    before = contexts(symbols)
    assert (before >= 0).all()
    for first in (4, 2, 0):
        symbols[first:] = 7
        assert (contexts(symbols)[: first + 2] == before[: first + 2]).all()


def test_a_context_tells_large_magnitudes_from_small_ones() -> None:
    symbols = np.zeros((3, 1, 1, 3), np.int32)
    symbols[0, ..., 1:] = 4, -4  # the magnitude counts
    found = contexts(symbols, group=1)[:, 0, 0]
    assert found[0].tolist() == [0, 0, 0]
    assert found[1].tolist() == [0, 4, 4]
    assert found[2].tolist() == [0, 3, 3]  # a quarter less


def test_huge_magnitudes_overflow_nothing() -> None:
    symbols = np.full((384, 1, 1, 1), -(2**30), np.int32)
    assert (contexts(symbols, group=128)[128:] == CONTEXTS - 1).all()
