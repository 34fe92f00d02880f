"""An iterator in a thread of its own: its items, its error, its end, and the time for each."""

import threading

import pytest

from cifar_pipeline.download.in_time import in_time


def test_items_come_in_order_and_none_at_the_end():
    with in_time(number for number in range(30)) as take:
        assert [take(5) for _ in range(31)] == [*range(30), None]


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise KeyError("x")

    with in_time(items()) as take:
        assert take(5) == 1
        with pytest.raises(KeyError):
            take(5)


def test_what_takes_too_long_is_not_waited_for():
    go, closed = threading.Event(), threading.Event()

    def items():
        try:
            go.wait(5)
            yield 1
        finally:
            closed.set()

    with in_time(items()) as take, pytest.raises(TimeoutError):
        take(0.01)
    go.set()
    assert closed.wait(5)


def test_an_iterator_without_end_ends_with_the_block():
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    with in_time(items()) as take:
        assert take(5) == 1
    assert closed.wait(5)
