"""What every command of the project shares: help, error lines, exit codes."""

import functools
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from cifar_pipeline.common.errors import PipelineError, recovery
from cifar_pipeline.common.sigint import end, ends_in_time
from cifar_pipeline.common.system_errors import line_of


def say(message: str) -> None:
    """Print one line of progress to standard output, unstyled and unwrapped."""
    Console(soft_wrap=True, highlight=False, markup=False, emoji=False).print(message)


def complain(message: str) -> None:
    """Print one line to standard error."""
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False).print(message)


def guarded(
    function: Callable[..., Any], again: str = "run the same command again to redo this stage"
) -> Callable[..., None]:
    """Return `function` as a command that ends in one line whatever happens.

    Args:
        function: a function with `Annotated` options. A `PipelineError` that it raises ends the
            process with the error's exit code and one line, as does an error of the machine that
            nothing has caught; Ctrl-C ends it with 130.
        again: what Ctrl-C's line says of going on.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        interrupted = f"interrupted: {again}{recovery()}"
        try:
            with ends_in_time(interrupted):
                function(*args, **kwargs)
        except PipelineError as error:
            complain(f"error: {error}{recovery()}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            end(interrupted)
        except Exception as error:
            line = line_of(error)
            if line is None:  # a mistake in the code, which its traceback shows
                raise
            complain(f"error: {line}{recovery()}")
            raise typer.Exit(PipelineError.exit_code) from None

    return run


def command_app(
    function: Callable[..., Any], again: str = "run the same command again to redo this stage"
) -> typer.Typer:
    """Wrap `function` into a Typer application of one command, `guarded`; call it to run that."""
    app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    app.command()(guarded(function, again))
    return app
