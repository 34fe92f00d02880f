"""What the machine refuses, in words: the reason of an error, and advice that fits the reason.

Whoever catches errors of the system widely ends here, so that no lack of permission is called a
full disk, and no lack of memory a missing package. Imports the standard library only: it has to
load where nothing else does.
"""

from __future__ import annotations  # an old Python has to load this, to be told that it is old

import errno
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeGuard

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

# What file systems answer that cannot do a thing at all: chmod, fsync, flock, mmap, ...
UNSUPPORTED = frozenset(
    {
        *(errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP),
        *(errno.EPERM, errno.EACCES, errno.EISDIR, errno.ENOTTY, errno.ENODEV, errno.ENOLCK),
    }
)
# Not of one file or folder: another one would fare no better.
OF_THE_MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})

_OTHER_DISK = "this file system cannot do that: work on a local disk"
_CONNECTION = "bring the disk or the connection to it back"
_OWNER = "`ls -ld` shows owner and rights: allow it, or work in a copy of your own"
_FOLDER_IN_THE_WAY = "a folder is where a file is expected: move it away"
_FILE_IN_THE_WAY = "a file is where a folder is expected: move it away"
_ADVICE = {
    errno.ENOSPC: "free some space, or choose a disk with more",
    errno.EDQUOT: "free some space of your quota, or choose another disk",
    errno.EFBIG: "raise the limit on the size of a file (`ulimit -f`), or choose a disk without it",
    errno.EROFS: "the disk is read-only: work in a copy on another one",
    errno.EACCES: _OWNER,
    errno.EPERM: _OWNER,
    errno.EMFILE: "raise the limit on open files (`ulimit -n`)",
    errno.ENFILE: "too many files are open on this machine: close other programs",
    errno.EAGAIN: "raise the limit on processes (`ulimit -u`), or close other programs",
    errno.ENAMETOOLONG: "choose a shorter name or path",
    errno.EISDIR: _FOLDER_IN_THE_WAY,
    errno.ENOTEMPTY: _FOLDER_IN_THE_WAY,
    errno.ENOTDIR: _FILE_IN_THE_WAY,
    errno.EEXIST: _FILE_IN_THE_WAY,
    errno.ENOENT: "bring it back, or correct its name",
    errno.ELOOP: "links lead in a circle: remove one",
    errno.EILSEQ: "this file system does not take such a name: choose another",
    errno.EIO: "the disk, or the connection to it, is failing: the system's log says more",
    errno.EBUSY: "another program holds it: close that",
    errno.ETXTBSY: "another program holds it: close that",
    errno.ESTALE: _CONNECTION,
    errno.ENOTCONN: _CONNECTION,
    errno.ENXIO: _CONNECTION,
    errno.ETIMEDOUT: _CONNECTION,
    errno.EHOSTDOWN: _CONNECTION,
    errno.EHOSTUNREACH: _CONNECTION,
    errno.EXDEV: _OTHER_DISK,
    errno.EINVAL: _OTHER_DISK,
    errno.ENODEV: _OTHER_DISK,
    errno.ENOLCK: _OTHER_DISK,
    errno.ENOSYS: _OTHER_DISK,
    errno.ENOTSUP: _OTHER_DISK,
    errno.EOPNOTSUPP: _OTHER_DISK,
}
# Of what is read: it is not there, or damaged (see `is_of_system`).
_NO_REFUSALS = (errno.ENOENT, errno.EINVAL)
_LIBRARY = "the environment is incomplete: make it anew by `rm -rf .venv; make setup`"
# What is recognized in a text: nobody else uses these words.
_SAID = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EMFILE),
    *(errno.ENFILE, errno.ENAMETOOLONG, errno.EIO, errno.ENOMEM),
)
_MISSING = re.compile(r"cannot open shared object file: No such file|undefined symbol")
# Of C libraries, TensorFlow, XLA, NumPy and HDF5.
_NO_MEMORY = re.compile(
    r"RESOURCE_EXHAUSTED|OOM when|out of memory|cannot allocate|unable to allocate|bad_alloc|"
    r"failed to map segment",
    re.IGNORECASE,
)
_NO_TEMPORARY = "No usable temporary directory"
_NO_THREAD = "can't start new thread"
_NUMBER = re.compile(r"\berrno\s*=?\s*(\d+)", re.IGNORECASE)
# The error at the bottom of a whole traceback, which TensorFlow and NumPy put into theirs.
_NESTED = re.compile(r"(?:^\s*\w*Error|Original error was): (.+)$", re.MULTILINE)
# NumPy's words for whatever is no file of its own; nobody should follow the rest of them.
_NO_ARRAYS = re.compile(
    r"(This file contains pickled|Cannot load file containing pickled|Object arrays cannot).*"
)
# Colours of Keras, and nodes of a graph that TensorFlow names.
_NOISE = re.compile(r"\x1b\[[0-9;]*m|\{\{.*?\}\}|\[Op:\w+\]")
_LONGEST = 200


def errno_of(error: BaseException) -> int | None:
    """Return the number of the system's error; libraries may tell it in the text alone."""
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return number
    text = str(error)
    found = _NUMBER.search(text)
    if found:
        return int(found[1])
    if _NO_THREAD in text:
        return errno.EAGAIN
    return next((each for each in _SAID if os.strerror(each) in text), None)


def is_of_system(error: BaseException) -> TypeGuard[OSError]:
    """Say whether the system has refused something, rather than that what was read is damaged.

    A damaged file can make a library ask for what is no place in it: that is an invalid argument.
    """
    return isinstance(error, OSError) and errno_of(error) not in (None, errno.EINVAL)


def is_lack_of_memory(error: BaseException) -> bool:
    """Say whether memory was short, whichever library says it."""
    number = errno_of(error)
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return True
    resource_exhausted = type(error).__name__ == "ResourceExhaustedError"  # also of a full disk
    return number is None and (resource_exhausted or bool(_NO_MEMORY.search(str(error))))


def reason_of(error: BaseException) -> str:
    """Return why, in one line."""
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    else:
        text = str(error).strip()
        nested = _NESTED.findall(text) if "\n" in text else []
        text = nested[-1] if nested else text
    text = _NO_ARRAYS.sub("it is no file of arrays", _of_schema(error) or text)
    line = " ".join(_NOISE.sub("", text).split()) or (
        "not enough memory" if isinstance(error, MemoryError) else type(error).__name__
    )
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _of_schema(error: BaseException) -> str:
    """Return the first of pydantic's complaints; "" of another error."""
    if not type(error).__module__.startswith("pydantic"):
        return ""
    first = error.errors()[0]  # type: ignore[attr-defined]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))


def advice_for(error: BaseException, otherwise: str | None = None, elsewhere: str = "") -> str:
    """Return what to do about an error; "" where nothing is known.

    Args:
        error: of the system or of a library.
        otherwise: the advice where the machine is not to blame: what was read is damaged or is not
            there.
        elsewhere: what else helps where the place of a file is to blame; begins with "or".
    """
    number = errno_of(error)
    # Each thread maps some memory of its own.
    if is_lack_of_memory(error) or (number == errno.EAGAIN and address_space() is not None):
        return _memory_advice()
    if isinstance(error, ImportError) and (number is None or _MISSING.search(str(error))):
        return otherwise or _LIBRARY
    if _NO_TEMPORARY in str(error):
        return "set TMPDIR to a folder that can be written"
    if otherwise is not None and (number not in _ADVICE or number in _NO_REFUSALS):
        return otherwise
    if number not in _ADVICE:
        return ""
    placed = elsewhere and number not in OF_THE_MACHINE
    return f"{_ADVICE[number]}, {elsewhere}" if placed else _ADVICE[number]


def refusal(
    error: BaseException,
    place: object,
    done: str,
    otherwise: str | None = None,
    elsewhere: str = "",
) -> str:
    """Return the line `PLACE: cannot be DONE (REASON); ADVICE`; arguments as `advice_for`."""
    advice = advice_for(error, otherwise, elsewhere)
    return _with(f"{place}: cannot be {done} ({reason_of(error)})", advice)


def _with(text: str, advice: str) -> str:
    return f"{text}; {advice}" if advice else text


def place_of(error: BaseException) -> str | None:
    """Return the file that an error names: of a renaming, the new name."""
    for name in (getattr(error, "filename2", None), getattr(error, "filename", None)):
        if isinstance(name, str | bytes | os.PathLike):
            return os.fsdecode(name)
    return None


def line_of(error: BaseException) -> str | None:
    """Return the line for an error that nothing has caught; None where it is a mistake in code."""
    reason, place, advice = reason_of(error), place_of(error), advice_for(error)
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return _with(f"{place}: {reason}" if place else reason, advice)
    if isinstance(error, ImportError):
        return _with(f"{error.name or 'a package'} cannot be imported ({reason})", advice)
    if isinstance(error, MemoryError) or type(error).__module__.startswith(("tensorflow", "jax")):
        if is_lack_of_memory(error):
            return _with(f"not enough memory ({reason})", advice)
        return _with(reason, advice) if errno_of(error) else None
    if isinstance(error, RuntimeError) and _NO_THREAD in str(error):
        return _with(reason, advice)
    return None


def address_space() -> int | None:
    """Return the bytes of memory that this process may map (`ulimit -v`), None without a limit."""
    return _limit("RLIMIT_AS")


def _limit(name: str) -> int | None:
    limit = resource.getrlimit(getattr(resource, name))[0] if resource else None
    return None if limit is None or limit == resource.RLIM_INFINITY else limit


def raise_address_space() -> str:
    """Return the advice to raise that limit."""
    return (
        f"raise the limit on address space (`ulimit -v`, {(address_space() or 0) // 1024:,} kB now)"
    )


def _memory_advice() -> str:
    if address_space() is not None:
        return raise_address_space()
    data = _limit("RLIMIT_DATA")
    if data is not None:
        return f"raise the limit on data (`ulimit -d`, {data // 1024:,} kB now)"
    return (
        "close other programs, give the machine or its container more memory, or lower batch_size "
        "in params.yaml"
    )
