"""Processes that start by a fork of one that has imported TensorFlow, Keras and DVC already.

A test that runs DVC starts many processes, and nearly all the time of most of them is imports. In
a folder `bin`, for PATH, stand a `python` and a `dvc` that ask the server for a fork in their own
folder, with their environment, arguments and streams, and end as it ends. The fork imports the
project's code itself: the server has none. Where the process itself is tested - its start, signals
to it, what others see of it - the test leaves `bin` out (see Workspace).

The server is this file, run as a program: `python fork_server.py SOCKET`. It prints a line when it
is ready, and ends with its standard input.
"""

import atexit
import contextlib
import faulthandler
import functools
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

# What the stages and DVC import late; the packages are imported with all that is in them.
MODULES = (
    *("pandas", "PIL.Image", "jinja2", "matplotlib.figure", "matplotlib.backends.backend_svg"),
    *("pydantic", "typer", "typer.rich_utils", "rich.progress", "ruamel.yaml", "platformdirs"),
    *("dvc.cli.parser", "dvc.data_cloud", "dvc.rwlock", "dvc.utils.strictyaml", "networkx"),
    *("scmrepo.git", "dulwich.porcelain", "diskcache", "dvc_render.vega_templates"),
    *("aiobotocore.session", "dvc_s3", "s3fs", "asyncssh", "dvc_ssh", "dvc_http"),
    *("fsspec.implementations.memory", "dvc_data.hashfile.db.local", "celery.app.base"),
)
PACKAGES = ("dvc.repo", "dvc.stage", "dvc.render")

_NAME = "fork of"  # and its program: how the system lists a fork


@functools.cache
def prepared_programs() -> Path:
    """Start the server of this process, which ends with it; give the folder for PATH."""
    folder = Path(tempfile.mkdtemp())  # a short path, as sockets need
    _write_clients(folder / "bin")
    own = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1", "KERAS_BACKEND": "tensorflow"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-P", __file__, str(folder / "socket")],
            env={**{name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert server.stdin
    assert server.stdout
    if server.stdout.readline() != b"ready\n":
        raise RuntimeError(f"the fork server did not start: {(folder / 'log').read_text()}")
    atexit.register(_end, server, folder)
    return folder / "bin"


def _end(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    server.communicate()  # closes its standard input
    shutil.rmtree(folder)


def _write_clients(folder: Path) -> None:
    folder.mkdir()
    for name in ("python", "dvc"):
        client = folder / name
        code = Path(__file__).with_name("fork_client.py").read_text()
        # As pip starts its scripts: a path with spaces does not fit behind "#!".
        start = f"#!/bin/sh\n'''exec' {shlex.quote(sys.executable)} -IS \"$0\" \"$@\"\n' '''\n"
        client.write_text(start + code)
        client.chmod(0o755)


class Asked(NamedTuple):
    """What a client asks for."""

    program: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]
    streams: list[int]


def import_libraries() -> None:
    """Import what forks need. What Keras would import in vain stays out, as in start_backend."""
    kept_out = ("jax", "matplotlib")
    sys.modules.update(dict.fromkeys(kept_out))  # type: ignore[arg-type]  # "is not there"
    importlib.import_module("tensorflow")
    importlib.import_module("keras")
    for name in kept_out:
        del sys.modules[name]
    for name in MODULES:
        with contextlib.suppress(ImportError):  # of another version of DVC
            importlib.import_module(name)
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with contextlib.suppress(ImportError):  # of an extra that is not installed
                importlib.import_module(module.name)


def serve(address: str) -> tuple[socket.socket, Asked]:
    """Fork for each client; return in a fork only, with its client's connection and wish."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        print("ready", flush=True)
        while True:
            if sys.stdin in select.select([server, sys.stdin], [], [])[0]:
                os._exit(0)
            client, _ = server.accept()
            if os.fork() == 0:
                break
            client.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return client, _take_over(client)


def _take_over(client: socket.socket) -> Asked:
    """Receive what a client asks for; make its streams this process's own."""
    head, streams, _, _ = socket.recv_fds(client, 8, 3)
    asked = bytearray()
    while len(asked) < int.from_bytes(head, "little"):
        asked += client.recv(1 << 20)
    wish = Asked(*marshal.loads(asked))
    for number, stream in zip(wish.streams, streams, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if number not in wish.streams:  # as the interpreter does
            os.close(number)
            setattr(sys, name, None)
    return wish


def run_for(client: socket.socket) -> None:
    """Return in a child; here, wait for its end, tell the client and end too."""
    child = os.fork()
    if not child:
        client.close()
        return
    ended = os.pidfd_open(child)
    if ended not in select.select([client, ended], [], [])[0]:
        os.kill(child, signal.SIGKILL)  # the client has been killed
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        client.send(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))
    os._exit(0)


def become(asked: Asked, libraries: list[str]) -> None:
    """Run the program in this process, as a fresh interpreter would."""
    os.chdir(asked.folder)
    with contextlib.suppress(OSError):  # for who looks for it among the processes
        Path("/proc/self/comm").write_text(f"{_NAME} {asked.program}")
    os.environ.clear()
    os.environ.update(asked.environment)
    sys.dont_write_bytecode = bool(asked.environment.get("PYTHONDONTWRITEBYTECODE"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if 2 in asked.streams:
        faulthandler.register(signal.SIGUSR2, file=2)  # says where it stands, see Workspace.run
    if chosen := asked.environment.get("PYTHONIOENCODING"):
        encoding, _, errors = chosen.partition(":")
        for number, name in ((1, "stdout"), (2, "stderr")):
            if number in asked.streams:
                options = {"encoding": encoding, "errors": errors or None, "closefd": False}
                setattr(sys, name, open(number, "w", **options))  # noqa: PTH123, SIM115
    path = [*filter(None, asked.environment.get("PYTHONPATH", "").split(os.pathsep)), *libraries]
    if asked.program == "dvc":
        sys.argv, sys.path = ["dvc", *asked.arguments], path
        sys.exit(importlib.import_module("dvc.cli").main())
    kind, *rest = asked.arguments
    if kind == "-m":
        sys.argv, sys.path = rest, [asked.folder, *path]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv, sys.path = ["-c", *rest[1:]], ["", *path]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv, sys.path = asked.arguments, [str(Path(kind).resolve().parent), *path]
        runpy.run_path(kind, run_name="__main__")


def forks_in(folder: Path) -> dict[str, list[int]]:
    """Return the numbers of the processes in a folder that are forks, by program.

    The clients that asked for them, and the shells between, are no forks.
    """
    found: dict[str, list[int]] = {"dvc": [], "python": []}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            start, _, program = (process / "comm").read_text().strip().rpartition(" ")
            if start == _NAME and (process / "cwd").readlink() == folder:
                found[program].append(int(process.name))
    return found


def exit_code_of(asked: Asked, libraries: list[str]) -> int:
    """Run the program; return its exit code, with all that it printed on its way."""
    code: Any = 0
    try:
        become(asked, libraries)
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # there is one
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    gc.disable()
    import_libraries()
    gc.freeze()
    gc.enable()
    libraries = list(sys.path)
    connection, wish = serve(sys.argv[1])
    run_for(connection)
    # The interpreter's own end would write to all the memory that the fork shares.
    os._exit(exit_code_of(wish, libraries))
