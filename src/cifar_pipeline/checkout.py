"""What `make` does about the clone before DVC runs: whose it is, and whether Git knows it.

Runs as a file, with `python -I`: it imports the standard library alone.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path


def _say(line: str) -> None:
    """Print a line; where nothing can be printed, go on without."""
    with suppress(OSError):
        os.write(1, f"{line}\n".encode(errors="backslashreplace"))


def tell_dvc_of_git(project: Path) -> None:
    """Let DVC do without Git where there is no Git repository, as in a source archive.

    It would stop there; and where the folder is ignored in a repository around it, it would see no
    stages. With Git, what this has set is taken back.
    """
    path = project / ".dvc/config.local"
    settings = path.read_text(encoding="utf-8") if path.exists() else ""
    without = re.search(r"^\s*no_scm\s*=\s*true\s*\n", settings, re.MULTILINE | re.IGNORECASE)
    if _is_in_git(project) == (without is None):
        return
    if without:
        settings = settings.replace(without[0], "")
        _say("a Git repository: DVC uses it again (core.no_scm in .dvc/config.local is gone)")
    else:
        if "[core]\n" not in settings:
            settings += "[core]\n"
        settings = settings.replace("[core]\n", "[core]\n    no_scm = true\n")
        _say(
            "no Git repository here (a source archive?): DVC does without, by core.no_scm in "
            ".dvc/config.local; for experiments and comparisons `git init`, commit, and run make"
        )
    try:
        path.write_text(settings, encoding="utf-8")
    except OSError as error:
        sys.exit(f"error: {path} cannot be written ({error.strerror}); DVC would stop without it")


def _is_in_git(project: Path) -> bool:
    """Say whether `project` is in a Git repository that does not ignore it.

    Git refuses one that another user owns, and so do DVC's commands that need it: a line says so.
    """
    found = [folder / ".git" for folder in (project, *project.parents)]
    found = [path for path in found if path.exists()]
    if not found or _leads_nowhere(found[0]):
        return False
    git = shutil.which("git")
    if git is None:
        return True
    command = [git, "check-ignore", "--quiet", "dvc.yaml"]
    done = subprocess.run(
        command,
        cwd=project,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    if "dubious ownership" in done.stderr:
        _say(
            "another user's clone: Git, and DVC for experiments and comparisons, refuse it until "
            f"you run: git config --global --add safe.directory {shlex.quote(str(project))}"
        )
    return done.returncode != 0


def require_own(project: Path) -> None:
    """End the process with a line where DVC cannot write here, as in another user's clone."""
    for name in (".", ".dvc", ".dvc/tmp", ".dvc/cache", "data", "models", "reports"):
        path = project / name
        if _is_there(path) and not os.access(path, os.W_OK | os.X_OK):
            sys.exit(
                f"error: {path} cannot be written by you; allow it (`ls -ld` shows owner and "
                "rights), or work in a clone of your own"
            )


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:  # of another kind in a folder that may not be entered
        return not isinstance(error, FileNotFoundError)
    return True


def _leads_nowhere(path: Path) -> bool:
    """Say whether `.git` is the file of a worktree or submodule whose repository is elsewhere."""
    if not path.is_file():
        return False
    target = path.read_text(encoding="utf-8", errors="replace").removeprefix("gitdir:").strip()
    return not (path.parent / target).exists()


def main() -> None:
    """Look at the current folder; the Makefile alone calls this."""
    try:
        require_own(Path.cwd())
        tell_dvc_of_git(Path.cwd())
    except OSError as error:
        sys.exit(f"error: {error.filename or '.'}: {error.strerror}; mend that, then make")


if __name__ == "__main__":
    main()
