"""codec/dvc.yaml names what each stage depends on, and stays out of the classifier's way."""

import subprocess
import sys

import pytest
from ruamel.yaml import YAML

from closure import ROOT, import_closure

CODEC = ROOT / "codec"
STAGES = YAML(typ="safe", pure=True).load((CODEC / "dvc.yaml").read_text())["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_modules_of_a_stage_are_its_dependencies(stage: str) -> None:
    script = CODEC / "stages" / f"{stage}.py"
    assert STAGES[stage]["cmd"] == f"python stages/{stage}.py"
    listed = {(CODEC / path).resolve().relative_to(ROOT) for path in STAGES[stage]["deps"]}
    code = {path.as_posix() for path in listed if path.suffix == ".py"}
    assert code == import_closure(script)
    assert "requirements.txt" in {path.as_posix() for path in listed}


def test_only_the_stages_that_measure_read_the_test_images() -> None:
    readers = {
        stage for stage in STAGES if any("data/processed/test_" in d for d in STAGES[stage]["deps"])
    }
    assert readers == {"baseline"}


@pytest.mark.parametrize("folder", [ROOT, CODEC])
def test_each_project_lists_its_own_stages_alone(folder: object) -> None:
    command = [sys.executable, "-m", "dvc", "stage", "list", "--all", "--name-only"]
    found = subprocess.check_output(command, cwd=folder, text=True).split()
    classifier = {"download", "preprocess", "train", "evaluate"}
    assert set(found) == (classifier if folder == ROOT else set(STAGES))
