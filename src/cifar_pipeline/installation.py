"""What `make` does around `.venv`: it judges one, makes one, and installs into it.

Runs as a file, with `python -I`, before anything is installed: it imports the standard library
alone.
"""

import argparse
import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Stands in an environment while something is installed into it.
UNFINISHED = ".unfinished"
SUPPORTED = ((3, 11), (3, 14))
# pip's settings that say where packages come from and how they are reached. All others (user,
# target, prefix, python, no-binary, ...) could only make another environment than the locks name.
KEPT_SETTINGS = {
    *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host"),
    *("proxy", "cert", "client-cert", "use-feature", "use-deprecated", "keyring-provider"),
    *("timeout", "default-timeout", "retries", "resume-retries", "cache-dir", "no-cache-dir"),
}


def _say(line: str) -> None:
    """Print a line; where nothing can be printed, go on without."""
    with suppress(OSError):
        os.write(1, f"{line}\n".encode(errors="backslashreplace"))


def fault_of(venv: Path, wanted: str | None) -> str | None:
    """Return why the environment that runs this code cannot stay as `venv`, None if it can.

    Args:
        venv: its folder.
        wanted: the Python that the user has named, None where they have named none.
    """
    version = "{}.{}".format(*sys.version_info)
    if (venv / UNFINISHED).exists():
        return "the last installation into it was cut short"
    if not SUPPORTED[0] <= sys.version_info < SUPPORTED[1]:
        return f"it is of Python {version}"
    if find_spec("pip") is None:
        return f"it has no pip for its Python {version}"
    home = _home_of_scripts(venv)
    if home is not None and not _same(home, venv / "bin"):
        return f"it was made as {home.parent} (two paths, two environments: make VENV=...)"
    asked = _version_of(wanted) if wanted else None
    suits = asked and SUPPORTED[0] <= tuple(map(int, asked.split("."))) < SUPPORTED[1]
    if suits and asked != version:
        return f"it is of Python {version}, and {wanted} is Python {asked}"
    return None


def _home_of_scripts(venv: Path) -> Path | None:
    """Return the folder of the Python that starts the scripts of `venv`; they name it in full."""
    try:
        start = (venv / "bin/pip").read_bytes()[:4096].decode(errors="surrogateescape")
    except OSError:
        return None
    # The second form is for a path that is long or has spaces.
    match = re.match(r"#!(?:/bin/sh\n'''exec' \"([^\"\n]+)\"|([^\n]+))", start)
    return Path(match[1] or match[2].strip('"')).parent if match else None


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _ran(command: list[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a program; its output, and by default its errors, are text in what it returns."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, check=False, encoding="utf-8", errors="replace", **options)


def _version_of(python: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = _ran([*shlex.split(python), "-I", "-c", code])
    except OSError:
        return None
    return done.stdout.strip() if re.fullmatch(r"\d+\.\d+\n", done.stdout) else None


def create(venv: Path, python: str, fault: str) -> None:
    """Make `venv` where there is none, or anew because of its `fault`.

    Args:
        venv: its folder.
        python: the command that has started this code.
        fault: of the environment that is there, empty where it has none.
    """
    if fault:
        _say(f"{venv} is made anew: {fault}")
    elif (venv / "bin/python").exists():
        return
    base = shlex.split(python)
    if sys.prefix != sys.base_prefix:  # of an active environment, perhaps of this one
        base = [getattr(sys, "_base_executable", sys.executable)]
    try:
        if venv.is_dir():
            for path in venv.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        venv.mkdir(exist_ok=True)
        (venv / UNFINISHED).touch()
    except OSError as error:
        sys.exit(f"error: {venv} cannot be made ({error}); put that right, then run make again")
    done = _ran([*base, "-I", "-m", "venv", str(venv)], stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"error: {venv} cannot be made: {_reason(done.stdout, shlex.join(base))}")


def _reason(output: str, python: str) -> str:
    """Return in one line why the module venv of `python` has failed."""
    if "ensurepip" in output or "No module named" in output:
        version = "{}.{}".format(*sys.version_info)
        return (
            f"{python} lacks the modules venv or ensurepip; on Debian and Ubuntu "
            f"`apt-get install python{version}-venv` brings them, or name another Python: "
            "make PYTHON=..."
        )
    if "PATH separator" in output:
        return f"the path {Path.cwd()} has a {os.pathsep!r}; move the project to one without"
    lines = output.strip().splitlines() or ["no reason was given"]
    return f"{lines[-1]} (from {python} -m venv)"


def install(venv: Path, arguments: list[str]) -> None:
    """Install with pip into the environment that runs this code, whatever pip is set to."""
    if "-r" in arguments:
        _say(f"installing {arguments[-1]} into {venv}")
    unfinished = venv / UNFINISHED
    unfinished.touch()
    settings = _kept_settings()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON")) and name != "__PYVENV_LAUNCHER__"
    }
    environment |= {"PIP_CONFIG_FILE": os.devnull, **settings}
    pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "install", "--quiet", *arguments], env=environment, check=False)
    if done.returncode == 0:
        unfinished.unlink()
    elif done.returncode > 0:
        # A package index that did not answer has left all as it was; a full disk has not.
        if (venv / "bin/python").exists() and not any(_half_installed()):
            unfinished.unlink()
        sys.exit(
            f"error: pip could not install {arguments[-1]} into {venv}: its lines above say why; "
            "mend that, then run make again"
        )
    else:
        sys.exit(f"error: pip was killed (signal {-done.returncode}); run make again")


def _kept_settings() -> dict[str, str]:
    """Return those of pip's settings, from its files and from PIP_*, that an installation keeps.

    They come as environment variables, so that no other setting is read.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PIP_PYTHON"}
    done = _ran([sys.executable, "-I", "-m", "pip", "config", "list"], env=environment)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason was given"]
        sys.exit(
            f"error: pip's settings cannot be read: {lines[-1]}; `pip config debug` names them"
        )
    return settings_of(done.stdout)


def settings_of(listed: str) -> dict[str, str]:
    """Return the kept ones of pip's settings as environment variables.

    Args:
        listed: the output of `pip config list`, lines of the form `global.index-url='...'`.
    """
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        match = re.fullmatch(r"(global|install|:env:)\.([\w-]+)=(['\"].*['\"])", line)
        if match and match[2] in KEPT_SETTINGS:
            found[match[1]][match[2]] = ast.literal_eval(match[3])
    # Where pip looks first comes last.
    merged: Mapping[str, str] = found["global"] | found["install"] | found[":env:"]
    return {f"PIP_{name.upper().replace('-', '_')}": value for name, value in merged.items()}


def _half_installed() -> Iterator[Path]:
    """Yield what pip leaves of packages that it did not bring to an end."""
    for folder in map(Path, sys.path):
        yield from folder.glob("~*")
        yield from (path for path in folder.glob("*.dist-info") if not (path / "RECORD").exists())


def main() -> None:
    """Do what the arguments say; the Makefile alone calls this."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["check", "create", "install"])
    parser.add_argument("--venv", type=Path, default=Path(".venv"))
    parser.add_argument("--fault", default="")
    parser.add_argument("--python")
    known, rest = parser.parse_known_args()
    try:
        _run(known, rest)
    except OSError as error:
        sys.exit(f"error: {error.filename or known.venv}: {error.strerror}; mend that, then make")


def _run(known: argparse.Namespace, rest: list[str]) -> None:
    if known.what == "check":
        print(fault_of(known.venv, known.python) or "", end="")
    elif known.what == "create":
        create(known.venv, known.python, known.fault)
    else:
        install(known.venv, rest)


if __name__ == "__main__":
    main()
