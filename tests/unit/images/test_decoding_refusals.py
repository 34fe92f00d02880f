"""Files that are no whole picture are refused in one line."""

import os
import socket
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.images.decoding import decode_picture
from cifar_pipeline.images.paths import PictureError, expand, shown
from pictures import as_nobody, bomb, encoded, noise


def refusal(name: str) -> str:
    with pytest.raises(PictureError) as caught:
        decode_picture(name)
    message = str(caught.value)
    assert message.isprintable()  # and so of one line
    assert message.startswith(f"{shown(name)}: ")
    return message


def outcome(name: str) -> str:
    """Return why a file is refused, "" if it is not."""
    try:
        assert decode_picture(name).shape == (32, 32, 3)
    except PictureError as error:
        return str(error)
    return ""


def test_an_address_is_no_file() -> None:
    assert "an address, and nothing is fetched" in refusal("https://example.org/a.png")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000", "PPM"]
)
def test_truncated(kind: str, share: float) -> None:
    content = encoded(noise(64, 64), kind)
    Path("a.png").write_bytes(content[: int(len(content) * share)])
    message = refusal("a.png")
    assert "cut off" in message or "only part of one" in message


@pytest.mark.parametrize("content", [b"hello", b"<svg/>", b"%!PS\n", bytes(1000), b"\xff\xd8\xff"])
def test_renamed(content: bytes) -> None:
    Path("a.jpg").write_bytes(content)
    assert "expected PNG, JPEG" in refusal("a.jpg") or "cut off" in refusal("a.jpg")


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    Path("a.png").write_bytes(bomb())
    start = time.monotonic()
    assert "pixels than the 120,000,000" in refusal("a.png")
    Path("a.png").write_bytes(bomb(12_000, 10_001))  # below Pillow's own limit
    assert "12,000 x 10,001 pixels" in refusal("a.png")
    assert time.monotonic() - start < 5


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    with Path("a.webp").open("wb") as file:
        file.write(b"RIFF\xff\xff\xff\xffWEBPVP8 ")
        file.truncate(2**40)  # takes no disk
    assert "1,099,511,627,776 bytes" in refusal("a.webp")


def test_what_is_no_file() -> None:
    Path("folder.png").mkdir()
    os.mkfifo("pipe.png")
    Path("loop.png").symlink_to("loop.png")
    Path("broken.png").symlink_to("gone.png")
    Path("empty.png").touch()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        assert "socket or device" in refusal("socket.png")
    assert "a folder" in refusal("folder.png")
    assert "a pipe" in refusal("pipe.png")  # nobody writes to it: opening it would wait
    assert "device" in refusal("/dev/zero")
    assert "symbolic links" in refusal("loop.png")
    assert "a link to a file that is not there" in refusal("broken.png")
    assert "empty (0 bytes)" in refusal("empty.png")
    assert "no such file" in refusal("gone.png")
    assert "name too long" in refusal("x" * 300 + ".png")


def test_no_permission(tmp_path: Path) -> None:
    Path("a.png").write_bytes(encoded(noise(), "PNG"))
    Path("a.png").chmod(0)
    Path("closed").mkdir(mode=0o700)
    Path("closed/b.png").write_bytes(encoded(noise(), "PNG"))
    Path("closed").chmod(0)
    with as_nobody(tmp_path):
        assert "Permission denied" in refusal("a.png")
        assert "Permission denied" in refusal("closed/b.png")
        assert list(expand(["closed/b.png"])) == ["closed/b.png"]
        (error,) = expand(["closed"])
        assert "closed: this folder cannot be read (Permission denied)" in str(error)


def test_values_that_are_not_finite() -> None:
    Path("a.tif").write_bytes(encoded(np.full((9, 9), np.nan, np.float32), "TIFF"))
    assert "not finite" in refusal("a.tif")


def test_whatever_pillow_raises_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.png").write_bytes(encoded(noise(), "PNG"))
    for error in (MemoryError(), RecursionError("a\nb"), SyntaxError("x\x1b[2J"), AssertionError()):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(Image, "open", fail)
        assert "save it" in refusal("a.png")


def test_random_damage_is_refused_or_decoded_without_noise(
    capfd: pytest.CaptureFixture[str],
) -> None:
    random = np.random.default_rng(7)
    kinds = ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]
    contents = [encoded(noise(20, 30), kind) for kind in kinds]
    contents.append(encoded(noise(20, 30), "TIFF", compression="tiff_lzw"))
    messages = []
    for _ in range(40):
        for content in contents:
            damaged = np.frombuffer(content, np.uint8).copy()
            damaged[random.integers(0, len(damaged), 8)] = random.integers(0, 256, 8)
            Path("a.bin").write_bytes(damaged.tobytes())
            messages += [outcome("a.bin")]
    refused = [message for message in messages if message]
    assert 40 < len(refused) < len(messages)
    assert all(message.isprintable() for message in refused)
    assert capfd.readouterr() == ("", "")  # libtiff writes to the descriptor itself
