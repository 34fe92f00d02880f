"""dvc.yaml names exactly what each stage depends on."""

import ast
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pathspec
import pytest
from ruamel.yaml import YAML

from closure import ROOT, import_closure
from workspace import Workspace

STAGES = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]

# Runs a script and then writes the names of all files that Python opened meanwhile. Files that
# TensorFlow's C++ opens escape it, and no stage leaves reading to that.
RECORD_OPENED_FILES = """
import json, pathlib, runpy, sys
opened = set()
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, pathlib.Path)):
        opened.add(str(arguments[0]))
sys.addaudithook(hook)
script, record = sys.argv[1], sys.argv[2]
sys.argv = [script]
try:
    runpy.run_path(script, run_name="__main__")
finally:
    pathlib.Path(record).write_text(json.dumps(sorted(opened)))
"""


def paths(entries: Iterable[Any]) -> list[str]:
    """Return the paths of a list in dvc.yaml, where a path may carry options."""
    return [name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)]


def outs(stage: str) -> list[str]:
    kinds = ("outs", "metrics", "plots")
    return [path for kind in kinds for path in paths(STAGES[stage].get(kind, []))]


def below(names: Iterable[str], folders: Iterable[str]) -> set[str]:
    """Return those of `names` that are one of `folders` or lie inside one."""
    return {name for name in names for folder in folders if f"{name}/".startswith(f"{folder}/")}


CLOSURES = {stage: import_closure(ROOT / "stages" / f"{stage}.py") for stage in STAGES}


def listed_by_git() -> set[str]:
    """Return the files of src that Git tracks, as far as they are in the working tree."""
    names = subprocess.check_output(["git", "ls-files", "src"], cwd=ROOT, text=True).splitlines()
    return {name for name in names if (ROOT / name).is_file()}


def modules_in(names: Iterable[str]) -> set[str]:
    """Return the tracked modules that are one of `names`, files or folders, or lie in one."""
    return {name for name in below(listed_by_git(), names) if name.endswith(".py")}


def folders_of(stage: str) -> list[str]:
    deps = [dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]
    return [dep for dep in deps if (ROOT / dep).is_dir()]


@pytest.mark.parametrize("stage", STAGES)
def test_deps_are_the_import_closure(stage: str) -> None:
    command = f"stages/{stage}.py"
    assert STAGES[stage]["cmd"] == f"python {command}"
    assert command in STAGES[stage]["deps"]
    assert {command, *modules_in(STAGES[stage]["deps"])} == CLOSURES[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_package_of_one_stage_is_one_dependency(stage: str) -> None:
    others = set().union(*(CLOSURES[other] for other in STAGES if other != stage))
    own = {
        package
        for package in {str(Path(name).parent) for name in CLOSURES[stage]}
        if package.startswith("src/") and modules_in([package]) <= CLOSURES[stage] - others
    }
    outermost = {package for package in own if str(Path(package).parent) not in own}
    assert outermost == set(folders_of(stage))


def test_folders_that_stages_depend_on_hold_only_what_git_tracks() -> None:
    """DVC reads every file in them that .dvcignore does not hide."""
    hidden = pathspec.GitIgnoreSpec.from_lines((ROOT / ".dvcignore").read_text().splitlines())
    files = {
        path.relative_to(ROOT).as_posix()
        for stage in STAGES
        for folder in folders_of(stage)
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    untracked = files - listed_by_git() - set(hidden.match_files(files))
    assert not untracked, "track them in Git, hide them in .dvcignore, or move them away"


@pytest.mark.parametrize("stage", STAGES)
def test_deps_are_the_files_that_the_stage_opens(stage: str, workspace: Workspace) -> None:
    record = workspace.folder.parent / "opened.json"
    workspace.run("python", "-c", RECORD_OPENED_FILES, f"stages/{stage}.py", str(record))
    everywhere = {workspace.folder / name for name in json.loads(record.read_text())}
    inside = {
        path.relative_to(workspace.folder).as_posix()
        for path in everywhere
        if path.is_relative_to(workspace.folder) and path.is_file()
    }
    tracked = workspace.run("git", "ls-files").split()
    produced = [path for each in STAGES for path in outs(each)]
    # What neither Git nor DVC keeps (a lock, say) cannot be a dependency.
    opened = (inside & set(tracked)) | below(inside, produced)
    opened -= below(opened, outs(stage)) | {"params.yaml"}
    deps = STAGES[stage]["deps"]
    assert opened == below(opened, deps)
    # A version pin is no file that Python opens, and some imports wait for an error to show.
    needless = [dep for dep in deps if not dep.endswith(".py") and not below(opened, [dep])]
    assert needless == ["requirements.txt"] * (stage in ("train", "evaluate"))


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_the_sections_that_the_stage_loads(stage: str) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / "stages" / f"{stage}.py").read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    sections = {ast.literal_eval(call.args[2]) for call in calls if call.func.id == "load_section"}
    if any(call.func.id == "load_training" for call in calls):
        sections |= {"train", "models"}
    assert {name.split(".")[0] for name in STAGES[stage]["params"]} == sections


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_says_what_it_does(stage: str) -> None:
    assert STAGES[stage]["desc"]


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_new_tensorflow_reruns(stage: str) -> None:
    assert "requirements.txt" in STAGES[stage]["deps"]


def test_train_does_not_see_the_test_set() -> None:
    assert not [dep for dep in STAGES["train"]["deps"] if "test" in dep]
