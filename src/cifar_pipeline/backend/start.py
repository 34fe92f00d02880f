"""Start Keras' backend without its start-up notes."""

import gc
import os
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cifar_pipeline.common.console import complain
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.streams import standard_error_into
from cifar_pipeline.common.system_errors import (
    address_space,
    advice_for,
    raise_address_space,
    reason_of,
)

_TESTED = ("tensorflow", "jax")
_KNOWN = (*_TESTED, "torch", "openvino")
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_FLAGS = ("XLA_FLAGS", "TF_XLA_FLAGS")  # of XLA, which ends the process for one that it lacks
# oneDNN's kernels. TensorFlow uses them by itself only where the processor has instructions for
# neural networks (AVX512-VNNI and newer); with AVX2 alone they are two to three times as fast too.
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
_X86 = {"x86_64", "AMD64"}  # elsewhere it is not measured
_CPUINFO = Path("/proc/cpuinfo")
# Measured with TensorFlow 2.21 and a tiny network: with less address space than the first it cannot
# be imported, with less than the second its threads or its compiler may abort.
_LEAST_ADDRESSES, _ENOUGH_ADDRESSES = 1_600_000 * 1024, 4_000_000 * 1024
_IN_MEMORY = "/dev/shm"  # Linux has it almost everywhere
_JAX_DETERMINISM = "--xla_gpu_deterministic_ops=true"  # JAX is deterministic on a CPU anyway


def start_backend() -> None:
    """Import Keras as this project needs it, with TensorFlow's notes kept off the terminal.

    Every operation gives the same bits on every run. A user's keras.json may name another backend,
    float type, image layout or epsilon, and KERAS_MAX_EPOCHS and its like may cut a training short:
    none of them may change a result. KERAS_BACKEND chooses the backend, TensorFlow by default,
    which computes with oneDNN on every x86 processor unless TF_ENABLE_ONEDNN_OPTS is 0. TensorFlow
    2.21 prints some of its notes whatever its log level says; where the user has set
    TF_CPP_MIN_LOG_LEVEL, or flags of XLA, which can end the process, everything shows, and when the
    start fails for no known reason, so do the notes that were kept back.

    Raises:
        PipelineError: the backend cannot be imported.
    """
    shown = any(os.environ.get(name) is not None for name in (_LEVEL, *_FLAGS))
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend == "jax" and _JAX_DETERMINISM not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_JAX_DETERMINISM}".strip()
    _require_machine(backend)
    _find_temporary_folder()
    choices = {_LEVEL: "2", **({_ONEDNN: "1"} if platform.machine() in _X86 else {})}
    # Keras would import Matplotlib for its galleries, and TensorFlow Lite imports JAX, which takes
    # time as well and sets TF_CPP_MIN_LOG_LEVEL, with which TensorFlow's notes show.
    unwanted = ["matplotlib", *(["jax"] if backend != "jax" else [])]
    try:
        with ExitStack() as stack:
            stack.enter_context(_unless_set(choices))  # read while TensorFlow is imported
            if "keras" not in sys.modules:
                stack.enter_context(_without_garbage_collection())
            for module in unwanted:
                stack.enter_context(_as_if_not_installed(module))
            if not shown:
                stack.enter_context(_standard_error_kept_back())
            import keras

            keras.distribution.list_devices()
            from cifar_pipeline.backend.tensorflow import enable_determinism

            enable_determinism()
    # A package that is there can fail in many ways: TensorFlow's libraries, for one, in its own.
    except (ImportError, OSError, MemoryError, ValueError, RuntimeError, AttributeError) as error:
        advice = _advice(error, backend)
        raise PipelineError(
            f"Keras cannot start on {backend} ({reason_of(error)}){f'; {advice}' if advice else ''}"
        ) from None
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    keras.config.set_image_data_format("channels_last")


def _require_machine(backend: str) -> None:
    """Refuse a machine on which the backend's own code would end the process without a word."""
    if "avx" not in _processor_flags():
        raise PipelineError(
            f"Keras cannot start on {backend}: this processor has no AVX; use another"
        )
    limit = address_space()
    if limit is not None and limit < _LEAST_ADDRESSES:
        raise PipelineError(
            f"Keras cannot start on {backend}, which maps 3 GB of memory; {raise_address_space()}"
        )
    if limit is not None and limit < _ENOUGH_ADDRESSES:
        complain(
            f"warning: {backend} maps 3 GB of memory and more, and may end without a word; "
            f"{raise_address_space()}"
        )


def _processor_flags(cpuinfo: Path = _CPUINFO) -> set[str]:
    """Return the flags that Linux reports of an x86 processor; elsewhere it has what it needs."""
    needed = {"avx"}
    if platform.machine() not in _X86:
        return needed
    try:
        found = re.search(
            r"^flags\s*:(.*)$", cpuinfo.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
    except OSError:
        return needed
    return set(found[1].split()) if found else needed


def _find_temporary_folder() -> None:
    """Let temporary files lie in memory where no folder takes them: TensorFlow asks for one."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        if os.access(_IN_MEMORY, os.W_OK | os.X_OK):
            tempfile.tempdir = _IN_MEMORY


def _advice(error: Exception, backend: str) -> str:
    if backend not in _KNOWN:
        return f"unset KERAS_BACKEND, or set it to {' or '.join(_TESTED)}"
    if backend != "tensorflow" and isinstance(error, ModuleNotFoundError):
        return f"unset KERAS_BACKEND or install {backend}"
    settings = Path(os.environ.get("KERAS_HOME") or "~/.keras", "keras.json")
    if _last_file_of(error).match("keras/src/backend/config.py"):
        return f"mend or remove {settings}"
    return advice_for(error)


def _last_file_of(error: Exception) -> Path:
    """Return the file of the code that has raised `error`."""
    traces = list(traceback.walk_tb(error.__traceback__))
    return Path(traces[-1][0].f_code.co_filename if traces else "")


@contextmanager
def _unless_set(variables: dict[str, str]) -> Iterator[None]:
    """Set those environment variables that the user has not; remove them when the block ends."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _as_if_not_installed(module: str) -> Iterator[None]:
    """Let nothing import `module` in the block, unless that has been done."""
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None  # type: ignore[assignment]  # what Python has for this
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Collect no garbage in the block, and never look at what it has left.

    Imports make half a million objects that stay. Looking at them again and again is a quarter of
    the time that TensorFlow and Keras take to start, and of that of tracing.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextmanager
def _standard_error_kept_back() -> Iterator[None]:
    """Send file descriptor 2, which C++ writes to, into a file; print that if the block fails."""
    with ExitStack() as stack:
        kept = None
        with suppress(OSError):  # without temporary files the notes show
            kept = stack.enter_context(tempfile.TemporaryFile())
        if kept is None:
            yield
            return
        terminal = stack.enter_context(standard_error_into(kept.fileno()))
        try:
            yield
        except Exception as error:
            kept.seek(0)
            if not advice_for(error, otherwise=""):
                with suppress(OSError):  # it is closed, full or gone
                    os.write(terminal, kept.read())
            raise
