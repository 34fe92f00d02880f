"""The stage evaluate as a program."""

import os
import subprocess
from pathlib import Path

from evaluate_inputs import STAGE, arguments, lay_out_inputs, save_tiny_model
from workspace import search_path


def test_as_a_program_from_another_folder(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny.keras")
    lay_out_inputs(tmp_path, tmp_path / "tiny.keras")
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    environment["PATH"] = search_path()
    result = subprocess.run(
        ["python", STAGE, *arguments(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert "(40 images)" in result.stdout
    assert "automobile" in result.stdout
