"""Each export in a runtime of its own against Keras, and what may go wrong on the way."""

import dataclasses
import errno
import resource
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.export import command as exporting
from cifar_pipeline.export.formats import base
from cifar_pipeline.export.formats.registry import FORMATS
from cifar_pipeline.trained_model import class_names as model_classes
from exported_models import export, files_of


def assert_one_line(result, exit_code, *parts):
    assert result.exit_code == exit_code
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("error: ")
    for part in parts:
        assert part in result.stderr


@pytest.mark.trains
def test_a_second_export_replaces_the_first(model, tmp_path):
    (tmp_path / "saved_model").mkdir()
    old_exports(tmp_path)
    (tmp_path / "model.onnx").unlink()
    (tmp_path / "saved_model/variables").mkdir()
    (tmp_path / "saved_model/variables/more").write_text("of the old one")
    (tmp_path / "notes").write_text("mine")
    assert export("litert", "saved_model", "--model", model, "--output", tmp_path).exit_code == 0
    kept = files_of(tmp_path)
    assert b"old" not in kept.values()
    assert "saved_model/variables/more" not in kept
    assert kept["notes"] == b"mine"
    assert "model.onnx" not in kept
    assert {path.name for path in tmp_path.iterdir()} == {"saved_model", "model.tflite", "notes"}


def old_exports(folder: Path) -> dict[str, bytes]:
    """Write what `export` takes for an export of its own."""
    (folder / "saved_model/assets").mkdir(parents=True)
    for name in ("saved_model.pb", "assets/classes.txt"):
        (folder / "saved_model" / name).write_text("old")
    with zipfile.ZipFile(folder / "model.tflite", "w") as archive:
        archive.writestr("classes.txt", "old")
    (folder / "model.onnx").write_text("old \n\x0bclass_names")
    return files_of(folder)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The nearest to a full disk: writing more than `size` bytes into a file fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_leaves_the_last_export(network, tmp_path, name, monkeypatch):
    # Keras unpacks an archive with files besides its own when it loads one.
    network.save(tmp_path / "plain.keras")
    monkeypatch.setattr(model_classes, "class_names_of", lambda _: CLASS_NAMES)
    before = old_exports(tmp_path)
    with files_of_at_most(300_000):
        result = export(name, "--model", tmp_path / "plain.keras", "--output", tmp_path)
    assert_one_line(result, 1, "cannot be written", "File too large")
    assert files_of(tmp_path) == before


def test_a_folder_is_replaced_where_names_cannot_be_exchanged(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(exporting, "exchange", refuse)
    old_exports(tmp_path)
    (tmp_path / "hidden/saved_model").mkdir(parents=True)
    exporting._put_in_place(tmp_path / "hidden/saved_model", tmp_path / "saved_model")
    assert list((tmp_path / "saved_model").iterdir()) == []
    assert (tmp_path / "hidden/last/saved_model.pb").read_text() == "old"


@pytest.mark.trains
def test_an_export_that_answers_otherwise_does_not_replace(model, tmp_path, monkeypatch):
    before = old_exports(tmp_path)
    other = FORMATS["onnx"].load

    def load(path, network):
        runtime, run = other(path, network)
        return base.Runner(runtime, lambda pixels: run(pixels + 1))

    broken = {**FORMATS, "onnx": dataclasses.replace(FORMATS["onnx"], load=load)}
    monkeypatch.setattr(exporting, "FORMATS", broken)
    result = export("onnx", "--model", model, "--output", tmp_path)
    assert_one_line(result, 1, "ONNX: its probabilities differ", "in ONNX Runtime")
    assert files_of(tmp_path) == before


def test_a_folder_comes_back_when_its_successor_cannot_take_its_place(tmp_path):
    old_exports(tmp_path)
    (tmp_path / "hidden").mkdir()
    with pytest.raises(FileNotFoundError):
        exporting._put_in_place(tmp_path / "hidden/saved_model", tmp_path / "saved_model")
    assert (tmp_path / "saved_model/saved_model.pb").read_text() == "old"


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_export_is_not_replaced(model, tmp_path, name):
    (tmp_path / FORMATS[name].path).mkdir()
    (tmp_path / FORMATS[name].path / "thesis.txt").write_text("mine")
    result = export(name, "--model", model, "--output", tmp_path)
    assert_one_line(result, 1, f"{FORMATS[name].path} is in the way", "move it away")
    assert (tmp_path / FORMATS[name].path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("saved_model", "saved_model/thesis.txt"),
        ("saved_model", "saved_model"),
        ("litert", "model.tflite"),
        ("onnx", "model.onnx"),
    ],
)
def test_what_another_program_has_left_is_not_replaced(model, tmp_path, name, file):
    if file != name:
        old_exports(tmp_path)
    (tmp_path / file).write_text("mine")
    before = files_of(tmp_path)
    result = export(name, "--model", model, "--output", tmp_path)
    assert_one_line(result, 1, f"{FORMATS[name].path} is in the way", "move it away")
    assert files_of(tmp_path) == before


# Deprecated, but it comes with TensorFlow: an export is run wherever it can be made.
@pytest.mark.trains
@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated:UserWarning")
def test_without_the_runtimes_others_check(model, tmp_path, monkeypatch):
    def found(name):
        return name if "onnx" in name and "runtime" not in name else None

    monkeypatch.setattr(base, "find_spec", found)
    result = export("litert", "onnx", "--model", model, "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert "in the LiteRT of TensorFlow 2." in result.stdout
    assert "in the reference evaluator of ONNX 1." in result.stdout


@pytest.mark.trains
def test_without_the_extra_onnx_is_left_out(model, tmp_path, monkeypatch):
    def found(name):
        return None if name == "tf2onnx" else name

    monkeypatch.setattr(base, "find_spec", found)
    result = export("--model", model, "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert "ONNX: left out without tf2onnx; `make setup EXTRAS=export`" in result.stdout
    others = {form.path for name, form in FORMATS.items() if name != "onnx"}
    assert {path.name for path in tmp_path.iterdir()} == others
    result = export("onnx", "--model", model, "--output", tmp_path)
    assert_one_line(result, 1, "ONNX cannot be written without tf2onnx; `make setup EXTRAS=export`")


def test_an_unknown_format(tmp_path):
    result = export("lite", "--output", tmp_path / "exports")
    assert_one_line(result, 2, "no format 'lite', did you mean 'litert'?")
    assert not (tmp_path / "exports").exists()


def test_no_model(tmp_path):
    result = export("--model", tmp_path / "model.keras", "--output", tmp_path / "exports")
    assert_one_line(result, 1, "model.keras is missing", "`dvc repro train`")
    assert not (tmp_path / "exports").exists()


def test_a_damaged_model(model, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/model.keras").write_bytes(model.read_bytes()[:5000])
    command = ("--model", tmp_path / "models/model.keras", "--output", tmp_path / "exports")
    assert_one_line(export(*command), 1, "model.keras cannot be loaded", "fetch or save it again")
    (tmp_path / "dvc.yaml").touch()  # DVC has the pipeline's own
    assert_one_line(export(*command), 1, "model.keras cannot be loaded", "`make verify`")


def test_a_model_that_does_not_name_its_classes(tmp_path):
    import keras

    other = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(7, "softmax")]
    )
    other.save(tmp_path / "model.keras")
    result = export(
        "saved_model", "--model", tmp_path / "model.keras", "--output", tmp_path / "exports"
    )
    assert result.exit_code == 0
    assert "model.keras does not name its classes; they are called by their numbers" in (
        result.stderr
    )
    names = (tmp_path / "exports/saved_model/assets/classes.txt").read_text().splitlines()
    assert names == [f"class {at}" for at in range(7)]


def test_the_output_is_a_file(model, tmp_path):
    (tmp_path / "exports").write_text("in the way")
    result = export("--model", model, "--output", tmp_path / "exports")
    assert_one_line(result, 1, "exports: cannot be written")
    assert (tmp_path / "exports").read_text() == "in the way"


def test_the_output_is_a_folder_that_takes_no_files(model):
    assert_one_line(export("--model", model, "--output", "/proc"), 1, "/proc: cannot be written")
