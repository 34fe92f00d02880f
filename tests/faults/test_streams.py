"""Standard streams that are closed, full or gone, under every command."""

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

from broken_streams import (
    FAULTS,
    LEFT,
    PROGRAM,
    WITHOUT_TENSORFLOW,
    WRITING,
    break_streams,
    lay_out_project,
    run,
)
from workspace import INTERPRETERS, Workspace

Done = subprocess.CompletedProcess[str]
QUICK = ("adopt", "check-params", "download", "preprocess", "train", "evaluate")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage has run, without any stream."""
    folder = tmp_path_factory.mktemp("project")
    lay_out_project(folder)
    for name in QUICK:
        ended[name] = run(folder, WRITING[name], FAULTS["no streams"])
    return folder


ended: dict[str, Done] = {}


@pytest.mark.fault(
    "a command is started without standard input, output and error (`<&- >&- 2>&-`)",
    "no data file gets their numbers; the command writes its files and ends with exit code 0",
)
@pytest.mark.trains
def test_commands_end_well_without_streams(project: Path) -> None:
    assert {name: done.returncode for name, done in ended.items()} == dict.fromkeys(QUICK, 0)
    assert all((project / LEFT[name]).is_file() for name in QUICK)
    assert "source: pictures" in (project / "params.yaml").read_text(encoding="utf-8")


@pytest.mark.fault(
    "standard output or error is a full disk, a pipe without reader or a terminal that has gone",
    "what cannot be printed is dropped; the command writes its files and ends with exit code 0",
)
@pytest.mark.parametrize("name", WITHOUT_TENSORFLOW)
def test_a_command_ends_well_without_its_lines(project: Path, name: str) -> None:
    assert run(project, WRITING[name], FAULTS["full streams"]).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", WRITING)
@pytest.mark.fault(
    "any standard stream is closed, full or gone, while a command writes files",
    "the others get their lines; the files are written, and the exit code is 0",
)
def test_files_are_written_whatever_becomes_of_streams(
    project: Path, name: str, fault: str
) -> None:
    left = project / LEFT[name]
    if left.name != "params.yaml":
        left.unlink(missing_ok=True)
    done = run(project, WRITING[name], FAULTS[fault], real=True)
    assert done.returncode == 0
    assert done.stderr == ""
    assert left.is_file()
    if not {1, 2} & FAULTS[fault].keys() and name != "check-params":
        assert done.stdout


@pytest.mark.fault(
    "any standard stream of `make repro` is closed, full or gone",
    "DVC goes on to its end without those of its lines",
)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(each, marks=[] if each == "full streams" else pytest.mark.slow)
        for each in FAULTS
    ],
)
def test_make_repro_ends_well_without_its_lines(fault: str, workspace: Workspace) -> None:
    shutil.rmtree(workspace.folder / "data/processed")
    command = ["make", "-s", "-o", "setup", "-o", "check-params", "repro"]
    done = subprocess.run(
        command,
        cwd=workspace.folder,
        env={**workspace.environment, "PATH": INTERPRETERS},
        preexec_fn=functools.partial(break_streams, FAULTS[fault]),
        check=False,
    )
    assert done.returncode == 0
    assert (workspace.folder / "data/processed/manifest.json").exists()


PICTURE = "pictures/test/dog/0.png"
RESULTS = {
    "--json": [*PROGRAM, "predict", "--json", PICTURE],
    "--csv": [*PROGRAM, "predict", "--csv", PICTURE],
    "a table": [*PROGRAM, "predict", PICTURE],
    "help": [*PROGRAM, "--help"],
}
REASONS = {
    "no standard output": "Bad file descriptor",
    "full standard output": "No space left on device",
    "standard output read by nobody": "Broken pipe",
    "standard output that can only be read": "Bad file descriptor",
}


@pytest.mark.trains
@pytest.mark.fault(
    "a result that is printed (`predict`, help) cannot be, as its stream is closed, full or gone",
    "one line on standard error with the reason, and exit code 1",
)
@pytest.mark.parametrize(
    ("result", "fault"),
    [
        ("--json", "no standard output"),
        ("--csv", "standard output read by nobody"),
        ("a table", "full standard output"),
        *(("help", fault) for fault in REASONS),
    ],
)
def test_a_result_that_cannot_be_printed_is_an_error(
    project: Path, result: str, fault: str
) -> None:
    done = run(project, RESULTS[result], FAULTS[fault])
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        f"error: the results cannot be written to standard output ({REASONS[fault]}); "
    )


@pytest.mark.trains
@pytest.mark.fault(
    "`predict` has no standard error, or a full one",
    "its results are whole, and its exit code is that of its pictures",
)
def test_results_do_not_need_standard_error(project: Path) -> None:
    command = [*RESULTS["--csv"], "missing.png"]
    done = run(project, command, FAULTS["no standard error"])
    assert done.returncode == 1
    assert done.stdout == run(project, command).stdout
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == [
        "picture",
        PICTURE,
        "missing.png",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.fault(
    "any standard stream is closed, full or gone, while a command prints its result",
    "the result is printed whole, or the exit code is 1",
)
def test_a_result_is_whole_or_an_error(project: Path, result: str, fault: str) -> None:
    done = run(project, RESULTS[result], FAULTS[fault], real=True)
    assert done.returncode == int(1 in FAULTS[fault])
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == int(1 in FAULTS[fault] and 2 not in FAULTS[fault])
    if 1 not in FAULTS[fault]:
        assert done.stdout == run(project, RESULTS[result]).stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC repository whose cache has a file with a name that is not ASCII."""
    folder = tmp_path_factory.mktemp("repository")
    stage = 'stages: {s: {cmd: "echo hi > \u00fcn", outs: [\u00fcn]}}\n'
    (folder / "dvc.yaml").write_text(stage, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for command in (["init", "-q"], ["repro", "-q"]):
        assert run(folder, ["-m", "dvc", *command]).returncode == 0
    return folder


VERIFY = ["-m", "cifar_pipeline.dvc_cache.verify"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.fault(
    "any standard stream is closed, full or gone while `make verify` reads a sound cache",
    "it says that nothing is damaged, or the exit code is 1",
)
def test_a_sound_cache_is_told_or_an_error(repository: Path, fault: str) -> None:
    done = run(repository, VERIFY, FAULTS[fault])
    assert done.returncode == int(1 in FAULTS[fault])
    assert "Traceback" not in done.stderr
    assert ("none is damaged" in done.stdout) is (1 not in FAULTS[fault])


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.fault(
    "any standard stream is closed, full or gone while `make verify` finds damage",
    "the exit code is 1; standard error, where there is one, names the damage",
)
def test_damage_is_told(repository: Path, tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(repository, folder)
    for path in (folder / ".dvc/cache/files").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"damage")
    done = run(folder, VERIFY, FAULTS[fault], PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert (r"damaged: \xfcn (s)" in done.stderr) is (2 not in FAULTS[fault])


@pytest.mark.fault(
    "a wrong argument or value, with standard error closed or full",
    "the exit code says it: 1 or 2, as with a standard error",
)
@pytest.mark.parametrize("fault", ["no streams", "full streams"])
def test_the_exit_code_says_what_cannot_be_printed(tmp_path: Path, fault: str) -> None:
    assert run(tmp_path, WRITING["check-params"], FAULTS[fault]).returncode == 2
