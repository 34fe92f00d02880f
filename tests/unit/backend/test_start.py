"""What the start of the backend refuses, and the advice for what fails in it."""

import builtins
import os
import tempfile
from pathlib import Path
from typing import Any

import keras
import pytest

from cifar_pipeline.backend import start
from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.common.errors import PipelineError


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> str:
    """Let the import of Keras raise an error; return what the start says."""
    import_module = builtins.__import__

    def importing(name: str, *others: Any, **options: Any) -> Any:
        if name == "keras":
            raise error
        return import_module(name, *others, **options)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(PipelineError) as caught:
        start_backend()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("backend", "error", "advice"),
    [
        ("jax", ModuleNotFoundError("No module named 'jax'", name="jax"), "install jax"),
        ("tensorflow", ModuleNotFoundError("No module named 'tensorflow'"), "make setup"),
        ("tensorflow", ImportError("a.so: failed to map segment from shared object"), "memory"),
        ("jax", ImportError("a.so: undefined symbol: b"), "make setup"),
        ("tensorflow", MemoryError(), "memory"),
        ("tensorflow", OSError(24, "Too many open files"), "ulimit -n"),
        ("tensorflow", OSError(28, "No space left on device"), "free some space"),
        ("tensorflow", RuntimeError("can't start new thread"), "ulimit -u"),
        ("nonsense", ValueError("Unable to import backend : nonsense"), "unset KERAS_BACKEND, or"),
    ],
)
def test_the_advice_fits_what_failed(
    backend: str, error: Exception, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr("cifar_pipeline.common.system_errors.address_space", lambda: None)
    line = fail_with(monkeypatch, error)
    assert line.startswith(f"Keras cannot start on {backend} (")
    assert advice in line.rsplit("; ", 1)[1]
    assert ("unset KERAS_BACKEND" in line) is (backend == "nonsense" or advice == "install jax")


def test_a_damaged_file_of_settings_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = compile("raise ValueError('bad')", "/x/keras/src/backend/config.py", "exec")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(ValueError, match="bad") as caught:
        exec(code)
    line = fail_with(monkeypatch, caught.value)
    assert line.endswith(f"mend or remove {tmp_path}/keras.json")


def test_no_setting_of_keras_changes_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    keras.config.set_epsilon(1e-3)
    keras.config.set_floatx("float16")
    keras.config.set_max_epochs(1)
    keras.config.set_max_steps_per_epoch(1)
    start_backend()
    assert keras.config.epsilon() == 1e-7
    assert keras.config.floatx() == "float32"
    assert keras.config.max_epochs() is keras.config.max_steps_per_epoch() is None


@pytest.mark.parametrize(
    ("kilobytes", "refused", "warned"),
    [(None, False, False), (1_000_000, True, False), (2_000_000, False, True)],
)
def test_too_little_address_space_is_told_beforehand(
    kilobytes: int | None,
    refused: bool,
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    allowed = kilobytes and kilobytes * 1024
    for module in ("backend.start", "common.system_errors"):
        monkeypatch.setattr(f"cifar_pipeline.{module}.address_space", lambda: allowed)
    if refused:
        with pytest.raises(PipelineError, match="`ulimit -v`, 1,000,000 kB now"):
            start_backend()
    else:
        start_backend()
    assert capsys.readouterr().err.startswith("warning: tensorflow maps") is warned


def test_an_old_processor_is_told_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t\t: fpu sse4_2\n")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert "avx" not in start._processor_flags(cpuinfo)
    cpuinfo.write_text("processor: 0\nflags\t\t: fpu avx avx2\n")
    assert "avx" in start._processor_flags(cpuinfo)
    assert "avx" in start._processor_flags(tmp_path / "missing")
    monkeypatch.setattr(start, "_processor_flags", set)
    with pytest.raises(PipelineError, match="this processor has no AVX"):
        start_backend()


def test_temporary_files_lie_in_memory_where_no_folder_takes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)
    monkeypatch.setattr(tempfile, "gettempdir", none)
    start._find_temporary_folder()
    assert tempfile.tempdir == ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
