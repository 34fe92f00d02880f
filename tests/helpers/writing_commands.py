"""Commands that write, each small, and the folder in which each runs: for failing_disk.py."""

import hashlib
import json
import os
import re
import runpy
import shutil
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from closure import ROOT


class Scenario(NamedTuple):
    """A command, and the folder in which it runs.

    Attributes:
        prepare: fills a folder, which is the current one, with the command's input.
        earlier: turns that into the input of an earlier run, so that the command finds its results.
        command: returns the exit code.
        watched: the folders whose changes are of interest.
        whole: patterns of files that have other contents than before and after, or other ones each
            time; with what reads such a file and fails where it is half.
        same_process: whether a process may run the command twice and leave the same bytes.
    """

    prepare: Callable[[], None]
    earlier: Callable[[], None]
    command: Callable[[], int]
    watched: tuple[str, ...]
    whole: Mapping[str, Callable[[Path], object]] = MappingProxyType({})
    same_process: bool = True


def exit_code(function: Callable[[], object]) -> int:
    """Return the exit code with which a program ends that runs `function`."""
    try:
        function()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # there is one
        return 1
    return 0


def stage(name: str) -> Callable[[], int]:
    """Return a command that runs a stage as a program."""

    def run() -> int:
        sys.argv = [f"{name}.py"]
        return as_program(name)

    return run


def as_program(name: str) -> int:
    """Run a stage with the arguments in sys.argv; return its exit code."""
    script = str(ROOT / "stages" / f"{name}.py")
    return exit_code(lambda: runpy.run_path(script, run_name="__main__"))


def console_script(*arguments: str) -> Callable[[], int]:
    """Return a command that runs `cifar-pipeline` with arguments."""

    def run() -> int:
        from cifar_pipeline.cli import main

        sys.argv = ["cifar-pipeline", *arguments]
        return exit_code(main)

    return run


# Scenarios


def nothing() -> None:
    """Nothing is different in the earlier run."""


def set_params(changes: dict[str, object]) -> None:
    from params_files import SHIPPED, written

    # Each run parses the file.
    others = {f"models.{name}": ... for name in SHIPPED["models"] if name != "fast"}
    written(Path(), {**others, **changes})


def in_fork(function: Callable[[], object]) -> None:
    """Run a function in a fork: TensorFlow must not have started in the process that forks."""
    child = os.fork()
    if not child:
        os._exit(exit_code(function))
    _, status = os.waitpid(child, 0)
    assert not status


def _download(archive: bool) -> Scenario:
    from synthetic import write_batches

    where = "batches.tar.gz" if archive else "batches"

    def write(images: int) -> None:
        shutil.rmtree("batches", ignore_errors=True)
        sums = write_batches(Path("batches"), images)
        with tarfile.open("batches.tar.gz", "w:gz") as file:
            file.add("batches", "cifar-10-batches-bin")
        set_params({"download.source": where, "download.sha256": sums})

    return Scenario(lambda: write(3), lambda: write(2), stage("download"), ("data",))


def _write_pictures(number: int, broken: bool = False) -> None:
    """Write pictures of a user's own, one of which may be no picture, and params for them."""
    from picture_folders import write_pictures

    shutil.rmtree("pictures", ignore_errors=True)
    write_pictures(Path("pictures"), number, 3)
    if broken:
        Path("pictures/train/dog/broken.png").write_bytes(b"broken")


def _own_params(changes: dict[str, object] | None = None) -> None:
    leave_out: dict[str, object] = {"download.broken_images": "leave_out"}
    set_params({"download.source": "pictures", **leave_out, **(changes or {})})


def _download_pictures() -> Scenario:
    from cifar_pipeline.common.errors import PipelineError
    from cifar_pipeline.download.own_pictures import install_pictures
    from cifar_pipeline.params.download import DownloadParams
    from cifar_pipeline.params.loading import load_section

    def digest() -> str:
        """Return the digest of the folder, from the line that asks for it."""
        _own_params()
        params = load_section(Path("params.yaml"), DownloadParams, "download")
        try:
            install_pictures(Path("pictures"), Path("nowhere"), params)
        except PipelineError as error:
            return re.findall(r"[0-9a-f]{64}", str(error))[-1]
        finally:
            shutil.rmtree("nowhere")
        raise AssertionError

    def write(number: int) -> None:
        _write_pictures(number, broken=True)
        _own_params({"download.sha256.pictures": digest()})

    return Scenario(lambda: write(9), lambda: write(8), stage("download"), ("data",))


def _preprocess() -> Scenario:
    from synthetic import write_raw

    def write(seed: int) -> None:
        set_params({"preprocess.seed": seed, "preprocess.validation_images": 20})

    def prepare() -> None:
        write_raw(Path("data/raw"))
        write(1)

    return Scenario(prepare, lambda: write(2), stage("preprocess"), ("data/processed",))


def _preprocess_pictures() -> Scenario:
    download = _download_pictures()

    def params(seed: int) -> None:
        from cifar_pipeline.params.loading import read_yaml

        known = read_yaml(Path("params.yaml"))["download"]["sha256"]
        own = {"download.sha256.pictures": known["pictures"], "preprocess.seed": seed}
        _own_params({**own, "preprocess.validation_images": 5})

    def prepare() -> None:
        download.prepare()
        in_fork(download.command)
        params(1)

    return Scenario(prepare, lambda: params(2), stage("preprocess"), ("data/processed",))


def _adopt() -> Scenario:
    def prepare() -> None:
        from params_files import with_presets

        Path("params.yaml").write_text(with_presets("fast", "quick"))
        Path("cache").mkdir()
        os.environ["CIFAR_PIPELINE_CACHE"] = str(Path("cache").resolve())
        _write_pictures(8, broken=True)

    def earlier() -> None:
        _write_pictures(7, broken=True)

    command = console_script("adopt", "pictures", "--broken-images", "leave_out")
    # What it notes of files are times and inodes.
    notes = {"cache/pictures-*.json": _read_json, "cache/adopted-*.json": _read_json}
    return Scenario(prepare, earlier, command, (".",), notes)


def _train() -> Scenario:
    from workspace import SMALL

    preprocess = _preprocess()

    def params(seed: int) -> None:
        few = {"models.fast.block1.filters": 4, "models.fast.epochs": 2, "train.seed": seed}
        set_params({**SMALL, **few})

    def prepare() -> None:
        preprocess.prepare()
        in_fork(preprocess.command)
        params(1)
        os.environ["DVC_STAGE"] = "train"

    state = {"models/training.backup": _read_checkpoint}
    return Scenario(prepare, lambda: params(2), stage("train"), ("models", "reports"), state)


def _read_json(path: Path) -> object:
    return json.loads(path.read_text())


def _read_checkpoint(path: Path) -> None:
    content = path.read_bytes()
    assert hashlib.sha256(content[32:]).digest() == content[:32]


def _evaluate() -> Scenario:
    import numpy as np

    from evaluate_inputs import IMAGES, lay_out_inputs, save_tiny_model, write_outputs

    def prepare() -> None:
        save_tiny_model(Path("tiny.keras"))
        lay_out_inputs(Path(), Path("tiny.keras"))

    def earlier() -> None:
        write_outputs(Path(), np.random.default_rng(2).normal(size=(IMAGES, 10)).astype("f4"))

    def run() -> int:
        from evaluate_inputs import arguments

        sys.argv = ["evaluate.py", *arguments(Path())]
        return exit_code(
            lambda: runpy.run_path(str(ROOT / "stages/evaluate.py"), run_name="__main__")
        )

    return Scenario(lambda: in_fork(prepare), earlier, run, (".",))


def _export(form: str) -> Scenario:
    from small_models import save_model

    def prepare(bias: float) -> None:
        Path("models").mkdir(exist_ok=True)
        save_model(Path("models/model.keras"), bias=bias)

    # Functions that TensorFlow traces get numbers, and these are in what it writes.
    return Scenario(
        lambda: in_fork(lambda: prepare(0)),
        lambda: in_fork(lambda: prepare(1)),
        console_script("export", form),
        ("exports",),
        {"exports/saved_model/fingerprint.pb": lambda path: path.read_bytes()[1]},
        same_process=False,
    )


def _repair() -> Scenario:
    def prepare() -> None:
        from dvc.cli import main as dvc

        names = ("mended.bin", "removed.bin")
        for at, name in enumerate(names):
            Path(name).write_bytes(bytes([at]) * 5000)
        assert dvc(["init", "-q", "--no-scm"]) == 0
        assert dvc(["add", "-q", *names]) == 0
        for path in Path(".dvc/cache/files/md5").glob("*/*"):
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1] + b"x")
            path.chmod(0o444)
        Path("removed.bin").unlink()

    def run() -> int:
        sys.argv = ["verify", "--repair"]
        module = "cifar_pipeline.dvc_cache.verify"
        return exit_code(lambda: runpy.run_module(module, run_name="__main__", alter_sys=True))

    return Scenario(lambda: in_fork(prepare), nothing, run, (".dvc/cache", "mended.bin"))


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "download": lambda: _download(archive=False),
    "download an archive": lambda: _download(archive=True),
    "download pictures": _download_pictures,
    "preprocess": _preprocess,
    "preprocess pictures": _preprocess_pictures,
    "adopt": _adopt,
    "train": _train,
    "evaluate": _evaluate,
    "export litert": lambda: _export("litert"),
    "verify --repair": _repair,
    "export saved_model": lambda: _export("saved_model"),
}
