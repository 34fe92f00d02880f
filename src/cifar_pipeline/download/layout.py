"""The type of a layout: the members of an archive, and how they become the six batch files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One way in which an archive can hold CIFAR-10.

    Attributes:
        title: its name in messages.
        members: the names of all files that `batches` reads.
        batches: yields name and bytes of each of the six batch files, of the contents of the
            members by name. It raises `ArchiveError` where a content is not as expected.
    """

    title: str
    members: frozenset[str]
    batches: Callable[[Mapping[str, bytes]], Iterator[tuple[str, bytes]]]
