"""Put the six batch files and their manifest into a folder, all of them verified or none."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.checksums import MANIFEST, manifest_text, sha256_of
from cifar_pipeline.download.errors import ArchiveError, OtherFilesError


def install(batches: Iterable[tuple[str, bytes]], folder: Path, sha256: Mapping[str, str]) -> None:
    """Write `batches`, name and bytes of each, into `folder`, and `sha256` as its manifest.

    No file takes its final name before the last one of `sha256` has been verified.

    Raises:
        OtherFilesError: a file's SHA-256 is not the expected one.
        ArchiveError: a file is missing.
        PipelineError: `folder` cannot be written.
    """
    missing = set(sha256)
    with writing(folder), ExitStack() as stack:
        # What enters first takes its name last: no manifest stands beside files of another one.
        stack.enter_context(replacing(folder / MANIFEST)).write_text(
            manifest_text(sha256), encoding="utf-8"
        )
        for name, content in batches:
            digest = hashlib.sha256(content).hexdigest()
            if digest != sha256[name]:
                raise OtherFilesError(
                    f"{name} is not the official file: SHA-256 {digest[:12]}...,"
                    f" {sha256[name][:12]}... expected"
                )
            stack.enter_context(replacing(folder / name)).write_bytes(content)
            missing.discard(name)
        if missing:
            raise ArchiveError(f"{', '.join(sorted(missing))} missing")


def is_installed(folder: Path, sha256: Mapping[str, str]) -> bool:
    """Return whether `folder` holds every file of `sha256` with that hash."""
    try:
        return all(sha256_of(folder / name) == digest for name, digest in sha256.items())
    except OSError:
        return False


def describe(folder: Path, sha256: Mapping[str, str]) -> None:
    """Write the manifest of a `folder` that holds the files of `sha256`.

    Raises:
        PipelineError: `folder` cannot be written.
    """
    with writing(folder), replacing(folder / MANIFEST) as manifest:
        manifest.write_text(manifest_text(sha256), encoding="utf-8")
