"""SHA-256 of files, and the manifest by which a reader checks what a stage before it wrote."""

import hashlib
import json
from pathlib import Path

from cifar_pipeline.atomic import replacing
from cifar_pipeline.errors import PipelineError

MANIFEST = "manifest.json"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path) -> None:
    """Write the SHA-256 of every file in `folder` into its manifest.json."""
    # A name with a dot is a temporary file that a killed run left behind.
    listed = (path for path in folder.iterdir() if path.name != MANIFEST)
    files = sorted(path for path in listed if not path.name.startswith("."))
    sums = {path.name: sha256_of(path) for path in files}
    with replacing(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(sums, indent=2) + "\n")


def check_manifest(folder: Path, names: list[str]) -> None:
    """Compare the files `names` in `folder` with its manifest.

    Raises:
        PipelineError: the manifest or a file is missing, or a file's bytes differ.
    """
    heal = "run `dvc repro --force --single-item preprocess` to write it again"
    try:
        sums = json.loads((folder / MANIFEST).read_text())
        if not isinstance(sums, dict):
            raise ValueError
    except (OSError, ValueError):
        raise PipelineError(f"{folder / MANIFEST} cannot be read; {heal}") from None
    for name in names:
        path = folder / name
        if not path.is_file():
            raise PipelineError(f"{path} is missing; {heal}")
        if name not in sums:
            raise PipelineError(f"{path} is not in {MANIFEST}; {heal}")
        if sha256_of(path) != sums[name]:
            raise PipelineError(f"{path} is corrupt: its SHA-256 is not the manifest's; {heal}")
