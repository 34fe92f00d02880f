"""File systems that refuse something: every writer of a file, and what refuses in earnest."""

import errno
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from archive_makers import hashes_of, make_batches
from cifar_pipeline.adopt.params_file import write_text
from cifar_pipeline.checkout import require_own, tell_dvc_of_git
from cifar_pipeline.common.atomic import replacing, require_writable, writing
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.file_lock import locked
from cifar_pipeline.dataset.npy_files import open_for_reading, write_rows
from cifar_pipeline.download.install import describe, install
from cifar_pipeline.download.own_pictures import install_pictures
from cifar_pipeline.download.picture_source import digest_of, open_folder
from cifar_pipeline.evaluate.reports import write_reports
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.preprocess.stage import preprocess
from cifar_pipeline.train.checkpoint import Checkpoint
from closure import ROOT
from disks import AS_ROOT, fill, small_disk
from evaluation_results import sure_predictions
from picture_folders import download_params, write_pictures
from refusals import assert_fitting, refuse
from synthetic import write_raw
from training_runs import KEY, fitted, recipe

BATCHES = make_batches()
OLD = b"from before"
START = """
from cifar_pipeline.common.console import command_app
from cifar_pipeline.backend.start import start_backend
command_app(start_backend)()
"""
# A file from before, and the function that writes it anew, with others beside it.
Writer = tuple[Path, Callable[[], object]]


def _own_pictures(folder: Path) -> None:
    images = open_folder(folder.parent / "pictures")
    digest = digest_of(images, {file.path: sha256_of(file.path) for file in images.files})
    install_pictures(images.root, folder, download_params(digest))


def _reports(folder: Path) -> None:
    labels = np.arange(20) % 10
    with writing(folder):
        write_reports(folder, sure_predictions(labels, labels.astype(np.uint8)))


# Every way in which the commands write files, with one name that it writes.
WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "download": (
        "test_batch.bin",
        lambda folder: install(BATCHES.items(), folder, hashes_of(BATCHES)),
    ),
    "download again": ("manifest.json", lambda folder: describe(folder, {"x": "0" * 64})),
    "own pictures": ("files.csv", _own_pictures),
    "preprocess": (
        "train_images.npy",
        lambda folder: preprocess(
            folder.parent / "raw", folder, PreprocessParams(validation_images=20, seed=3)
        ),
    ),
    "reports": ("test_metrics.json", _reports),
    "adopt": ("params.yaml", lambda folder: write_text(folder / "params.yaml", "new: 1\n")),
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_raw(folder / "raw")
    write_pictures(folder / "pictures")
    return folder


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest, inputs: Path, tmp_path: Path) -> Writer:
    """A file from before, and the function of a command that writes it anew."""
    for name in ("raw", "pictures"):
        (tmp_path / name).symlink_to(inputs / name)
    name, write = WRITERS[request.param]
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).write_bytes(OLD)
    return folder / name, lambda: write(folder)


def assert_as_before(path: Path) -> None:
    """Demand that the file from before is whole, and that nothing lies beside it."""
    assert path.read_bytes() == OLD
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.fault(
    "a file system has no modes, or refuses to change them (a mounted Windows folder)",
    "nothing: a mode is only neat",
)
@pytest.mark.parametrize("name", ["EPERM", "EOPNOTSUPP"])
def test_a_refused_mode_changes_nothing(
    name: str, writer: Writer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path, write = writer
    asked = refuse(monkeypatch, "os.chmod", name)
    write()
    assert asked
    assert path.read_bytes() != OLD
    assert capfd.readouterr().err == ""


@pytest.mark.fault(
    "a file system cannot wait for the disk (CIFS for a folder, FUSE for a file)",
    "for a file, all of the machine's disks are waited for; a folder's names are sent off anyway",
)
@pytest.mark.parametrize("name", ["EINVAL", "EBADF", "EOPNOTSUPP", "ENOSYS", "EACCES", "EPERM"])
@pytest.mark.parametrize("at_opening", [False, True])
def test_a_refused_fsync_is_replaced(
    name: str, at_opening: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[bool] = []
    monkeypatch.setattr(os, "sync", lambda: waited.append(True))
    if at_opening:
        refuse(monkeypatch, "os.open", name, lambda path: path == tmp_path)
    else:
        refuse(monkeypatch, "os.fsync", name)
    require_writable(tmp_path, "file", sizes=[100_000])
    with replacing(tmp_path / "file", durable=True) as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert waited == ([] if at_opening else [True])


@pytest.mark.fault(
    "a file cannot be replaced by renaming (a container's mounted params.yaml, another disk)",
    "it is written in place, and a line says what that means",
)
@pytest.mark.parametrize("name", ["EXDEV", "EBUSY"])
def test_what_cannot_be_renamed_is_written_in_place(
    name: str, writer: Writer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path, write = writer
    write()
    expected = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    path.write_bytes(bytes(1000) + expected[path.name])  # longer than what comes
    capfd.readouterr()
    refuse(monkeypatch, "os.replace", name)
    write()
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == expected
    lines = capfd.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("warning: ") and "written in place" in line for line in lines)


@pytest.mark.fault(
    "a file cannot be made, or take its name",
    "a line with the reason and the advice for it; what was there is whole, and nothing beside it",
)
@pytest.mark.parametrize(
    ("function", "name"),
    [
        *(("os.open", name) for name in ("ENOSPC", "EROFS", "EACCES", "EMFILE", "ENAMETOOLONG")),
        *(("os.replace", name) for name in ("EDQUOT", "EIO")),
    ],
)
def test_a_refusal_is_one_fitting_line(
    name: str, function: str, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = writer
    refuse(monkeypatch, function, name, lambda at: str(at).startswith(f"{path.parent}/"))
    with pytest.raises(PipelineError) as caught:
        write()
    assert_fitting(str(caught.value), name)
    assert str(caught.value).startswith(str(path.parent))
    assert_as_before(path)


@pytest.mark.fault(
    "a folder stands where a file is to go, or a file where a folder is",
    "train, evaluate, preprocess and export say so before they begin",
)
def test_a_folder_in_the_way_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "model.keras").mkdir()
    with pytest.raises(PipelineError) as caught:
        require_writable(tmp_path, "other", "model.keras")
    assert str(caught.value).startswith(str(tmp_path / "model.keras"))
    assert_fitting(str(caught.value), "EISDIR")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PipelineError, match="a file is where a folder is expected"):
        require_writable(tmp_path / "file", "model.keras")
    with pytest.raises(PipelineError, match="a file is where a folder is expected"):
        require_writable(tmp_path / "file/folder", "model.keras")


@contextmanager
def limit(kind: int, number: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


@pytest.mark.fault(
    "a limit on the size of files (`ulimit -f`), or on open files (`ulimit -n`)",
    "the line names that limit; before a training, where it can be known",
)
def test_limits_of_the_process_are_named(writer: Writer) -> None:
    path, write = writer
    with limit(resource.RLIMIT_FSIZE, 1), pytest.raises(PipelineError) as caught:
        write()
    assert_fitting(str(caught.value), "EFBIG")
    assert_as_before(path)
    with limit(resource.RLIMIT_FSIZE, 10_000), pytest.raises(PipelineError, match="ulimit -f"):
        require_writable(path.parent, "model.keras", sizes=[20_000])
    os.close(free := os.dup(0))  # the lowest number that is free
    with limit(resource.RLIMIT_NOFILE, free), pytest.raises(PipelineError) as caught:
        require_writable(path.parent, "model.keras")
    assert_fitting(str(caught.value), "EMFILE")
    assert_as_before(path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user whom no permission is waived for."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.fault(
    "the current folder was removed",
    "every command and stage says so in one line",
)
@pytest.mark.parametrize(
    "command",
    [
        *([f"{ROOT}/stages/{name}.py"] for name in ("download", "preprocess", "train", "evaluate")),
        *(["-m", f"cifar_pipeline{name}"] for name in ("", ".check_params", ".dvc_cache.verify")),
    ],
)
def test_a_removed_current_folder_is_named(command: list[str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=gone,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        preexec_fn=gone.rmdir,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: the current folder was removed; change to one that is there"
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.fault(
    "a folder may not be written, as in another user's clone",
    "a line that says so, from `make repro` before DVC begins",
)
def test_another_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-")):  # of pytest, of one of its workers
            folder.chmod(0o755)
    (tmp_path / "models").mkdir()
    (tmp_path / "models").chmod(0o555)
    tmp_path.chmod(0o777)
    with as_nobody(), pytest.raises(PipelineError) as caught:
        require_writable(tmp_path / "models", "model.keras")
    assert_fitting(str(caught.value), "EACCES")
    access = os.access
    monkeypatch.setattr(os, "access", lambda *asked: access(*asked, effective_ids=True))
    with as_nobody(), pytest.raises(SystemExit, match=r"models cannot be written by you; .*ls -ld"):
        require_own(tmp_path)


@pytest.mark.fault(
    "Git refuses another user's clone (dubious ownership)",
    "`make` goes on, and a line says what allows it; the tests stop with that line",
)
def test_a_clone_that_git_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    tell_dvc_of_git(tmp_path)
    (line,) = capfd.readouterr().out.splitlines()
    assert line.endswith(f"git config --global --add safe.directory {tmp_path}")
    assert not (tmp_path / ".dvc").exists()
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    make = ["make", "-s", "in-git"]
    done = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    assert done.stderr.startswith("error: another user's clone")
    assert f"safe.directory '{tmp_path}'" in done.stderr


@pytest.mark.fault(
    "a disk is full, or too small for what will be written",
    "a line before the work begins; no process is killed by the system",
)
def test_a_small_disk(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    code = (
        "import sys; import numpy as np; from pathlib import Path\n"
        "from cifar_pipeline.dataset.npy_files import write_rows\n"
        "try: write_rows(Path(sys.argv[1]), np.zeros((64, 4096), np.uint8), np.arange(64))\n"
        "except OSError as error: print(error.errno)\n"
    )
    with small_disk(folder, kilobytes=128):
        require_writable(folder, "model.keras", sizes=[64_000])
        with limit(resource.RLIMIT_FSIZE, 60_000):  # on each file, not on both together
            require_writable(folder, "model.keras", sizes=[50_000, 50_000])
        with pytest.raises(PipelineError) as caught:
            require_writable(folder, "model.keras", sizes=[64_000, 96_000])
        assert_fitting(str(caught.value), "ENOSPC")
        assert list(folder.iterdir()) == []
        # In memory that is a file, the system would kill the process.
        command = [sys.executable, "-c", code, folder / "images.npy"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(errno.ENOSPC)
        (folder / "images.npy").unlink()
        fill(folder)
        with pytest.raises(PipelineError) as caught:  # a name needs no space, its content does
            require_writable(folder, "model.keras")
        assert_fitting(str(caught.value), "ENOSPC")


@pytest.mark.trains
@pytest.mark.fault(
    "a disk is smaller than the model and the checkpoint of a training", "a line before it trains"
)
def test_a_disk_too_small_for_a_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "models", kilobytes=100):
        with pytest.raises(PipelineError) as caught:
            fitted(recipe("fast"), Checkpoint(tmp_path / "models/training.backup", KEY))
        assert_fitting(str(caught.value), "ENOSPC")
        assert list((tmp_path / "models").iterdir()) == []
    assert "epoch" not in capsys.readouterr().out


@pytest.mark.fault("a disk is mounted read-only", "a line that says so")
def test_a_read_only_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=128):
        remount = [*AS_ROOT, "mount", "-o", "remount,ro", str(tmp_path / "disk")]
        subprocess.run(remount, check=True)
        with pytest.raises(PipelineError) as caught:
            require_writable(tmp_path / "disk", "model.keras")
    assert_fitting(str(caught.value), "EROFS")


@pytest.mark.fault(
    "a file system has no locks (Lustre, some of FUSE)",
    "a file among the temporary ones is locked instead; without those a line says that none is",
)
@pytest.mark.parametrize("name", ["ENOSYS", "ENOLCK", "EOPNOTSUPP", "EINVAL"])
def test_a_lock_is_held_elsewhere(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    lock = tmp_path / "models/training.lock"
    holders: list[str] = []

    def on_lockless_disk(file: object) -> bool:
        number = file if isinstance(file, int) else file.fileno()  # type: ignore[attr-defined]
        return os.path.samestat(os.fstat(number), lock.stat())

    def refuse_second(holder: str) -> None:
        holders.append(holder)
        raise PipelineError("busy")

    refuse(monkeypatch, "fcntl.flock", name, on_lockless_disk)
    # pytest itself needs temporary files at the end of a test.
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        with locked(lock, refuse_second):
            assert len(list(temporary.iterdir())) == 1
            with pytest.raises(PipelineError, match="busy"), locked(lock, refuse_second):
                pass
        assert holders == [str(os.getpid())]
        with locked(lock, refuse_second):  # it was freed
            pass
        assert capfd.readouterr().err == ""
        patch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
        with locked(lock, refuse_second):
            pass
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"warning: {lock} cannot be locked (")


@pytest.mark.fault(
    "a file system cannot show a file as memory (mmap)", "the array is read as a whole"
)
@pytest.mark.parametrize("name", ["ENODEV", "EINVAL", "EPERM"])
def test_an_array_is_read_where_it_cannot_be_mapped(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.arange(60, dtype=np.uint8).reshape(20, 3)
    write_rows(tmp_path / "a.npy", images, np.arange(20)[::2])
    refuse(monkeypatch, "mmap.mmap", name)
    with pytest.raises(OSError, match=os.strerror(getattr(errno, name))):
        np.load(tmp_path / "a.npy", mmap_mode="r")
    np.testing.assert_array_equal(open_for_reading(tmp_path / "a.npy"), images[::2])


@pytest.mark.fault(
    "a file system takes capital and small letters for the same",
    "no two files differ in that alone",
)
def test_no_two_files_have_the_same_name_in_small_letters() -> None:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {str(at) for file in files.split("\0") for at in (Path(file), *Path(file).parents)}
    assert len({name.lower() for name in names}) == len(names) > 1


@pytest.mark.fault(
    "too little memory is allowed for TensorFlow (`ulimit -v`)", "a line that names the limit"
)
def test_too_little_address_space_is_not_called_a_missing_package() -> None:
    # NumPy's and TensorFlow's own code might end the process without a word.
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 600000; exec "$@"', "bash", sys.executable, "-c", START],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: Keras cannot start on tensorflow, which maps 3 GB of memory; ")
    assert line.endswith("raise the limit on address space (`ulimit -v`, 600,000 kB now)")
