from dataclasses import replace

import numpy as np
import pytest

from cifar_pipeline.codec.entropy_coder import TOTAL
from cifar_pipeline.codec.tables import Tables
from codec_models import random_tables

TABLES = random_tables()
LARGER, ZERO = TABLES.frequencies.copy(), TABLES.frequencies.copy()
LARGER[0, 1] += 1
ZERO[0, :2] = 0, ZERO[0, :2].sum()


def test_arrays_make_the_same_tables() -> None:
    again = Tables.from_arrays(TABLES.to_arrays())
    assert again.to_arrays().keys() == TABLES.to_arrays().keys()
    assert all(
        np.array_equal(array, again.to_arrays()[name]) for name, array in TABLES.to_arrays().items()
    )


def test_what_a_table_lacks_is_an_escape() -> None:
    symbols = np.array([-3, 0, 3, 4, -4, 2**31 - 1, -(2**31)], np.int32)
    assert TABLES.clipped(symbols).tolist() == [-3, 0, 3, 4, 4, 4, 4]


def test_bits_are_minus_the_logarithm_of_the_probability() -> None:
    assert TABLES.bits[1, 2] == pytest.approx(-np.log2(TABLES.frequencies[1, 2] / TOTAL))


@pytest.mark.parametrize(
    "change",
    [
        {"frequencies": LARGER},
        {"frequencies": ZERO},
        {"frequencies": TABLES.frequencies[:0]},
        {"frequencies": TABLES.frequencies.astype(np.int64)},
        {"frequencies": TABLES.frequencies[0]},
        {"choice": TABLES.choice[:9]},
        {"choice": TABLES.choice[:, :0]},
        {"choice": TABLES.choice + np.uint8(5)},
        {"group": 0},
        {"predictor": None},
        {"predictor": random_tables(channels=4).predictor},
    ],
)
def test_arrays_that_are_no_tables_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"table|frequenc|choice|group|shape|predictor"):
        replace(TABLES, **change)  # type: ignore[arg-type]
