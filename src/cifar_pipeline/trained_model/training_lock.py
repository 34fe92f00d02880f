"""One training at a time in a folder of models, also beside one that a killed `dvc` left behind."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cifar_pipeline.common.atomic import remove_leftovers, writing
from cifar_pipeline.common.errors import PipelineError, under_dvc
from cifar_pipeline.common.file_lock import locked

LOCK = "training.lock"
MODEL = "model.keras"
CHECKPOINT = "training.backup"
# Where DVC copies the workspace to for queued and temporary experiments, and then deletes it.
_EXPERIMENTS = ".dvc/tmp/exps"


@contextmanager
def training_lock(models: Path) -> Iterator[None]:
    """Hold the lock of `models` while the block runs: one process trains there at a time.

    Raises:
        PipelineError: another process trains there, or the folder cannot be written.
    """

    def refuse(process: str) -> None:
        raise PipelineError(
            f"process {process or '?'} trains in {models.absolute()} already; wait until it has "
            f"ended, or stop it with `kill {process or 'PROCESS'}`: the same command then goes on "
            "after the last epoch that it saved"
        )

    with ExitStack() as stack:
        with writing(models):
            stack.enter_context(locked(models / LOCK, refuse))
            for name in (MODEL, CHECKPOINT):
                remove_leftovers(models / name)
        yield


def remove_checkpoint(models: Path) -> None:
    """Remove the checkpoint of a finished training, once DVC has noted its results."""
    if under_dvc():
        with suppress(OSError):  # its fingerprint guards it where it stays
            (models / CHECKPOINT).unlink(missing_ok=True)


def resume_hint() -> str:
    """Return what an interrupted training's last line says about the next run."""
    if _EXPERIMENTS in Path.cwd().as_posix():
        return "run the experiment again; a copy of the workspace starts from the first epoch"
    return "the same command goes on after the last saved epoch"
