"""The start of every program of the project, before it imports what it needs.

Imports the standard library only: it has to load before anything else does.
"""

from __future__ import annotations  # an old Python has to load this, to be told that it is old

import locale
import os
import sys
from pathlib import Path
from types import TracebackType

from cifar_pipeline.common.errors import recovery
from cifar_pipeline.common.signals import end_at_once
from cifar_pipeline.common.streams import open_streams
from cifar_pipeline.common.system_errors import line_of

RUN_AGAIN = "run the same command again"


def start_program(again: str) -> None:
    """Let signals end the program in one line, file names be UTF-8, and printing never fail.

    What the machine refuses, in an import perhaps, is one line too, and so is a current folder that
    is no more.

    Args:
        again: what the line after Ctrl-C says of going on.
    """
    end_at_once(again)
    sys.excepthook = _show
    _use_utf8()
    open_streams()
    _require_current_folder()


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    line = line_of(error)
    if line is None:
        sys.__excepthook__(kind, error, traceback)
    else:
        sys.stderr.write(f"error: {line}{recovery()}\n")


def _use_utf8() -> None:
    """Start this Python anew in its UTF-8 mode where the locale has another encoding.

    Then names in params.yaml, which is UTF-8, and names of files are the same in any locale. What
    is printed keeps the locale's encoding.
    """
    if sys.getfilesystemencoding() == "utf-8" or "utf8" in sys._xoptions or not sys.executable:
        return
    printed = getattr(sys.stdout or sys.stderr, "encoding", locale.getpreferredencoding(False))
    os.environ.setdefault("PYTHONIOENCODING", printed)
    program, *arguments = sys.orig_argv
    os.execv(sys.executable, [program, "-X", "utf8", *arguments])


def _require_current_folder() -> None:
    """End the program where its folder was removed: every relative name would be missing there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        sys.exit(
            "error: the current folder was removed; change to one that is there, or to the same "
            'one where it was made anew (cd "$PWD")'
        )
