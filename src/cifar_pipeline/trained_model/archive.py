"""Read what a Keras archive holds beside the model, whatever is wrong with the archive."""

import zipfile
from pathlib import Path

from cifar_pipeline.common.checksums import HEAL
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import advice_for, reason_of

# Of a file in the archive that is not the weights. The largest that is known has some 300 kB.
_MOST_BYTES = 64_000_000
_MOST_PACKED = 20  # times the size of the archive


def unreadable(path: Path, error: Exception) -> PipelineError:
    """Return the error of an archive at `path` for what reading it has raised."""
    advice = advice_for(error, otherwise=remedy(path))
    return PipelineError(f"{path} cannot be loaded ({reason_of(error)}); {advice}")


def read_entry(path: Path, *names: str) -> bytes | None:
    """Return the content of the first of `names` that the archive at `path` holds, None of none.

    Raises:
        PipelineError: the archive is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            held = set(archive.namelist())
            name = next((name for name in names if name in held), None)
            if name is None:
                return None
            if archive.getinfo(name).file_size > _MOST_BYTES:
                raise ValueError(f"{name} in it is said to have over {_MOST_BYTES:,} bytes")
            return archive.read(name)
    except Exception as error:  # as in `require_whole`
        raise unreadable(path, error) from None


def holds(path: Path, start: str) -> bool:
    """Say whether the archive at `path` holds an entry whose name begins with `start`."""
    with zipfile.ZipFile(path) as archive:
        return any(name.startswith(start) for name in archive.namelist())


def require_whole(path: Path) -> int:
    """Compare the checksums of the archive at `path`, which Keras does not: it reads piecemeal.

    Returns:
        The number of bytes of all that is in it.

    Raises:
        PipelineError: one of them differs, or the archive would unpack to far more than itself.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            # Keras packs nothing; weights that someone packed do not shrink like this.
            if unpacked > _MOST_PACKED * path.stat().st_size + _MOST_BYTES:
                raise ValueError(f"it would unpack to {unpacked:,} bytes")
            damaged = archive.testzip()
        if damaged:
            raise ValueError(f"{damaged} in it is damaged")
        return unpacked
    # zipfile raises what the first damaged part leads to: OSError, EOFError, struct.error, ...
    except Exception as error:
        raise unreadable(path, error) from None


def remedy(path: Path) -> str:
    """Return what to do about a damaged model: DVC knows the pipeline's own, and no other."""
    if (path.absolute().parents[1] / "dvc.yaml").is_file():
        return f"{HEAL}; if nothing is, `dvc repro --force train` writes it again"
    return "fetch or save it again"
