"""The stage `download`: CIFAR-10 from the first source that gives the official bytes."""

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from cifar_pipeline.common.atomic import require_writable, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download.archives import batches_in_archive, batches_in_folder
from cifar_pipeline.download.cache import (
    REMEDY,
    archive_path,
    cache_alone,
    cache_folder,
    cached_archives,
    part_path,
)
from cifar_pipeline.download.errors import (
    ArchiveError,
    OtherFilesError,
    SourceError,
    TooSlowError,
    UnreadableError,
)
from cifar_pipeline.download.install import describe, install, is_installed
from cifar_pipeline.download.own_pictures import install_pictures
from cifar_pipeline.download.picture_source import (
    is_picture_folder,
    local_source,
    require_source,
)
from cifar_pipeline.download.progress import progress_bar
from cifar_pipeline.download.rate_limit import RateMonitor
from cifar_pipeline.download.sources import FETCHERS
from cifar_pipeline.images.paths import shown
from cifar_pipeline.params.download import DownloadParams, RemoteSource
from cifar_pipeline.params.image_size import require_cifar_size

LOCAL_COPY = (
    "If you have a copy of CIFAR-10, name it in params.yaml:"
    " `download.source: /path/to/cifar-10-binary.tar.gz`"
    " (the archive, or a folder with the six .bin files)."
)


def download(raw: Path, params: DownloadParams) -> None:
    """Put the verified batch files and their manifest into `raw`.

    A local `params.source` is the only source where it is given; it may hold other pictures.
    Otherwise the files come from an archive in the cache, or else from the first of
    `params.sources` that gives the right bytes.

    Raises:
        PipelineError: no source gave them, or a folder cannot be written.
    """
    source = local_source(params.source)
    if params.pictures or (source and is_picture_folder(source)):
        sizes = install_pictures(require_source(source), raw, params)
        listed = ", ".join(f"{part} {number:,}" for part, number in sizes.items())
        say(
            f"{shown(str(source))}: {listed} pictures verified and made {params.image_size} x "
            f"{params.image_size}"
        )
        return
    sha256 = params.of_batch_files()
    require_cifar_size(params.image_size)
    if source:
        _from_local(source, raw, sha256)
    elif is_installed(raw, sha256):
        describe(raw, sha256)
        say(f"{raw}: the six files are here already")
    else:
        require_writable(raw)
        cache = cache_folder()
        with writing(cache, REMEDY), cache_alone(cache):
            if not _from_cache(cache, raw, sha256):
                _from_sources(cache, raw, params, sha256)


def _from_local(source: Path, raw: Path, sha256: Mapping[str, str]) -> None:
    """Install from a folder or an archive of the user's."""
    if not source.exists():
        raise PipelineError(
            f"download.source: {source} does not exist; give a folder with the six .bin files,"
            " an archive of CIFAR-10, a folder of your own pictures, or null to fetch CIFAR-10"
        )
    batches = batches_in_folder(source) if source.is_dir() else batches_in_archive(source)
    try:
        install(batches, raw, sha256)
    except ArchiveError as error:
        raise PipelineError(f"download.source: {source}: {error}") from None
    say(f"{source}: six files verified")


def _from_cache(cache: Path, raw: Path, sha256: Mapping[str, str]) -> bool:
    """Install from the first good archive of the cache and remove damaged ones."""
    for archive in cached_archives(cache):
        try:
            install(batches_in_archive(archive), raw, sha256)
        except (OtherFilesError, UnreadableError) as error:
            # Perhaps `sha256` in params.yaml is wrong, not the archive: it was verified once.
            say(f"cache: passed over {archive}: {error}")
        except ArchiveError as error:
            archive.unlink()
            say(f"cache: removed {archive}: {error}")
        else:
            say(f"cache: {archive}, six files verified")
            return True
    return False


def _from_sources(
    cache: Path, raw: Path, params: DownloadParams, sha256: Mapping[str, str]
) -> None:
    """Install from the first source that gives the official bytes.

    The last source may be slow, as long as it will come to an end one day. A source that was given
    up for being slow gets a second try when all the others have failed.
    """
    failures: dict[str, str] = {}
    waiting: deque[RemoteSource] = deque()
    for source in params.remote_sources():
        unavailable = FETCHERS[source.kind].unavailable()
        if unavailable:
            failures[source.name] = f"skipped, {unavailable}"
            say(f"{source.name}: {failures[source.name]}")
        else:
            waiting.append(source)
    slow: deque[RemoteSource] = deque()
    while waiting or slow:
        source = (waiting or slow).popleft()
        monitor = RateMonitor(
            1000 * params.minimum_kilobytes_per_second,
            params.slow_for_seconds,
            patient=not waiting,
        )
        try:
            return _from_source(source, cache, raw, monitor, sha256)
        except SourceError as error:
            failures[source.name] = str(error)
            if isinstance(error, TooSlowError):
                slow.append(source)
            then = "trying the next source" if waiting or slow else "no source is left"
            say(f"{source.name}: {error}; {then}")
    if not failures:
        raise PipelineError(f"every source under download.sources is null. {LOCAL_COPY}")
    tried = [f"  {name} ({params.sources[name]}): {why}" for name, why in failures.items()]
    raise PipelineError("no source gave CIFAR-10:", *tried, LOCAL_COPY)


def _from_source(
    source: RemoteSource,
    cache: Path,
    raw: Path,
    monitor: RateMonitor,
    sha256: Mapping[str, str],
) -> None:
    """Fetch one source's archive, install its files and keep it in the cache."""
    archive = archive_path(cache, source.name, source.address)
    part = part_path(archive)
    start = time.monotonic()
    for first in (True, False):
        with progress_bar(source.name) as bar:
            in_one_piece = FETCHERS[source.kind].fetch(source.address, part, monitor, bar)
        seconds = time.monotonic() - start
        try:
            install(batches_in_archive(part), raw, sha256)
            break
        except UnreadableError:
            raise  # the machine's fault, not that of the archive
        except ArchiveError as error:
            part.unlink()
            if in_one_piece or not first:
                raise
            say(f"{source.name}: {error}; it came in pieces, perhaps of two files: once more")
    part.replace(archive)
    megabytes = archive.stat().st_size / 1e6
    say(
        f"{source.name}: {source.address}, {megabytes:.1f} MB in {seconds:.1f} s, six files "
        "verified"
    )
