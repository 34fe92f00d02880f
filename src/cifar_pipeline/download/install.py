"""Put the six batch files into a folder, all of them verified or none."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from cifar_pipeline.atomic import replacing, writing
from cifar_pipeline.checksums import sha256_of
from cifar_pipeline.download.failures import ArchiveError, OtherFilesError


def install(batches: Iterable[tuple[str, bytes]], folder: Path, sha256: Mapping[str, str]) -> None:
    """Write `batches`, name and bytes of each, into `folder`.

    No file takes its final name before the last one of `sha256` has been verified.

    Raises:
        OtherFilesError: a file's SHA-256 is not the expected one.
        ArchiveError: a file is missing.
        PipelineError: `folder` cannot be written.
    """
    missing = set(sha256)
    with writing(folder), ExitStack() as stack:
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
