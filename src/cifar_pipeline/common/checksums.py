"""SHA-256 of files, and the manifest by which a reader checks what a stage before it wrote."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import advice_for, reason_of

MANIFEST = "manifest.json"
# Not `dvc repro --force`: when the stage writes the same bytes again, DVC keeps a damaged object.
HEAL = "`make verify` finds what is damaged and says how to heal it"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_text(sums: Mapping[str, str]) -> str:
    """Return the content of a manifest: `sums`, SHA-256 by file name, in the order of names."""
    return json.dumps(dict(sorted(sums.items())), indent=2) + "\n"


def write_manifest(folder: Path) -> None:
    """Write the SHA-256 of every file in `folder` into its manifest.json."""
    # A name with a dot is a temporary file that a killed run left behind.
    listed = (path for path in folder.iterdir() if path.name != MANIFEST)
    files = (path for path in listed if not path.name.startswith("."))
    with replacing(folder / MANIFEST) as temporary:
        temporary.write_text(
            manifest_text({path.name: sha256_of(path) for path in files}), encoding="utf-8"
        )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever reading the damaged file `path` raises in the block into one line.

    What a reader raises depends on what it meets first: ValueError, KeyError, RecursionError, ...

    Raises:
        PipelineError: it cannot be read.
    """
    try:
        yield
    except Exception as error:
        advice = advice_for(error, otherwise=HEAL)
        raise PipelineError(f"{path} cannot be read ({reason_of(error)}); {advice}") from None


def read_manifest(folder: Path, stage: str) -> dict[str, str]:
    """Return the manifest of `folder`, which `stage` writes: SHA-256 by file name.

    Raises:
        PipelineError: it is missing or damaged.
    """
    path = folder / MANIFEST
    _require(path, stage)
    with reading(path):
        sums = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(sums, dict):
            raise ValueError("no JSON object")
    return sums


def check_manifest(folder: Path, names: list[str], stage: str) -> None:
    """Compare the files `names` in `folder`, which `stage` writes, with its manifest.

    Raises:
        PipelineError: the manifest or a file is missing, or a file's bytes differ.
    """
    sums = read_manifest(folder, stage)
    for name in names:
        path = folder / name
        _require(path, stage)
        if name not in sums:
            raise PipelineError(f"{path} is not in {MANIFEST}; {HEAL}")
        if sha256_of(path) != sums[name]:
            raise PipelineError(f"{path} is corrupt: its SHA-256 is not the manifest's; {HEAL}")


def _require(path: Path, stage: str) -> None:
    if not path.is_file():
        raise PipelineError(f"{path} is missing; run `dvc repro {stage}` to write it")
