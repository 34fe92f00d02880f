"""The advice of each error fits its cause."""

import errno
import io
import resource
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import BaseModel

from cifar_pipeline.common.system_errors import (
    advice_for,
    errno_of,
    is_of_system,
    line_of,
    place_of,
    reason_of,
    refusal,
)
from refusals import FITTING, assert_fitting, refused


@pytest.mark.parametrize("name", FITTING)
def test_the_advice_fits_the_number(name: str) -> None:
    line = refusal(refused(name), "place", "written")
    assert line.startswith("place: cannot be written (")
    assert_fitting(line, name)
    # What was read is not damaged only because the machine refused to read it.
    assert ("make verify" in advice_for(refused(name), otherwise="make verify")) is (
        name == "ENOENT"
    )


def test_another_place_is_offered_only_where_that_helps() -> None:
    for name, offered in (("ENOSPC", True), ("EROFS", True), ("EMFILE", False), ("ENOMEM", False)):
        line = refusal(refused(name), "place", "written", elsewhere="or take another")
        assert line.endswith("or take another") is offered


class _Schema(BaseModel):
    epochs: int


def _raised(call: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        call()
    return caught.value


def test_the_reason_is_in_words_for_users() -> None:
    junk = _raised(lambda: np.load(io.BytesIO(b"x" * 99)))
    assert reason_of(junk) == "it is no file of arrays"  # not NumPy's hint at an unsafe way
    content = io.BytesIO()
    np.save(content, np.array([{}]))
    content.seek(0)
    assert reason_of(_raised(lambda: np.load(content))) == "it is no file of arrays"
    wrong = _raised(lambda: _Schema.model_validate({"epochs": "x"}))
    assert reason_of(wrong).startswith("epochs: Input should be a valid integer")


class ResourceExhaustedError(Exception):
    """As TensorFlow names a lack of memory, and a full disk."""


ResourceExhaustedError.__module__ = "tensorflow.python.framework.errors_impl"
NUMPY = "IMPORTANT: PLEASE READ THIS\n\nOriginal error was: libblas.so: failed to map segment from"
TENSORFLOW = "Traceback (most recent call last):\n  File x\nImportError: libcc.so: {}\n\nFailed to"


@pytest.mark.parametrize(
    ("error", "fitting"),
    [
        (MemoryError(), "memory"),
        (ResourceExhaustedError("OOM when allocating tensor with shape[9]"), "memory"),
        (ResourceExhaustedError("model.pb; No space left on device"), "free some space"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"), "memory"),
        (
            OSError("[Errno 28] Can't write data (errno = 28, error message = 'No space')"),
            "free some space",
        ),
        (OSError("Unable to create file (errno = 13, error message = 'Permission')"), "ls -ld"),
        (ImportError(NUMPY), "memory"),
        (ImportError(TENSORFLOW.format("failed to map segment from shared object")), "memory"),
        (ImportError(TENSORFLOW.format("undefined symbol: x")), "make setup"),
        (ImportError("libcudart.so: cannot open shared object file: No such file"), "make setup"),
        (ImportError("x.so: cannot open shared object file: Too many open files"), "ulimit -n"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "make setup"),
        (RuntimeError("can't start new thread"), "ulimit -u"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "TMPDIR"),
    ],
)
def test_libraries_say_it_in_their_own_words(error: Exception, fitting: str) -> None:
    advice = advice_for(error)
    assert fitting in advice
    assert ("free some space" in advice) is (fitting == "free some space")
    assert "\n" not in reason_of(error)
    assert "Traceback" not in reason_of(error)


def test_a_limit_on_address_space_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (600_000 * 1024, -1))
    assert "`ulimit -v`, 600,000 kB now" in advice_for(MemoryError())
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, -1))
    assert "ulimit" not in advice_for(MemoryError())


def test_a_limit_on_data_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {resource.RLIMIT_DATA: 300_000 * 1024}
    monkeypatch.setattr(
        resource, "getrlimit", lambda kind: (limits.get(kind, resource.RLIM_INFINITY), -1)
    )
    assert "`ulimit -d`, 300,000 kB now" in advice_for(MemoryError())


def test_the_machine_is_not_blamed_for_damage_or_mistakes() -> None:
    for error in (ValueError("truncated"), KeyError("x"), EOFError()):
        assert advice_for(error, otherwise="fetch it again") == "fetch it again"
        assert line_of(error) is None
    assert line_of(RuntimeError("a mistake")) is None
    invalid = refused("EINVAL")  # a damaged archive leads to a place before its beginning
    assert advice_for(invalid, otherwise="fetch it again") == "fetch it again"
    assert [is_of_system(each) for each in (invalid, OSError("x"), refused("EIO"))] == [0, 0, 1]
    assert errno_of(OSError("no number")) is None
    assert line_of(OSError("no number")) == "no number"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (refused("EROFS", "a"), "a: Read-only file system; "),
        (refused("ENOSPC"), "No space left on device; free some space"),
        (OSError(errno.EACCES, "Permission denied", "temporary", None, "final"), "final: Perm"),
        (MemoryError(), "not enough memory ("),
        (ImportError("cannot import name 'a'", name="b"), "b cannot be imported (cannot import"),
        (RuntimeError("can't start new thread"), "can't start new thread; raise"),
    ],
)
def test_what_nothing_has_caught_is_a_line(error: Exception, line: str) -> None:
    assert (line_of(error) or "").startswith(line)


def test_a_place_may_be_bytes() -> None:
    assert place_of(OSError(1, "x", b"name")) == "name"
    assert place_of(OSError(1, "x", 7)) is None


def test_a_reason_is_a_line_that_is_not_long() -> None:
    assert reason_of(ValueError("a\n  b")) == "a b"
    assert len(reason_of(ValueError("a" * 999))) == 200
    assert reason_of(ValueError()) == "ValueError"
