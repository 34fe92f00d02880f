"""Errors that a user can act on: one line on the terminal, no traceback."""


class PipelineError(Exception):
    """Something outside the code went wrong: a source, a file, a machine.

    The message says what was wrong, what was expected and what to do.
    """

    exit_code = 1


class ParamsError(PipelineError):
    """A parameter, option or argument cannot be used."""

    exit_code = 2
