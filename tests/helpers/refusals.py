"""What file systems refuse, and a word of the advice that fits."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FITTING = {
    "ENOSPC": "free some space",
    "EDQUOT": "free some space of your quota",
    "EFBIG": "ulimit -f",
    "EROFS": "read-only",
    "EACCES": "ls -ld",
    "EPERM": "ls -ld",
    "EMFILE": "ulimit -n",
    "ENFILE": "close other programs",
    "EAGAIN": "ulimit -u",
    "ENOMEM": "memory",
    "ENAMETOOLONG": "shorter",
    "EISDIR": "a folder is where a file is expected",
    "ENOTDIR": "a file is where a folder is expected",
    "EEXIST": "a file is where a folder is expected",
    "ENOENT": "correct its name",
    "ELOOP": "circle",
    "EIO": "failing",
    "ESTALE": "bring the disk or the connection to it back",
    "ENOTCONN": "bring the disk or the connection to it back",
    "EBUSY": "another program",
    "ETXTBSY": "another program",
    "ENOSYS": "local disk",
    "ENOLCK": "local disk",
    "EOPNOTSUPP": "local disk",
    "ENODEV": "local disk",
    "EXDEV": "local disk",
    "EILSEQ": "does not take such a name",
}


def refused(name: str, *files: Any) -> OSError:
    """Return the error of the system whose number has this name."""
    number = getattr(errno, name)
    return OSError(number, os.strerror(number), *files)


def assert_fitting(message: str, name: str) -> None:
    """Demand one line with the reason and the advice of an error, and of no other."""
    assert "\n" not in message
    assert os.strerror(getattr(errno, name)) in message
    assert FITTING[name] in message
    assert ("free some space" in message) is (name in ("ENOSPC", "EDQUOT"))


def refuse(
    patch: pytest.MonkeyPatch,
    function: str,
    name: str,
    where: Callable[[Any], bool] = lambda _: True,
) -> list[Any]:
    """Let a function, such as os.chmod, refuse what `where` says of its first argument.

    Returns:
        The first arguments that were refused, one after the other.
    """
    module, attribute = function.rsplit(".", 1)
    original = getattr(__import__(module), attribute)
    asked: list[Any] = []

    def refusing(first: Any, *others: Any, **options: Any) -> Any:
        if not where(first):
            return original(first, *others, **options)
        asked.append(first)
        files = (os.fspath(first),) if isinstance(first, str | Path) else ()
        if attribute in ("replace", "rename") and files:
            files = (*files, None, os.fspath(others[0]))
        raise refused(name, *files)

    patch.setattr(function, refusing)
    return asked
