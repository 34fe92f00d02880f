"""Items of an iterator that runs in a thread of its own, so that none is waited for too long.

A time-out of a socket starts anew with every byte: a server that sends one now and then would hold
its client for days.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

Item = TypeVar("Item")
_AHEAD = 8  # items that wait to be taken


@contextmanager
def in_time(items: Generator[Item, None, None]) -> Iterator[Callable[[float], Item | None]]:
    """Yield a function that returns the next item, or None after the last one.

    The function takes the seconds that it may wait. It raises `TimeoutError` when they are over,
    and what the iterator raises. When the block ends, so does the iterator, as soon as what it is
    doing allows.
    """
    taken: queue.Queue[Item | BaseException | None] = queue.Queue(_AHEAD)
    over = threading.Event()

    def hand_over(item: Item | BaseException | None) -> None:
        while not over.is_set():
            with suppress(queue.Full):
                taken.put(item, timeout=0.05)
                return

    def run() -> None:
        try:
            for item in items:
                hand_over(item)
                if over.is_set():
                    break
            hand_over(None)
        except BaseException as error:
            hand_over(error)
        finally:
            items.close()

    def take(seconds: float) -> Item | None:
        try:
            item = taken.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(item, BaseException):
            raise item
        return item

    threading.Thread(target=run, daemon=True).start()
    try:
        yield take
    finally:
        over.set()
