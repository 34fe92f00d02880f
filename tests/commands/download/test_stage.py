"""The stage download as a program."""

import json
import subprocess
import sys

from closure import ROOT


def run(*arguments, folder):
    return subprocess.run(
        [sys.executable, str(ROOT / "stages" / "download.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_command(folder, hashes, tmp_path, check):
    section = {
        "source": "mine",
        "sources": {"npm": None},
        "minimum_kilobytes_per_second": 1,
        "slow_for_seconds": 1,
        "sha256": hashes,
    }
    (tmp_path / "params.yaml").write_text(json.dumps({"download": section}))
    done = run("--raw", "data/raw", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "mine: six files verified\n"
    check(tmp_path / "data" / "raw")

    (folder / "test_batch.bin").unlink()
    done = run(folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: download.source: mine: ")
    assert done.stderr.count("\n") == 1


def test_help(tmp_path):
    done = run("--help", folder=tmp_path)
    assert done.returncode == 0
    assert "verify every file by SHA-256" in " ".join(done.stdout.split())
