"""The kinds of remote sources, and what fetches a source of each kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cifar_pipeline.download.http import fetch
from cifar_pipeline.download.npm import pack, why_no_npm
from cifar_pipeline.download.progress import ProgressBar
from cifar_pipeline.download.rate_limit import RateMonitor


def _always() -> None:
    """Return None: nothing that this kind needs is missing."""


@dataclass(frozen=True)
class Fetcher:
    """The functions of one kind of source.

    Attributes:
        fetch: writes the archive at an address to a path. The path may hold the first bytes of an
            earlier attempt, and the function may continue it. It reports the bytes that arrive to
            the monitor and to the progress bar. It returns whether all bytes came in one piece. It
            raises `SourceError` where the source fails, and `OSError` where the path cannot be
            written.
        unavailable: returns why no source of this kind can work on this machine, None if it can.
    """

    fetch: Callable[[str, Path, RateMonitor, ProgressBar], bool]
    unavailable: Callable[[], str | None] = _always


# By the kinds that params/download.py reads from the prefix of an address.
FETCHERS: Mapping[str, Fetcher] = {"http": Fetcher(fetch), "npm": Fetcher(pack, why_no_npm)}
