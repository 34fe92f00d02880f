"""Errors that a user can act on: one line on the terminal, no traceback."""

import os


class PipelineError(Exception):
    """Something outside the code went wrong: a source, a file, a machine.

    The message says what was wrong, what was expected and what to do.

    Attributes:
        lines: the message and, where one line is not enough, those after it.
    """

    exit_code = 1

    def __init__(self, message: str = "", *more_lines: str) -> None:
        super().__init__("\n".join([message, *more_lines]))
        self.lines = (message, *more_lines)


class ParamsError(PipelineError):
    """A parameter, option or argument cannot be used."""

    exit_code = 2


def under_dvc() -> bool:
    """Say whether DVC runs this process as a stage."""
    return "DVC_STAGE" in os.environ


def recovery() -> str:
    """Return how to get back what DVC has removed before it ran this stage, if it did."""
    if not under_dvc():
        return ""
    return (
        "; `dvc checkout` and `git restore reports` bring this stage's last results back"
        " (docs/troubleshooting.md: A stage failed)"
    )
