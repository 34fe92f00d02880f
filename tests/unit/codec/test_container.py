from pathlib import Path

import pytest

from cifar_pipeline.codec import container
from cifar_pipeline.codec.container import ContainerError, Writer, read_container, read_payloads
from cifar_pipeline.codec.index import Kind, Source
from cifar_pipeline.common.errors import PipelineError

DIGEST = "ab" * 32


def write(path: Path, payloads: tuple[bytes, ...] = (b"abcd", b"", b"12345678")) -> Path:
    with path.open("wb") as file:
        writer = Writer(file, DIGEST)
        for payload in payloads:
            writer.add(payload, b"\7\x08", 32, 31)
        writer.close([Source(Kind.ARRAY, "a.npy", 2 * len(payloads))])
    return path


def read(path: Path) -> list[bytes]:
    return [payload for _, payload in read_payloads(read_container(path))]


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    found = read_container(write(tmp_path / "x"))
    assert (found.digest, found.images, found.payload) == (DIGEST, 6, 12)
    assert found.pixels == 6 * 32 * 31
    assert found.size == (tmp_path / "x").stat().st_size
    assert read(tmp_path / "x") == [b"abcd", b"", b"12345678"]


def test_every_damaged_byte_is_noticed(tmp_path: Path) -> None:
    content = write(tmp_path / "x").read_bytes()
    for at in range(len(content)):
        damaged = bytearray(content)
        damaged[at] ^= 1 << at % 8
        (tmp_path / "x").write_bytes(damaged)
        with pytest.raises(ContainerError) as error:
            read(tmp_path / "x")
        assert len(error.value.lines) == 1


def test_every_missing_or_added_byte_is_noticed(tmp_path: Path) -> None:
    content = write(tmp_path / "x").read_bytes()
    for at in range(0, len(content), 3):
        for damaged in (content[:at], content[at + 1 :], content[:at] + b"\0" + content[at:]):
            (tmp_path / "x").write_bytes(damaged)
            with pytest.raises(ContainerError):
                read(tmp_path / "x")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x89CIFC", "cut off"),
        (b"PK\3\4" + bytes(99), "another kind"),
        (b"\x89CIFC\n\x1a" + bytes(99), "line ends"),
    ],
)
def test_a_foreign_file_is_told_apart(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ContainerError, match=reason):
        read_container(tmp_path / "x")


def test_a_later_version_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(container, "VERSION", 2)
        write(tmp_path / "x")
    with pytest.raises(ContainerError, match="version 2 of the format, not 1"):
        read_container(tmp_path / "x")


def test_too_many_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "INDEX_BYTES", 20)
    with pytest.raises(PipelineError, match="several files"):
        write(tmp_path / "x")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be read"):
        read_container(tmp_path / "none")
