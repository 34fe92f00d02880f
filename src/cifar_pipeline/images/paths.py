"""What the arguments of `predict` mean: which picture files, and how names are shown."""

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cifar_pipeline.common.console import printable
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import advice_for, reason_of

# In a folder, only files that end so count as pictures. A file that is named itself may end in
# anything: its content decides.
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"),
    *(".tif", ".tiff", ".avif", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".ico"),
)
# What Windows, macOS, Linux and Synology's discs leave among pictures, as is ".DS_Store".
_SYSTEM = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
        *("__macosx", "icon\r", "lost+found", "@eadir"),
    }
)


class PictureError(PipelineError):
    """One picture, or one argument, cannot be used; the others can.

    Args:
        name: the file, folder or pattern as it was given.
        reason: what was wrong, what was expected and what to do.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{shown(name) or 'an empty name'}: {reason}")
        self.name, self.reason = name, reason


def shown(name: str) -> str:
    r"""Return `name` as a terminal may show it: what would act on one, or is not seen, as \x1b.

    That are control and format characters, all spaces but the plain one, and bytes that are no
    text. A backslash is doubled, so that two names never look the same.
    """
    return printable(name.replace("\\", r"\\"))


def is_hidden(name: str) -> bool:
    """Say whether a file or folder of this name is hidden, or a system's and no picture."""
    return name.startswith(".") or name.lower() in _SYSTEM


def expand(arguments: list[str]) -> Iterator[str | PictureError]:
    """Yield the files that `arguments` name, each once, in the order of the arguments.

    An argument that exists is taken literally, whatever it looks like. Otherwise one with `*`, `?`
    or `[` is a pattern (`**` spans folders) whose matches follow sorted. A folder stands for the
    files with one of the `SUFFIXES` in it and in its subfolders, sorted. Folders and `**` leave out
    linked folders, and both they and `*` leave out hidden files and folders. A file
    that does not exist is yielded too: reading it says so.

    Yields:
        A path as it was given or found, or the error of an argument that names nothing.
    """
    seen = set()
    for argument in arguments:
        for found in _expand_one(argument):
            if isinstance(found, PictureError) or found not in seen:
                yield found
                seen.add(found)


def _expand_one(argument: str) -> Iterator[str | PictureError]:
    if not argument:  # pathlib takes it for the current folder
        yield PictureError(argument, "names nothing; expected a file, a folder or a pattern")
        return
    if os.path.lexists(argument) or not glob.has_magic(argument):
        yield from _files_at(argument)
        return
    matches = _matches(argument)
    if not matches:
        yield PictureError(argument, "no file matches this pattern; check folder and spelling")
    for match in matches:
        yield from _files_at(match)


def _matches(pattern: str) -> list[str]:
    """Return what matches a pattern, sorted.

    By pathlib, whose `**` does not follow links: two links in a folder that lead back to it would
    be followed for ever. Its patterns start at a folder, and match hidden files too.
    """
    # Beside other characters two asterisks are one, which pathlib before 3.13 refuses.
    parts = [part if part == "**" else re.sub(r"\*+", "*", part) for part in Path(pattern).parts]
    fixed = next(at for at, part in enumerate(parts) if glob.has_magic(part))
    start, rest = Path(*parts[:fixed]), parts[fixed:]
    if rest[-1] == "**":  # else it would be folders alone, or not, as the Python may be
        rest.append("*")
    hidden = any(part.startswith(".") for part in rest)
    return sorted(
        str(path)
        for path in start.glob(str(Path(*rest)))
        if (hidden or not any(part.startswith(".") for part in path.parts[fixed:]))
        and not ("**" in rest and _is_linked_folder(path))
    )


def _is_linked_folder(path: Path) -> bool:
    # pathlib's raise where a folder above may not be read.
    return os.path.islink(path) and os.path.isdir(path)  # noqa: PTH112, PTH114


def _files_at(path: str) -> Iterator[str | PictureError]:
    if os.path.isdir(path):  # noqa: PTH112 - see above
        yield from _pictures_in(path)
    else:
        yield path


def _pictures_in(folder: str) -> Iterator[str | PictureError]:
    unreadable: list[OSError] = []
    empty = True
    for place, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            if not is_hidden(name) and name.lower().endswith(SUFFIXES):
                empty = False
                yield str(Path(place, name))
    for error in unreadable:
        yield PictureError(
            str(error.filename),
            f"this folder cannot be read ({reason_of(error)}); {advice_for(error)}",
        )
    if empty and not unreadable:
        yield PictureError(
            folder,
            f"this folder has no picture, a file that ends in {', '.join(SUFFIXES)}; name the "
            "files themselves if theirs end otherwise",
        )
