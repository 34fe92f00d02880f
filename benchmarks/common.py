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
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def commit() -> str:
    """Return the commit that the working tree is at, with `-dirty` where it differs from it."""
    describe = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.check_output(describe, cwd=ROOT, text=True).strip()


def for_epochs(params: Any, epochs: int) -> Any:
    """Return a preset that runs for `epochs` epochs whatever happens, and keeps the last one."""
    last = params.early_stopping.model_copy(update={"start_from_epoch": epochs - 1})
    return params.model_copy(update={"epochs": epochs, "early_stopping": last})


def peak_gigabytes() -> float:
    """Return the largest resident memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
