"""Ask the fork server for a process like this one, and end as it ends. See fork_server.py.

Copies of this file, named python and dvc, lie beside the server's socket. They import as little as
they can.
"""

import marshal
import os
import socket
import sys

HERE, NAME = os.path.split(os.path.abspath(sys.argv[0]))  # noqa: PTH100 (pathlib takes longer)


def ask() -> int:
    """Return the exit code of the fork, negative for a signal."""
    streams = [number for number in (0, 1, 2) if is_open(number)]  # before the socket takes one
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(f"{HERE}/../socket")
        asked = marshal.dumps(
            (NAME, sys.argv[1:], os.getcwd(), dict(os.environ), streams)  # noqa: PTH109
        )
        socket.send_fds(server, [len(asked).to_bytes(8, "little")], streams)
        server.sendall(asked)
        return int.from_bytes(server.recv(4), "little", signed=True)


def is_open(number: int) -> bool:
    """Return whether the process was started with this standard stream."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def is_prepared() -> bool:
    """Return whether the server knows how to start this: no REPL, no option of the interpreter."""
    first = sys.argv[1] if len(sys.argv) > 1 else "-"
    return NAME == "dvc" or first in ("-m", "-c") or not first.startswith("-")


if not is_prepared():
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
code = ask()
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
