"""What every command of the project shares: help, error lines, exit codes."""

import functools
import signal
import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from cifar_pipeline.common.characters import escape, unprintable
from cifar_pipeline.common.credentials import masked
from cifar_pipeline.common.errors import PipelineError, recovery
from cifar_pipeline.common.signals import end, ends_in_time
from cifar_pipeline.common.streams import standard_output
from cifar_pipeline.common.system_errors import line_of

_REDO = "run the same command again to redo this stage"


def say(message: str) -> None:
    """Print one line of progress to standard output, unstyled and unwrapped."""
    _console().print(printable(masked(message)))


def complain(message: str) -> None:
    """Print one line to standard error."""
    _console(stderr=True).print(printable(masked(message)))


def _console(stderr: bool = False) -> Console:
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def printable(text: str) -> str:
    r"""Return `text` with escapes, such as \x1b, for what would act on a terminal or is not seen.

    Names of files and classes may hold control and format characters, line ends, and bytes that are
    no text. Joiners stay where emoji and scripts need them.
    """
    unseen = set(unprintable(text))
    return "".join(escape(each) if at in unseen else each for at, each in enumerate(text))


def counted(number: int, noun: str) -> str:
    """Return `1 image`, `2,000 images`, ..."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def be(number: int) -> str:
    """Return the verb for so many: `1 image is`, `2 images are`."""
    return "is" if number == 1 else "are"


def _complain_of(error: PipelineError) -> None:
    *before, last = (f"error: {error.lines[0]}", *error.lines[1:])
    for line in (*before, last + recovery()):
        complain(line)


def guarded(
    function: Callable[..., Any], again: str = _REDO, prints: bool = False
) -> Callable[..., None]:
    """Return `function` as a command that ends in one line whatever happens.

    Args:
        function: a function with `Annotated` options. A `PipelineError` that it raises ends the
            process with the error's exit code and one line, as does an error of the machine that
            nothing has caught; a signal that ends it, such as Ctrl-C, ends it with 128 and the
            signal's number.
        again: what a signal's line says of going on.
        prints: whether the result is what the command prints. It then ends with an error where that
            cannot be printed; otherwise it goes on without its lines.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        hint = f"{again}{recovery()}"
        try:
            with ends_in_time(hint):
                if stream := standard_output():
                    stream.is_result = prints
                function(*args, **kwargs)
        except PipelineError as error:
            _complain_of(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt as interruption:
            end(hint, getattr(interruption, "number", signal.SIGINT))
        except Exception as error:
            line = line_of(error)
            if line is None:  # a mistake in the code, which its traceback shows
                raise
            complain(f"error: {line}{recovery()}")
            raise typer.Exit(PipelineError.exit_code) from None

    return run


def command_app(
    function: Callable[..., Any], again: str = _REDO, prints: bool = False
) -> typer.Typer:
    """Wrap `function` into a Typer application of one command, `guarded`; run_program runs it."""
    app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    app.command()(guarded(function, again, prints))
    return app


def run_program(app: typer.Typer, name: str | None = None) -> None:
    """Run an application as this process, and end with its exit code.

    Help that cannot be printed is an error of one line.
    """
    try:
        try:
            app(prog_name=name)
        finally:
            sys.stdout.flush()
    except PipelineError as error:
        _complain_of(error)
        sys.exit(error.exit_code)
