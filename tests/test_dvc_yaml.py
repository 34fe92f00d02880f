"""dvc.yaml names exactly what each stage depends on."""

import pytest
from ruamel.yaml import YAML

from closure import ROOT, import_closure

STAGES = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_deps_are_the_import_closure(stage: str) -> None:
    code = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    assert code == import_closure(ROOT / "stages" / f"{stage}.py")


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_says_what_it_does(stage: str) -> None:
    assert STAGES[stage]["desc"]


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_new_tensorflow_reruns(stage: str) -> None:
    assert "requirements.txt" in STAGES[stage]["deps"]


def test_train_does_not_see_the_test_set() -> None:
    assert not [dep for dep in STAGES["train"]["deps"] if "test" in dep]


def test_the_closure_follows_imports_inside_functions_and_packages() -> None:
    closure = import_closure(ROOT / "stages" / "train.py")
    assert "src/cifar_pipeline/training.py" in closure  # imported inside main
    assert "src/cifar_pipeline/__init__.py" in closure
    assert "src/cifar_pipeline/params/__init__.py" in closure
    assert "src/cifar_pipeline/params/evaluate.py" not in closure
