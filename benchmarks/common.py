"""What several measurements share."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROCESSED = ROOT / "data/processed"
sys.path.insert(0, str(ROOT / "src"))


def in_a_process(file: str, *arguments: str) -> Any:
    """Run the script `file` with `arguments` as a process; return the JSON of its last line."""
    command = [sys.executable, file, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1])


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
