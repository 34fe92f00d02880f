"""Seconds of everything around training: `python benchmarks/stage_times.py [--rounds 5]`.

Run it where `make repro` has been. Medians of rounds in which all commands take turns: preprocess
and evaluate as DVC runs them (into a scratch folder), `dvc repro` with nothing to do against
`dvc status`, and a stage's --help.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]


def main(rounds: Annotated[int, typer.Option(help="Times each command runs.", min=1)] = 5) -> None:
    """Time the commands in turn and print the medians as JSON."""
    python = sys.executable
    settings = {
        **os.environ,
        "PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
    }
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(ROOT / "reports", f"{scratch}/reports")  # evaluate reads train's
        commands = {
            "help": [python, "stages/train.py", "--help"],
            "preprocess": [python, "stages/preprocess.py", "--processed", f"{scratch}/processed"],
            "evaluate": [python, "stages/evaluate.py", "--reports", f"{scratch}/reports"],
            "dvc_status": [python, "-m", "dvc", "status"],
            "dvc_repro_with_nothing_to_do": [python, "-m", "dvc", "repro"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for at in range(rounds + 1):  # the first round warms the file cache
            for name, command in commands.items():
                started = time.perf_counter()
                done = subprocess.run(
                    command,
                    cwd=ROOT,
                    env=settings,
                    capture_output=True,
                    encoding="utf-8",
                )
                if done.returncode:
                    sys.exit(f"{' '.join(command)}: {done.stderr or done.stdout}")
                if "dvc" in name and "up to date" not in done.stdout:
                    sys.exit(f"the workspace is not up to date, run `make repro`: {done.stdout}")
                if at:
                    seconds[name].append(time.perf_counter() - started)
    medians = {name: round(statistics.median(each), 3) for name, each in seconds.items()}
    ratio = medians["dvc_repro_with_nothing_to_do"] / medians["dvc_status"]
    print(json.dumps({**medians, "repro_to_status": round(ratio, 2)}))


if __name__ == "__main__":
    typer.run(main)
