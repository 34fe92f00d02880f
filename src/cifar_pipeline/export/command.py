"""The command `export`: a trained model in formats that run without Keras, each one checked."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cifar_pipeline.common.atomic import require_writable, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import ParamsError, PipelineError

if TYPE_CHECKING:
    import keras
    import numpy as np

    from cifar_pipeline.export.formats import ExportFormat, TracedModel

# How far an export's probabilities may lie from Keras' own: orders above what rounding does to a
# network of float32, and far below what a wrong layer does.
TOLERANCE = 1e-4
_PROBE_IMAGES = 4
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def export(
    formats: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FORMAT",
            help="saved_model (a folder of that name), litert (model.tflite) or onnx (model.onnx),"
            " one or several. Default: all that are installed.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[Path, typer.Option(help="A model that train left.")] = Path(
        "models/model.keras"
    ),
    output: Annotated[Path, typer.Option(help="Folder for the exports.")] = Path("exports"),
) -> None:
    """Write a trained model as SavedModel, LiteRT or ONNX, for programs without Keras.

    All take float32 pixels 0-255 of any number of images; normalisation is inside.

    Each is run and compared with Keras before it replaces the last one.
    """
    chosen = _chosen(formats or [])
    for form in chosen:
        _require_replaceable(form, output)
    # The exporters read TensorFlow's graph, whichever backend has trained the model.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from cifar_pipeline.export.formats import trace
    from cifar_pipeline.trained_model.class_names import names_for
    from cifar_pipeline.trained_model.keras_file import load_saved_model

    network = load_saved_model(model)
    import tensorflow as tf

    # Or else an Ampere GPU's Keras rounds factors to ten bits, and is the one that is off.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    names = names_for(model, network)
    require_writable(output)
    with _quietly():
        traced = trace(network, names)
    for form in chosen:
        say(_write_checked(form, traced, network, output))


def _chosen(names: list[str]) -> list["ExportFormat"]:
    """Return the formats `names`, or, where there are none, those that are installed.

    Raises:
        ParamsError: there is no such format; the nearest name is offered.
        PipelineError: a format that is asked for is not installed.
    """
    from cifar_pipeline.export.formats import FORMATS
    from cifar_pipeline.params.loading import nearest

    for name in names:
        if name not in FORMATS:
            raise ParamsError(f"no format {name!r}{nearest(name, FORMATS)}")
    chosen = []
    # Always in this order: TensorFlow numbers a process' functions, and a SavedModel holds those.
    for name, form in FORMATS.items():
        if names and name not in names:
            continue
        missing = form.missing()
        if not missing:
            chosen.append(form)
            continue
        without = f"{' and '.join(missing)}; `make setup EXTRAS=export` installs what it needs"
        if names:
            raise PipelineError(f"{form.title} cannot be written without {without}")
        say(f"{form.title}: left out without {without}")
    return chosen


def _require_replaceable(form: "ExportFormat", output: Path) -> None:
    """Refuse to replace what is no export of ours: another program's, or a folder of other things.

    Raises:
        PipelineError: there is such a thing where the format belongs.
    """
    target = output / form.path
    if os.path.lexists(target) and not form.is_ours(target):
        raise PipelineError(
            f"{target} is in the way and no {form.title} of this command; move it away, or name "
            "another folder with --output"
        )


def _write_checked(
    form: "ExportFormat", traced: "TracedModel", network: "keras.Model", output: Path
) -> str:
    """Write a format under a temporary name, run it, put it in place; return what to say of it.

    Raises:
        PipelineError: it cannot be written or answers otherwise than Keras. What was there stays.
    """
    import numpy as np

    from cifar_pipeline.export.formats import megabytes

    shape = (_PROBE_IMAGES, *network.input_shape[1:])
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    target = output / form.path
    with writing(output), tempfile.TemporaryDirectory(dir=output, prefix=".export.") as folder:
        new = Path(folder) / form.path
        runtime, answers = _written_and_run(form, traced, new, pixels)
        difference = np.abs(answers - network.predict_on_batch(pixels)).max()
        # Not `>`: a difference that is no number is none to accept.
        if not difference <= TOLERANCE:
            raise PipelineError(
                f"{form.title}: its probabilities differ from Keras' by up to {difference:.2g} in "
                f"{runtime}, at most {TOLERANCE} was expected; {target} is left as it was"
            )
        _put_in_place(new, target)
    return (
        f"{form.title}: {target}, {megabytes(target):.2f} MB, within {difference:.1g} of Keras "
        f"in {runtime}"
    )


def _written_and_run(
    form: "ExportFormat", traced: "TracedModel", new: Path, pixels: "np.ndarray"
) -> tuple[str, "np.ndarray"]:
    """Write a format and return the runtime that could load it, and its probabilities."""
    import numpy as np

    try:
        with _quietly():
            form.write(traced, new)
            runner = form.load(new)
            # One image and several: the size of a batch is not built in.
            return runner.runtime, np.concatenate([runner.run(pixels[:1]), runner.run(pixels[1:])])
    except OSError:
        raise
    # Three libraries, each with errors of its own; TensorFlow's for a full disk is no OSError.
    except Exception as error:
        reason = _reason(error).replace(f"{new.parent}/", "")
        raise PipelineError(
            f"{form.title}: cannot be written to {new.parents[1]} ({reason}); what was there is "
            "left as it was"
        ) from None


def _reason(error: Exception) -> str:
    """Return an error's message on one line, without the nodes of graphs that TensorFlow adds."""
    text = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", str(error))
    return " ".join(text.split())[:300] or type(error).__name__


def _put_in_place(new: Path, target: Path) -> None:
    """Rename `new` to `target`; a folder there goes beside `new`, and back if that fails.

    A folder with files in it cannot be renamed over, so between two renames nothing is there: a
    process killed right then leaves the last export in the hidden folder of `new`.
    """
    if not target.is_dir():
        new.replace(target)
        return
    last = new.with_name("last")
    try:
        target.rename(last)
        new.rename(target)
    except BaseException:  # Ctrl-C too
        if last.exists() and not target.exists():
            last.rename(target)
        raise


@contextmanager
def _quietly() -> Iterator[None]:
    """Drop what the block's libraries note on file descriptor 2, from Python or from C++.

    Where the user has set TF_CPP_MIN_LOG_LEVEL, everything shows.
    """
    if _LEVEL in os.environ:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        os.environ.pop(_LEVEL, None)  # tf2onnx sets it
