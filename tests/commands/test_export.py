"""The command export as a program."""

import os
import subprocess
import sys
from pathlib import Path

from cifar_pipeline.export.formats.registry import FORMATS
from closure import ROOT
from exported_models import files_of, network_of_quick, patchy_images, save_with_classes


def as_program(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-m", "cifar_pipeline", "export", *map(str, arguments)],
        env={**clean, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    """And quietly, and with another backend chosen for training."""
    model = tmp_path / "model.keras"
    save_with_classes(network_of_quick(patchy_images()), model)
    runs = []
    for seed, formats in enumerate([[], ["onnx", *(name for name in FORMATS if name != "onnx")]]):
        output = tmp_path / str(seed)
        environment = {"PYTHONHASHSEED": str(seed), "KERAS_BACKEND": ["tensorflow", "jax"][seed]}
        done = as_program(*formats, "--model", model, "--output", output, **environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == len(FORMATS)
        runs.append(files_of(output))
        # TensorFlow puts a random number into it.
        del runs[-1]["saved_model/fingerprint.pb"]
    assert runs[0] == runs[1]


def test_help_waits_for_no_heavy_import() -> None:
    needs = [module for form in FORMATS.values() for module in form.needs]
    code = f"""
import sys
import cifar_pipeline.cli
print(sorted({{"keras", "tensorflow", "numpy", "pydantic", *{needs}}} & set(sys.modules)))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment) == b"[]\n"
