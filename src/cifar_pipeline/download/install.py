"""Put the six batch files into a folder, all of them verified or none."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cifar_pipeline.atomic import replacing
from cifar_pipeline.checksums import sha256_of
from cifar_pipeline.download.failures import ArchiveError
from cifar_pipeline.errors import PipelineError


def install(batches: Iterable[tuple[str, bytes]], folder: Path, sha256: Mapping[str, str]) -> None:
    """Write `batches`, name and bytes of each, into `folder`.

    No file takes its final name before the last one of `sha256` has been verified.

    Raises:
        ArchiveError: a file's SHA-256 is not the expected one, or a file is missing.
        PipelineError: `folder` cannot be written.
    """
    missing = set(sha256)
    with writing(folder, "free some space or choose another folder"), ExitStack() as stack:
        for name, content in batches:
            digest = hashlib.sha256(content).hexdigest()
            if digest != sha256[name]:
                raise ArchiveError(
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


@contextmanager
def writing(folder: Path, remedy: str) -> Iterator[None]:
    """Turn an `OSError` of the block (full disk, no permission) into one line for the user.

    Raises:
        PipelineError: naming the file or else `folder`, the reason and the `remedy`.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        reason = error.strerror or type(error).__name__
        raise PipelineError(f"{place}: cannot be written ({reason}); {remedy}") from None
