"""Look at a user's own pictures before the pipeline runs: DVC sees the digest alone."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import OF_THE_MACHINE, refusal
from cifar_pipeline.download.cache import cache_folder
from cifar_pipeline.download.contents import FAULTS, read_contents, require_no_faults
from cifar_pipeline.download.own_pictures import decoding_of
from cifar_pipeline.download.picture_source import (
    digest_of,
    local_source,
    open_folder,
    require_digest,
    require_source,
)
from cifar_pipeline.images.decoding import require_regular
from cifar_pipeline.images.layout import ImageFolder
from cifar_pipeline.images.paths import PictureError, shown
from cifar_pipeline.params.download import DownloadParams

# A file that was changed so shortly before it was looked at may change again unnoticed: clocks of
# file systems tick in up to two seconds.
_SETTLED_SECONDS = 2.0


def check_pictures(params: DownloadParams, folder: Path) -> ImageFolder | None:
    """Compare the pictures of download.source with their digest.

    Without a digest in params.yaml all of them are read, and faulty ones are named first. With one,
    only files are read that are new or have changed since the last time.

    Args:
        params: with a source, or the digest of one.
        folder: the one that data/raw is in, for the list of faulty files.

    Returns:
        The folder as it is understood; None where it is not there, which is said.

    Raises:
        PipelineError: the folder is laid out in another way, has faulty files or other pictures.
    """
    source = local_source(params.source)
    if source is not None and params.pictures and not source.is_dir():
        say(
            f"download.source: {shown(str(source))} is not there; the pipeline goes on with what "
            "DVC has of its pictures"
        )
        return None
    source = require_source(source)
    images = open_folder(source)
    sums = _sums(images) if params.pictures else {}
    stop = params.broken_images == "stop"
    # Some faults are seen without decoding; all of them are named at once.
    if not sums or (stop and "" in sums.values()):
        contents = read_contents(images, decoding_of(params))
        if stop:
            require_no_faults(images, contents, folder / FAULTS)
        sums = contents.sha256
    require_digest(source, digest_of(images, sums), params.pictures)
    return images


def _sums(images: ImageFolder) -> dict[Path, str]:
    """Return the SHA-256 of each file, noted in the cache for the next time.

    It is "" of a file that cannot be read or is empty, as in the digest of a folder.
    """
    notes = _notes_path(images.root)
    known = _read_notes(notes)
    paths = [file.path for file in images.files]
    now = time.time()
    found = {str(path): _stat_key(path) for path in paths}
    new = [path for path in paths if known.get(str(path), ("",))[:-1] != found[str(path)]]
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        sums = {path: known[str(path)][-1] for path in paths if str(path) in known}
        sums |= dict(zip(new, executor.map(_sha256, new), strict=True))
    if new or len(known) != len(paths):
        _write_notes(notes, found, sums, now)
    return sums


def note_sums(images: ImageFolder, sums: Mapping[Path, str], read_from: float) -> None:
    """Note the SHA-256 of each file for `check_pictures`, which then does not read them again.

    Args:
        images: the folder.
        sums: of each file that could be read.
        read_from: when reading began, in seconds since the epoch.
    """
    found = {str(path): _stat_key(path) for path, digest in sums.items() if digest}
    _write_notes(_notes_path(images.root), found, sums, read_from)


def _stat_key(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with a file: its size, the time of its last change, its inode.

    None: there is no file that could be a picture.
    """
    try:
        require_regular(str(path))
        status = path.stat()
    except (PictureError, OSError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or "" as `read_image` does of what it cannot read."""
    try:
        require_regular(str(path))
        return sha256_of(path)
    except PictureError:
        return ""
    except OSError as error:
        if error.errno in OF_THE_MACHINE:
            raise PipelineError(refusal(error, shown(str(path)), "read")) from None
        return ""


def _notes_path(root: Path) -> Path:
    name = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]
    return cache_folder() / f"pictures-{name}.json"


def _read_notes(path: Path) -> dict[str, tuple[int, int, int, str]]:
    try:
        return {
            name: tuple(values)
            for name, values in json.loads(path.read_text(encoding="utf-8")).items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write_notes(
    path: Path,
    found: Mapping[str, tuple[int, int, int] | None],
    sums: Mapping[Path, str],
    read_from: float,
) -> None:
    notes = {
        name: (*key, sums[Path(name)])
        for name, key in found.items()
        if key and sums[Path(name)] and read_from - key[1] / 1e9 > _SETTLED_SECONDS
    }
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(notes), encoding="utf-8")
    except OSError:  # only slower the next time
        return
