"""Damaged files, thousands of them, through all that reads a file: a process of its own reads them.

`make test-all` reads for MINUTES in all; `make test` reads a few files of each kind. The seeds are
printed; `CIFAR_PIPELINE_SEED=N` begins with that one.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from closure import ROOT
from decoding_child import READERS
from mutations import damaged, damaged_inside
from whole_files import lay_out

SECONDS = 5  # of a processor, for a file
# What a file may take beyond what was there before. A picture of 120 million pixels, which any
# header can claim, takes the most; all else is small.
MEGABYTES = {"picture": 2500, "model": 1500, "codec model": 1500}
OTHER_MEGABYTES = 400
MINUTES = float(os.environ.get("CIFAR_PIPELINE_FUZZ_MINUTES", "30"))
ROUND = 200  # files from one seed
# Of the time; those of one share are pure Python, and are through with less.
SHARES = {"picture": 10, "model": 8, "archive": 3, "params": 2}
ALL_SHARES = sum(SHARES.get(name, 1) for name in READERS)
WITH_KERAS = "model"  # seconds until its child is ready: TensorFlow


class Child:
    """A process that reads files; started anew after a crash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start()

    def _start(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", ROOT / "tests/helpers"))),
        }
        environment |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, ROOT / "tests/helpers/decoding_child.py", self._folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=self._folder,
            )
        assert self._process.stdout
        assert self._process.stdout.readline() == b"ready\n", (self._folder / "log").read_text()

    def ask(self, name: str, content: bytes) -> dict[str, Any]:
        """Return what reading `content` leads to; fails if it crashes or hangs."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{name}\n{len(content)}\n".encode() + content)
        self._process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            # The limit is on the processor's work; a busy machine gets more time.
            answered = selector.select(10 * SECONDS)
        line = self._process.stdout.readline() if answered else b""
        if line:
            return json.loads(line)
        self.end()
        code = self._process.returncode
        self._start()
        raise AssertionError(f"{name}: hangs" if not answered else f"{name}: crashes ({code})")

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[bytes]]]:
    root = tmp_path_factory.mktemp("files")
    return root, lay_out(root)


@pytest.fixture(scope="module")
def child(whole: tuple[Path, dict[str, list[bytes]]]) -> Iterator[Child]:
    started = Child(whole[0])
    yield started
    started.end()


def check(child: Child, name: str, content: bytes) -> str:
    """Read `content` by the reader `name`; return its outcome."""
    answer = child.ask(name, content)
    assert answer["outcome"] in ("read", "refused"), f"{name}: {answer['text']}"
    assert len(answer["text"].splitlines()) <= 1, answer["text"]
    # A table's line may hold a name of any length.
    assert name == "table" or len(answer["text"]) < 1000, answer["text"]
    assert answer["seconds"] < SECONDS, f"{name}: {answer['seconds']:.1f} s"
    most = MEGABYTES.get(name, OTHER_MEGABYTES)
    assert answer["megabytes"] < most, f"{name}: {answer['megabytes']:.0f} MB"
    return str(answer["outcome"])


def files(name: str, whole: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return damaged files for a reader."""
    if name in ("archive", "model", "outputs", "signed checkpoint"):
        return damaged(whole) | damaged_inside(whole[0])
    return damaged(whole)


def campaign(
    child: Child, name: str, whole: list[bytes], seconds: float, first: int, each: int = ROUND
) -> None:
    """Read damaged files for so long, `each` from one seed after the other; of one at least."""
    ends, number, refused = time.monotonic() + seconds, 0, 0
    at = first
    while time.monotonic() < ends or at == first:

        @seed(at)
        @settings(
            max_examples=each,
            database=None,
            deadline=None,
            derandomize=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(files(name, whole))
        def read(content: bytes) -> None:
            nonlocal number, refused
            number += 1
            refused += check(child, name, content) == "refused"

        try:
            read()
        except BaseException:
            print(f"{name}: seed {at}")
            raise
        at += 1
    print(f"{name}: seeds {first} to {at - 1}, {number} files, {refused} refused")


# What damaged files have led to, before it was mended: a traceback, or a line of thousands of
# characters.
FOUND = [
    ("signed checkpoint", b"no archive"),
    ("classes", b""),
    ("classes", b"{"),
    ("classes", b"[" * 2000),
    ("images", b"no array"),
    ("labels", b"\x93NUMPY\x01\x00v\x00{'descr'"),
    ("statistics", b"{}"),
    ("image set", b'{"image_size": "\xff"}'),
    ("files", b"\xff\n"),
    ("manifest", b"[" * 2000),
    ("history", b"epoch,loss\n1,2\n"),
    ("train metrics", b"{}"),
    ("train metrics", b"[" * 2000),
    ("table", b"[" * 2000),
    ("params", b"a: " + b"[" * 2000),
    ("params", b"a: !!bool x"),
    ("params", b"a: &a [*a]\nb: *a"),
    ("params", b"download: [" + b"1, " * 1000 + b"1]"),
]


@pytest.mark.parametrize("name", [name for name in READERS if name != WITH_KERAS])
def test_whole_files_are_read(
    name: str, child: Child, whole: tuple[Path, dict[str, list[bytes]]]
) -> None:
    for content in whole[1][name]:
        assert check(child, name, content) == "read"


@pytest.mark.fault("a file is one that once led to a traceback", "one line says what is wrong")
def test_files_that_were_found(child: Child) -> None:
    for name, content in FOUND:
        expected = "read" if name == "signed checkpoint" else "refused"  # training starts anew
        assert check(child, name, content) == expected, (name, content[:20])


@pytest.mark.fault("a file is damaged, anywhere in it", "one line says so, and soon")
def test_a_few_damaged_files(child: Child, whole: tuple[Path, dict[str, list[bytes]]]) -> None:
    for name in READERS:
        if name != WITH_KERAS:
            campaign(child, name, whole[1][name], 0, int(time.time()), each=6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.fault(
    "10,000 files of `compress` are damaged, in half of them with checksums that are right",
    "no crash, no traceback, no hang, no full memory",
)
@pytest.mark.parametrize("name", ["compressed", "signed compressed"])
def test_ten_thousand_compressed_files(
    name: str, child: Child, whole: tuple[Path, dict[str, list[bytes]]]
) -> None:
    first = int(os.environ.get("CIFAR_PIPELINE_SEED", time.time()))
    campaign(child, name, whole[1][name], 0, first, each=5000)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.fault(
    "thousands of files are damaged", "no crash, no traceback, no hang, no full memory"
)
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_files(
    name: str, child: Child, whole: tuple[Path, dict[str, list[bytes]]]
) -> None:
    child.ask(name, whole[1][name][0])  # which may import TensorFlow
    first = int(os.environ.get("CIFAR_PIPELINE_SEED", time.time()))
    campaign(child, name, whole[1][name], 60 * MINUTES * SHARES.get(name, 1) / ALL_SHARES, first)
