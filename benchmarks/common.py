"""What several measurements share."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROCESSED = ROOT / "data/processed"
RESULTS = ROOT / "benchmarks/results.json"
sys.path.insert(0, str(ROOT / "src"))


def in_a_process(file: str, *arguments: str) -> Any:
    """Run the script `file` with `arguments` as a process; return the JSON of its last line."""
    command = [sys.executable, file, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def commit() -> str:
    """Return the commit of the code, with `-dirty` where what decides a figure differs from it."""
    deciding = ["src", "stages", "params.yaml", "requirements.txt", "benchmarks/*.py"]
    name = ["git", "rev-parse", "--short", "HEAD"]
    same = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *deciding], cwd=ROOT)
    return subprocess.check_output(name, cwd=ROOT, text=True).strip() + "-dirty" * same.returncode


def known_record(key: dict[str, str]) -> dict[str, Any] | None:
    """Return the record of `key` in results.json, None where there is none."""
    return next((record for record in _records() if record["key"] == key), None)


def recorded(key: dict[str, str], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the record of `key` in results.json, or else measure and put it there."""
    from cifar_pipeline.common.atomic import replacing

    record = known_record(key)
    if record:
        return record
    at = commit()
    record = {"key": key, **measure(), "commit": at}
    with replacing(RESULTS) as temporary:
        temporary.write_text(json.dumps([*_records(), record], indent=1) + "\n")
    return record


def _records() -> list[dict[str, Any]]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def for_epochs(params: Any, epochs: int) -> Any:
    """Return a preset that runs for `epochs` epochs whatever happens, and keeps the last one.

    All are validated, so that the first one holds all the tracing.
    """
    last = params.early_stopping.model_copy(update={"start_from_epoch": epochs - 1})
    changes = {"epochs": epochs, "validation_freq": 1, "early_stopping": last}
    return params.model_copy(update=changes)


def peak_gigabytes() -> float:
    """Return the largest resident memory that this process has had, in 10^9 bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9
