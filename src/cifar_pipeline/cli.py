"""The console script `cifar-pipeline`: what one does before and after the pipeline.

The pipeline itself is `dvc repro`; its four stages are the scripts in stages/.
"""

import typer

from cifar_pipeline.adopt.command import adopt
from cifar_pipeline.codec.commands import compress, decompress, inspect
from cifar_pipeline.common.console import guarded, run_program
from cifar_pipeline.common.start import RUN_AGAIN
from cifar_pipeline.export.command import export
from cifar_pipeline.predict.command import predict

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def _commands() -> None:
    """Adopt a folder of pictures, use a model that `make repro` has trained, compress images."""


app.command("adopt")(guarded(adopt, RUN_AGAIN))
app.command("predict")(guarded(predict, RUN_AGAIN, prints=True))
app.command("export")(guarded(export, RUN_AGAIN))
app.command("compress")(guarded(compress, RUN_AGAIN))
app.command("decompress")(guarded(decompress, RUN_AGAIN))
app.command("inspect")(guarded(inspect, RUN_AGAIN, prints=True))


def main() -> None:
    """Run the command that the arguments name."""
    run_program(app, "cifar-pipeline")
