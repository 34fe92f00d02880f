"""Archives made to do harm: the right bytes, or one line; nothing outside the project's folders."""

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_makers import make_batches, make_tar, npm_members, official_archive, python_archive
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download import tar_reader
from cifar_pipeline.download.stage import download
from download_fixtures import batches, cache, check, choose, hashes, raw  # noqa: F401

BATCHES = make_batches()
FOLDER = "cifar-10-batches-bin"
OFFICIAL = {f"{FOLDER}/{name}": content for name, content in BATCHES.items()}
TEST = f"{FOLDER}/test_batch.bin"
GOOD = official_archive(BATCHES)


def tar(*entries: tuple[str, bytes, dict[str, Any]], rest: dict[str, bytes] = OFFICIAL) -> bytes:
    """Return an archive of odd entries, name, content and attributes of each, then of `rest`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
        for name, content, attributes in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for attribute, value in attributes.items():
                setattr(entry, attribute, value)
            archive.addfile(entry, io.BytesIO(content))
        for name, content in rest.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def entry(name: str, kind: bytes, target: str = "/etc/passwd") -> bytes:
    """Return an archive with a link or device of this name, and the other files."""
    rest = {other: content for other, content in OFFICIAL.items() if other != name}
    return tar((name, b"", {"type": kind, "linkname": target}), rest=rest)


def claiming(size: int, kind: bytes = b"0") -> bytes:
    """Return an archive whose first member claims a size that it has not."""
    header = tarfile.TarInfo(TEST)
    header.size, header.type = size, kind
    return header.tobuf(tarfile.GNU_FORMAT) + bytes(10240)


def pax_chain(length: int) -> bytes:
    """Return an archive of pax headers alone, each of which describes the next one."""
    header = tarfile.TarInfo("x")
    header.size, header.type = 20, tarfile.XHDTYPE
    block = header.tobuf(tarfile.USTAR_FORMAT) + b"20 path=aaaaaaaaaaa\n".ljust(512, b"\0")
    return block * length


def pickled(opcodes: bytes) -> bytes:
    return python_archive(BATCHES, before=opcodes)


HARMLESS = {
    "names that leave the folder": tar(
        ("../evil", b"x", {}), ("/tmp/evil", b"x", {}), ("a/../../evil", b"x", {})
    ),
    "links and devices beside the files": tar(
        ("evil", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("pipe", b"", {"type": tarfile.FIFOTYPE}),
        ("disk", b"", {"type": tarfile.BLKTYPE, "devmajor": 8}),
    ),
    "a member twice, the last one right": tar((TEST, b"wrong", {})),
    "bytes behind the end": GOOD + b"\0" * 1024 + b"garbage",
    "a second archive behind the end": GOOD + GOOD,
    "packed twice": gzip.compress(GOOD),
    "a pickle that runs a program": pickled(b"cos\nsystem\n(U\x04exitdtR0"),
    "a pickle with persistent ids, extensions and frames": pickled(
        b"Pevil\n0\x82\x010\x95" + struct.pack("<Q", 5) + b"K\x010"
    ),
}
REFUSED = {
    "a link under a file's name": (entry(TEST, tarfile.SYMTYPE), "members of CIFAR-10"),
    "a hard link under a file's name": (entry(TEST, tarfile.LNKTYPE), "members of CIFAR-10"),
    "a device under a file's name": (entry(TEST, tarfile.CHRTYPE), "members of CIFAR-10"),
    "a folder under a file's name": (entry(TEST, tarfile.DIRTYPE), "members of CIFAR-10"),
    "a member twice, the last one wrong": (
        tar(rest={**OFFICIAL, f"./{TEST}": b"wrong"}),
        "is not the official file",
    ),
    "absolute names": (make_tar({f"/{name}": b"x" for name in OFFICIAL}), "has 0 of the members"),
    "a member beyond all memory": (claiming(10**10), "is too large: 10,000,000,000 bytes"),
    "a pax header beyond all memory": (claiming(10**10, tarfile.XHDTYPE), "unpacks to more than"),
    "a long name beyond all memory": (claiming(10**10, b"L"), "unpacks to more than"),
    "a size that leads back to its header": (claiming(-512), "members of CIFAR-10"),
    "pax headers without end": (pax_chain(5_000), "no whole tar archive"),
    "zeros alone": (gzip.compress(bytes(30_000_000), 1), "has 0 of the members"),
    "a bomb behind a name": (tar(("x", bytes(3_000_000), {})), "unpacks to more than 2,000,000"),
    "a bomb of bz2": (bz2.compress(claiming(10**9)), "is too large"),
    "a bomb of xz": (lzma.compress(claiming(10**9, b"x")), "unpacks to more than 2,000,000"),
    "members without end": (tar(*[(f"{i}", b"", {}) for i in range(300)]), "more than 200 members"),
    "a zip file": (b"PK\x03\x04" + bytes(99), "no whole tar archive (103 bytes that begin with"),
    "nothing": (b"", "no whole tar archive (0 bytes"),
    "text": (b"Not found\n", "no whole tar archive (10 bytes that begin with b'Not found\\n')"),
    "a pickle of no batch": (
        make_tar({f"cifar-10-batches-py/{name[:-4]}": b"\x80\x02N." for name in BATCHES}),
        "a pickle with 0 labels",
    ),
    "a pickle of a number beyond all memory": (
        make_tar(
            {
                f"cifar-10-batches-py/{name[:-4]}": b"\x80\x02\x8b\xff\xff\xff\x7f."
                for name in BATCHES
            }
        ),
        "no readable pickle",
    ),
    "labels in brackets without end": (
        make_tar({**npm_members(BATCHES), "package/train_lables.json": b"[" * 100_000}),
        "no readable JSON",
    ),
    **{
        f"cut at {share:.0%}": (GOOD[: int(len(GOOD) * share)], "no whole tar archive")
        for share in (0.001, 0.3, 0.9)
    },
}


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bombs of a few megabytes are bombs."""
    monkeypatch.setattr(tar_reader, "UNPACKED_BYTES", 2_000_000)
    monkeypatch.setattr(tar_reader, "MEMBERS", 200)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[[bytes], str]]:
    """Return a function that writes an archive; assert that nothing else appeared beside it."""
    path = tmp_path / "given.tar"

    def write(content: bytes) -> str:
        path.write_bytes(content)
        return str(path)

    before = set(os.listdir("/tmp"))  # noqa: PTH208 (as quick as can be)
    yield write
    assert {path.name for path in tmp_path.iterdir()} <= {"given.tar", "raw"}
    assert "evil" not in set(os.listdir("/tmp")) - before  # noqa: PTH208


@pytest.mark.fault(
    "an archive with names and links out of the folder, devices, pickles that run programs",
    "they are passed over: nothing is run, nothing written elsewhere",
)
@pytest.mark.parametrize("name", HARMLESS)
def test_what_can_be_passed_over_is(
    name: str,
    place: Callable[[bytes], str],
    choose: Callable[..., Any],  # noqa: F811
    raw: Path,  # noqa: F811
    check: Callable[[], None],  # noqa: F811
) -> None:
    download(raw, choose(source=place(HARMLESS[name])))
    check()


@pytest.mark.fault(
    "an archive that is a bomb, cut, of other files, or no archive",
    "a line says which; time and memory are bounded",
)
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_is_refused_in_a_line(
    name: str,
    place: Callable[[bytes], str],
    choose: Callable[..., Any],  # noqa: F811
    raw: Path,  # noqa: F811
) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(PipelineError) as caught:
        download(raw, choose(source=place(content)))
    line = str(caught.value)
    assert line.startswith("download.source: ")
    assert reason in line
    assert "\n" not in line
    assert not list(raw.iterdir())


@pytest.mark.fault(
    "`download.source` is a pipe or a device, or a folder with one in the place of a file",
    "one line at once: nothing waits for what may never come",
)
@pytest.mark.parametrize("within", [None, "test_batch.bin"])
def test_a_pipe_is_not_waited_for(
    within: str | None,
    choose: Callable[..., Any],  # noqa: F811
    raw: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    if within:
        source.mkdir()
        for name, content in BATCHES.items():
            if name != within:
                (source / name).write_bytes(content)
    os.mkfifo(source / within if within else source)
    with pytest.raises(PipelineError, match="is a pipe"):
        download(raw, choose(source=str(source)))
    assert list(raw.iterdir() if raw.exists() else []) == []
