"""The command `export`: write a trained model in other formats, and check each one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cifar_pipeline.common.atomic import exchange, require_writable, scratch_folder, writing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.errors import ParamsError, PipelineError
from cifar_pipeline.common.streams import standard_error_dropped
from cifar_pipeline.common.system_errors import advice_for, reason_of
from cifar_pipeline.export.formats.base import ExportFormat, TracedModel, megabytes, trace
from cifar_pipeline.export.formats.registry import FORMATS

if TYPE_CHECKING:
    import keras

# The largest difference between a probability of an export and Keras' own: orders of magnitude
# above the rounding errors of a float32 network, and far below the effect of a wrong layer.
TOLERANCE = 1e-4
_PROBE_IMAGES = 4
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def _listed() -> str:
    """Return the names of the formats, each with its file where that has another name."""
    names = [
        name if name == form.path else f"{name} ({form.path})" for name, form in FORMATS.items()
    ]
    return " or ".join([", ".join(names[:-1]), names[-1]])


def export(
    formats: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FORMAT",
            help=f"{_listed()}, one or several. Default: all whose packages are installed.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[Path, typer.Option(help="A model that train left.")] = Path(
        "models/model.keras"
    ),
    output: Annotated[Path, typer.Option(help="Folder for the exports.")] = Path("exports"),
) -> None:
    """Write a trained model in other formats, for programs without Keras.

    The exported model takes float32 pixels 0-255 of any number of images; normalisation is inside.

    Each export is run and compared with Keras before it replaces the last one.
    """
    chosen = _chosen(formats or [])
    for export_format in chosen:
        _require_replaceable(export_format, output)
    # The exporters read TensorFlow's graph, whichever backend has trained the model.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from cifar_pipeline.trained_model.class_names import names_for
    from cifar_pipeline.trained_model.keras_file import load_saved_model

    network = load_saved_model(model)
    import tensorflow as tf

    # An Ampere GPU would round the factors of Keras' products to ten bits, and Keras itself would
    # be less exact than an export.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    names = names_for(model, network)
    require_writable(output, sizes=[model.stat().st_size] * len(chosen))
    traced = _traced(model, network, names)
    for export_format in chosen:
        say(_write_checked(export_format, traced, output))


def _traced(path: Path, network: "keras.Model", names: tuple[str, ...]) -> TracedModel:
    """Return the model at `path` with its graph.

    Raises:
        PipelineError: TensorFlow cannot make one.
    """
    try:
        with _quietly():
            return trace(network, names)
    except Exception as error:  # any layer may raise anything
        raise PipelineError(f"{path}: TensorFlow cannot run it ({reason_of(error)})") from None


def _chosen(names: list[str]) -> list[ExportFormat]:
    """Return the formats `names`, or, without names, every format whose packages are installed.

    Raises:
        ParamsError: there is no such format; the message offers the nearest name.
        PipelineError: a package that a named format needs is not installed.
    """
    from cifar_pipeline.params.loading import nearest

    for name in names:
        if name not in FORMATS:
            raise ParamsError(f"no format {name!r}{nearest(name, FORMATS)}")
    chosen = []
    # In the registry's order, whatever the order of `names`, so that the bytes are the same.
    for name, export_format in FORMATS.items():
        if names and name not in names:
            continue
        missing = export_format.missing()
        if not missing:
            chosen.append(export_format)
            continue
        without = f"{' and '.join(missing)}; `make setup EXTRAS=export` installs what it needs"
        if names:
            raise PipelineError(f"{export_format.title} cannot be written without {without}")
        say(f"{export_format.title}: left out without {without}")
    return chosen


def _require_replaceable(export_format: ExportFormat, output: Path) -> None:
    """Refuse to replace anything but an export of this format.

    Raises:
        PipelineError: a file or folder of another program, or of the user, has the export's name.
    """
    target = output / export_format.path
    if os.path.lexists(target) and not export_format.is_ours(target):
        raise PipelineError(
            f"{target} is in the way and no {export_format.title} of this command; move it away, "
            "or name another folder with --output"
        )


def _write_checked(export_format: ExportFormat, traced: TracedModel, output: Path) -> str:
    """Write a format under a temporary name, compare it with Keras and put it in place.

    Returns:
        A line for the user: the place, the size and the largest difference of a probability.

    Raises:
        PipelineError: it cannot be written or run, or its probabilities differ from Keras'. The
            last export stays.
    """
    import numpy as np

    from cifar_pipeline.trained_model.classifier import image_shape, smallest_side
    from cifar_pipeline.trained_model.keras_file import predict_probabilities

    network = traced.keras_model
    shape = (_PROBE_IMAGES, *image_shape(network, smallest_side(network)))
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    target = output / export_format.path
    with writing(output), scratch_folder(output, ".export.") as folder:
        new = folder / export_format.path
        with _errors_in_one_line(export_format, new):
            export_format.write(traced, new)
        # Before `load`, which gets the network and might change it.
        expected = predict_probabilities(network, pixels, _PROBE_IMAGES)
        with _errors_in_one_line(export_format, new):
            runtime, run = export_format.load(new, network)
            # One image and several: the size of a batch is not built in.
            answers = np.concatenate([run(pixels[:1]), run(pixels[1:])])
        difference = np.abs(answers - expected).max()
        # Not `>`, which would accept NaN.
        if not difference <= TOLERANCE:
            raise PipelineError(
                f"{export_format.title}: its probabilities differ from Keras' by up to "
                f"{difference:.2g} in {runtime}, at most {TOLERANCE} was expected; {target} is "
                "left as it was"
            )
        _put_in_place(new, target)
    return (
        f"{export_format.title}: {target}, {megabytes(target):.2f} MB, within {difference:.1g} of "
        f"Keras in {runtime}"
    )


@contextmanager
def _errors_in_one_line(export_format: ExportFormat, new: Path) -> Iterator[None]:
    """Run the block quietly, and turn an error of a format's libraries into one line.

    Raises:
        OSError: as the block raises it.
        PipelineError: instead of any other exception of the block.
    """
    try:
        with _quietly():
            yield
    except OSError:
        raise
    # Each library has errors of its own; TensorFlow's for a full disk is no OSError.
    except Exception as error:
        reason = reason_of(error).replace(f"{new.parent}/", "")
        advice = advice_for(error, otherwise="")
        raise PipelineError(
            f"{export_format.title}: cannot be written to {new.parents[1]} ({reason}); what was "
            f"there is left as it was{f'; {advice}' if advice else ''}"
        ) from None


def _put_in_place(new: Path, target: Path) -> None:
    """Rename `new` to `target`; a folder there takes the name of `new`.

    A rename cannot replace a folder that holds files. Where the file system cannot exchange two
    names, there are two renames and no export between them: a process killed right then leaves
    none.
    """
    if not target.is_dir():
        new.replace(target)
        return
    with suppress(OSError):
        exchange(new, target)
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
    """Drop what libraries write to file descriptor 2 in the block, from Python or from C++.

    Where the user has set TF_CPP_MIN_LOG_LEVEL, everything is shown.
    """
    if _LEVEL in os.environ:
        yield
        return
    try:
        with standard_error_dropped():
            yield
    finally:
        os.environ.pop(_LEVEL, None)  # tf2onnx sets it
