"""One training at a time in a folder of models, also beside one that a killed `dvc` left behind."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cifar_pipeline.atomic import writing
from cifar_pipeline.errors import PipelineError
from cifar_pipeline.locking import locked

LOCK = "training.lock"


@contextmanager
def alone_in(models: Path) -> Iterator[None]:
    """Train alone in `models` while the block runs.

    Raises:
        PipelineError: another process trains there, or the folder cannot be written.
    """

    def refuse(process: str) -> None:
        raise PipelineError(
            f"process {process} trains in {models.absolute()} already; wait until it has ended, or "
            f"stop it with `kill {process}`: the same command then goes on after the last epoch "
            "that it finished"
        )

    with ExitStack() as stack:
        with writing(models):
            stack.enter_context(locked(models / LOCK, refuse))
        yield
