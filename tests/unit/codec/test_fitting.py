import numpy as np
import pytest

from cifar_pipeline.codec.blocks import estimate_bits
from cifar_pipeline.codec.fitting import Layout, fit_tables
from cifar_pipeline.codec.tables import Tables

LEVELS = (0, 60, 120, 190, 255)


def laplacian(level: int, count: int = 600, seed: int = 0) -> np.ndarray:
    """Return symbols whose spread grows with the level; that of channel 1 is half of channel 0's.

    And in one half of the images it is a fifth of what it is in the other.
    """
    rng = np.random.default_rng((seed, level))
    scale = 0.5 * np.exp(level / 100) * np.array([1, 0.5])
    of_image = np.where(np.arange(count) % 2, 1, 0.2)[:, None, None, None]
    return np.rint(rng.laplace(size=(count, 4, 4, 2)) * scale * of_image).astype(np.int32)


def fitted() -> Tables:
    layout = Layout(2, group=1, has_neighbours=True, largest=31, tables=24)
    return fit_tables(((level, laplacian(level)) for level in LEVELS), layout)


def bits(tables: Tables, level: int) -> float:
    symbols = laplacian(level, seed=1)
    return estimate_bits(symbols, np.full(len(symbols), level, np.uint8), tables).sum()


def entropy(level: int) -> float:
    """Return the bits of the same symbols by each channel's own histogram."""
    total = 0.0
    symbols = laplacian(level, seed=1)
    for channel in range(symbols.shape[-1]):
        _, counts = np.unique(symbols[..., channel], return_counts=True)
        total -= (counts * np.log2(counts / counts.sum())).sum()
    return total


@pytest.fixture(scope="module")
def tables() -> Tables:
    return fitted()


@pytest.mark.parametrize("level", [0, 30, 120, 160, 255])
def test_contexts_save_bits_at_all_levels(tables: Tables, level: int) -> None:
    """Also at levels of which no symbols were seen: they fall between."""
    assert bits(tables, level) < 0.98 * entropy(level)


def test_the_same_symbols_make_the_same_tables(tables: Tables) -> None:
    again = fitted()
    assert (again.frequencies == tables.frequencies).all()
    assert (again.choice == tables.choice).all()


def test_there_are_no_more_tables_than_asked_for(tables: Tables) -> None:
    assert 2 < len(tables.frequencies) <= 24
    assert tables.largest == 31
