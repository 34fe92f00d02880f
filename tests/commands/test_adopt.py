"""The command adopt as a program: names that no terminal shows, and the download after it."""

import os
import subprocess
import sys
from pathlib import Path

from closure import ROOT
from params_files import with_presets
from picture_folders import write_pictures


def test_as_a_program(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(with_presets("fast"))
    write_pictures(tmp_path / "pictures")
    odd = Path(os.fsdecode(bytes(tmp_path / "pictures/train/dog") + b"/\x1b[2J\xe9.png"))
    odd.write_bytes(b"broken")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONIOENCODING": "ascii",
        "CIFAR_PIPELINE_CACHE": str(tmp_path / "cache"),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
        )

    adopt = ("-m", "cifar_pipeline", "adopt", "pictures", "--broken-images", "leave_out")
    done = run(*adopt)
    assert (done.returncode, done.stderr) == (0, b"")
    printed = done.stdout.decode("ascii")
    assert r"train/dog/\x1b[2J\udce9.png: no picture that can be read" in printed
    # The digest is the one that download computes, and nothing else is lacking.
    done = run(str(ROOT / "stages/download.py"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"train 24, test 12 pictures verified" in done.stdout
    assert b"nothing has changed" in run(*adopt).stdout
