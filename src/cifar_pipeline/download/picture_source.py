"""The folder that download.source names: is it of images, is it there, and is it the right one?"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.common.system_errors import reason_of
from cifar_pipeline.dataset.binary_format import BATCH_FILES, BINARY_FOLDER
from cifar_pipeline.images.errors import ImageFolderError
from cifar_pipeline.images.layout import ImageFolder, find_images
from cifar_pipeline.images.paths import shown

# In these folders DVC makes copies of a project for queued and temporary experiments.
_EXPERIMENTS = (".dvc", "tmp", "exps")


def local_source(source: str | None) -> Path | None:
    """Return where `download.source` lies; None where it is empty.

    A relative path is in the project. For a queued or temporary experiment DVC copies what Git and
    DVC keep of the project, so that what lies in the copy counts, or else in the project itself.
    """
    if not source:
        return None
    path = _existing_or_not(source)
    if path.is_absolute() or path.exists():
        return path
    copies = [at for at in Path.cwd().parents if at.parts[-len(_EXPERIMENTS) :] == _EXPERIMENTS]
    original = copies[0].parents[len(_EXPERIMENTS) - 1] / path if copies else path
    return original if original.exists() else path


def _existing_or_not(source: str) -> Path:
    """Return the path `source`, once the system has taken it for one.

    Raises:
        ParamsError: it does not, because of its length, a character or the permissions; or it is an
            address.
    """
    if re.match(r"\w+://", source):
        raise ParamsError(
            f"download.source: {shown(source[:200])} is an address, and a file or folder was "
            "expected; put an archive's address under download.sources"
        )
    try:
        # Not pathlib's: it takes "./~" for "~", and fails where there is no such user.
        path = Path(os.path.expanduser(source))  # noqa: PTH111
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, ValueError) as error:
        reason = reason_of(error)
        raise ParamsError(
            f"download.source: {shown(source[:200])} is no path that can be looked at ({reason})"
        ) from None
    return path


def is_picture_folder(folder: Path) -> bool:
    """Say whether `folder` holds images of one's own: it is a folder without CIFAR-10's files."""
    cifar = (*BATCH_FILES, BINARY_FOLDER)
    # os.path's, which raise nothing where the folder may not be read.
    return folder.is_dir() and not any(
        os.path.exists(folder / name)  # noqa: PTH110
        for name in cifar
    )


def require_source(source: Path | None) -> Path:
    """Return the folder that pictures of the user's own come from.

    Raises:
        PipelineError: params.yaml names none, or there is none; says what it is needed for.
    """
    if source is None:
        raise PipelineError(
            "download.source is empty, and download.sha256.pictures is of pictures of your own; "
            "name their folder, or delete that line for CIFAR-10"
        )
    if not source.is_dir():
        raise PipelineError(
            f"download.source: {shown(str(source))} is not there, and data/raw has to be made of "
            "its pictures (its digest, size or fit are new, or no cache has them); bring the "
            "folder back, or correct its name in params.yaml"
        )
    return source


def open_folder(folder: Path) -> ImageFolder:
    """Return the folder as it is understood.

    Raises:
        PipelineError: it is laid out in another way.
    """
    try:
        return find_images(folder)
    except ImageFolderError as error:
        raise PipelineError(f"download.source: {error}") from None


def digest_of(images: ImageFolder, sha256: Mapping[Path, str]) -> str:
    """Return the digest of a folder's images, which params.yaml holds.

    It is the SHA-256 of what `sha256sum` prints of all image files, and of the table of labels
    where there is one, in the order of their paths.

    Args:
        images: the folder.
        sha256: of each image file.
    """
    sums = dict(sha256)
    if images.table:
        sums[images.table] = sha256_of(images.table)
    lines = [
        # In the bytes of the name, which may be no text.
        sums[path].encode() + b"  " + os.fsencode(path.relative_to(images.root)) + b"\n"
        for path in sorted(sums)
    ]
    return hashlib.sha256(b"".join(lines)).hexdigest()


def require_digest(folder: Path, digest: str, expected: str | None) -> None:
    """Compare the digest of a folder's images with the one in params.yaml.

    Raises:
        PipelineError: it is another, or params.yaml has none.
    """
    if digest != expected:
        raise PipelineError(
            f"download.source: the pictures in {shown(str(folder))} have the SHA-256 {digest}, and "
            f"download.sha256.pictures is {expected or 'not given'}; set it to that in params.yaml "
            "if these are the pictures you mean, or let `cifar-pipeline adopt` do it"
        )
