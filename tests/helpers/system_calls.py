"""See a child's system calls that change some folders, and let one of them fail.

The child asks the kernel (seccomp's user notification, Linux 5.5 on x86-64) to hold such calls
until its parent has answered: go on, or an error number. So the calls of C code are seen as well
as Python's, no program is started, and the parent may look at the folders while the child waits.
What is written through a mapping (mmap) is no system call, and is not seen.
"""

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from skips import NOT_HERE

_FD, _PATH, _AT = "descriptor", "path", "folder and path"


class _Kind(NamedTuple):
    """How a system call of x86-64 names what it changes: which argument, and how."""

    number: int
    argument: int
    named: str


_CALLS = {
    "write": _Kind(1, 0, _FD),
    "pwrite64": _Kind(18, 0, _FD),
    "writev": _Kind(20, 0, _FD),
    "pwritev": _Kind(296, 0, _FD),
    "pwritev2": _Kind(328, 0, _FD),
    "sendfile": _Kind(40, 0, _FD),
    "copy_file_range": _Kind(326, 2, _FD),
    "ftruncate": _Kind(77, 0, _FD),
    "fallocate": _Kind(285, 0, _FD),
    "fsync": _Kind(74, 0, _FD),
    "fdatasync": _Kind(75, 0, _FD),
    "truncate": _Kind(76, 0, _PATH),
    "rename": _Kind(82, 0, _PATH),
    "mkdir": _Kind(83, 0, _PATH),
    "rmdir": _Kind(84, 0, _PATH),
    "link": _Kind(86, 1, _PATH),
    "unlink": _Kind(87, 0, _PATH),
    "symlink": _Kind(88, 1, _PATH),
    "open": _Kind(2, 0, _PATH),
    "openat": _Kind(257, 0, _AT),
    "mkdirat": _Kind(258, 0, _AT),
    "unlinkat": _Kind(263, 0, _AT),
    "renameat": _Kind(264, 0, _AT),
    "linkat": _Kind(265, 2, _AT),
    "symlinkat": _Kind(266, 1, _AT),
    "renameat2": _Kind(316, 0, _AT),
}
_NAMES = {kind.number: name for name, kind in _CALLS.items()}
# What a full disk refuses; it still renames, removes and truncates.
TAKES_SPACE = {
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range"),
    *("fallocate", "mkdir", "mkdirat", "open", "openat", "fsync", "fdatasync"),
}
_FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_AT_FDCWD = 0xFFFFFF9C
_SECCOMP, _SET_FILTER, _NEW_LISTENER = 317, 1, 8
_NO_NEW_PRIVILEGES = 38
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_GO_ON = 1


class Call(NamedTuple):
    """A system call that changes a watched folder: its name, and the path that it is about."""

    name: str
    path: str


# Called with each such call before it is done; returns an error number, or 0 to let it go on.
Judge = Callable[[Call], int]


def why_unavailable() -> str | None:
    """Return why system calls cannot be held on this machine; None where they can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"{NOT_HERE}: system calls are held on Linux on x86-64 alone"
    child = os.fork()
    if not child:
        try:
            _install()
        except OSError:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return f"{NOT_HERE}: a process may not hold its own system calls" if status else None


class WatchedChild:
    """A fork that runs functions one after the other, its system calls held.

    Args:
        run: the functions by number; it returns an exit code. It runs in the fork.
        folders: where changes are of interest.
    """

    def __init__(self, run: Callable[[int], int], folders: list[Path]) -> None:
        self._folders = [str(folder) for folder in folders]
        self._pipe, theirs = socket.socketpair()
        self.process = os.fork()
        if not self.process:
            self._pipe.close()
            _serve(theirs, run)
        theirs.close()
        _, (self._listener,), _, _ = socket.recv_fds(self._pipe, 1, 1)

    def run(self, number: int, judge: Judge) -> int:
        """Run function `number`; return its exit code, or minus the signal that ended the child."""
        self._pipe.send(bytes([number]))
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        poll.register(self._listener, select.POLLIN)
        while True:
            for descriptor, events in poll.poll():
                if descriptor == self._listener:
                    if events & select.POLLIN:
                        self._answer(judge)
                    else:
                        poll.unregister(self._listener)  # the child has ended
                elif answer := self._pipe.recv(1):
                    return answer[0]
                else:
                    return self.end()

    def kill(self) -> None:
        """Kill the child, as `kill -9` does, in the middle of its call."""
        os.kill(self.process, signal.SIGKILL)

    def end(self) -> int:
        """Wait for the end of the child; return minus the signal that ended it."""
        self._pipe.close()
        os.close(self._listener)
        _, status = os.waitpid(self.process, 0)
        return os.waitstatus_to_exitcode(status)

    def _answer(self, judge: Judge) -> None:
        held = bytearray(80)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, held)
        except FileNotFoundError:  # killed meanwhile
            return
        at, thread, _, number, _, _, *arguments = struct.unpack("QIIiIQ6Q", held)
        call = _call(thread, _NAMES[number], arguments, self._folders)
        error = judge(call) if call else 0
        answer = struct.pack("QqiI", at, 0, -error, 0 if error else _GO_ON)
        try:
            fcntl.ioctl(self._listener, _SEND, answer)
        except FileNotFoundError:
            return


def _call(thread: int, name: str, arguments: list[int], folders: list[str]) -> Call | None:
    """Return a held call if it changes something in `folders`."""
    kind = _CALLS[name]
    place = f"/proc/{thread}"
    try:
        if kind.named == _FD:
            path = os.fspath(Path(f"{place}/fd/{arguments[kind.argument] & 0xFFFFFFFF}").readlink())
        else:
            at = _AT_FDCWD
            where = kind.argument
            if kind.named == _AT:
                at, where = arguments[where] & 0xFFFFFFFF, where + 1
            if name in ("open", "openat") and not arguments[where + 1] & _FOR_WRITING:
                return None
            start = Path(f"{place}/cwd" if at == _AT_FDCWD else f"{place}/fd/{at}").readlink()
            path = os.path.normpath(os.path.join(start, _text(place, arguments[where])))  # noqa: PTH118
    except (FileNotFoundError, ProcessLookupError):  # a wrong call, or killed meanwhile
        return None
    inside = any(path == folder or path.startswith(f"{folder}/") for folder in folders)
    return Call(name, path) if inside else None


def _text(place: str, address: int) -> str:
    """Return the string at an address of a process."""
    memory = os.open(f"{place}/mem", os.O_RDONLY)
    try:
        content = b""
        while b"\0" not in content:
            # A page at most: the next one may not be there.
            content += os.pread(memory, 4096 - address % 4096, address)
            address += 4096 - address % 4096
    finally:
        os.close(memory)
    return os.fsdecode(content.partition(b"\0")[0])


def _serve(pipe: socket.socket, run: Callable[[int], int]) -> None:
    """Run what the parent asks for until it hangs up. Never returns."""
    try:
        listener = _install()
        socket.send_fds(pipe, [b"."], [listener])
        os.close(listener)
        while wish := pipe.recv(1):
            pipe.send(bytes([run(wish[0])]))
    finally:
        os._exit(0)


def _install() -> int:
    """Have the kernel hold the calls in _CALLS from now on; return the descriptor to answer on."""
    numbers = sorted(_NAMES)
    program = [(0x20, 0, 0, 0)]  # load the number
    program += [(0x15, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _NOTIFY)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    listener: int = libc.syscall(_SECCOMP, _SET_FILTER, _NEW_LISTENER, header)
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return listener


def full_from(at: int) -> Judge:
    """Return a judge for a disk that is full from the `at`-th call on, counted from 1."""
    return _counting(lambda count, call: count >= at and call.name in TAKES_SPACE, errno.ENOSPC)


def fails_at(at: int) -> Judge:
    """Return a judge that lets the `at`-th call alone fail."""
    return _counting(lambda count, _: count == at, errno.EIO)


def _counting(fails: Callable[[int, Call], bool], number: int) -> Judge:
    count = 0

    def judge(call: Call) -> int:
        nonlocal count
        count += 1
        return number if fails(count, call) else 0

    return judge
