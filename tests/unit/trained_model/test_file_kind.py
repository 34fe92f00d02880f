"""What is named as a model and is no Keras archive is refused as what it is, by every command."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from cifar_pipeline.cli import app
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.keras_file import load_saved_model
from exported_models import export


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


def raw(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def zipped(*names: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "x")

    return write


def folder(*names: str) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        path.mkdir()
        for name in names:
            (path / name).touch()

    return make


def hdf5(*attributes: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("layers/dense/vars/0", data=np.ones(3))
            for name in attributes:
                file.attrs[name] = "{}"

    return write


class Trap:
    """Ends the process when it is unpickled."""

    def __reduce__(self):
        return os._exit, (1,)


KINDS = {
    "a SavedModel folder": ("export", folder("saved_model.pb", "variables")),
    "an unpacked Keras archive": ("model.keras", folder("config.json", "model.weights.h5")),
    "checkpoints of TensorFlow": ("training", folder("checkpoint", "ckpt-1.index")),
    "a checkpoint of Orbax": ("orbax", folder("_METADATA", "d")),
    "name the file in it: a.keras": ("models", folder("a.keras", "b.txt")),
    "Keras' former format (.h5)": ("model.h5", hdf5("model_config")),
    "weights alone (.weights.h5)": ("model.keras", hdf5()),
    "a Python pickle": ("model.pt", raw(pickle.dumps(Trap()))),
    "a PyTorch model": ("model.pth", zipped("archive/data.pkl", "archive/version")),
    "a LiteRT (TensorFlow Lite) model": ("model.tflite", raw(b"\x1c\0\0\0TFL3" + bytes(99))),
    "an ONNX model": ("model.onnx", raw(b"\x08\x08\x12\x07tf2onnx")),
    "a graph of TensorFlow": ("saved_model.pb", raw(b"\x08\x01\x12\x03abc")),
    "in safetensors": ("model.safetensors", raw(bytes([9] + 7 * [0]) + b'{"a": 1}')),
    "an archive of NumPy arrays (.npz)": ("model.keras", zipped("a.npy", "b.npy")),
    "a zip archive with model.keras in it": ("model.zip", zipped("model.keras")),
    "a zip archive without config.json": ("model.keras", zipped("word/document.xml")),
    "a Keras archive without weights": ("model.zip", zipped("config.json")),
    "wants a name that ends in .keras": ("model", zipped("config.json", "model.weights.h5")),
    "compressed with gzip": ("model.keras.gz", raw(b"\x1f\x8b\x08" + bytes(99))),
    "`git lfs pull`": ("model.keras", text("version https://git-lfs.github.com/spec/v1\n")),
    "`dvc pull`": ("model.keras.dvc", text("outs:\n- md5: 37349ac7\n  path: model.keras\n")),
    "a web page": ("model.keras", text("<!DOCTYPE html><html></html>")),
    "JSON text": ("network.json", text('{"class_name": "Functional"}')),
    "full of zeros": ("model.keras", raw(bytes(5000))),
    "empty (0 bytes)": ("model.keras", raw(b"")),
    "a pipe": ("model.keras", os.mkfifo),
    "of no kind that is known": ("model.bin", raw(b"\x01\x02\x03")),
}


@pytest.mark.parametrize("expected", KINDS)
def test_it_is_refused_as_what_it_is(expected: str, tmp_path: Path) -> None:
    name, write = KINDS[expected]
    write(tmp_path / name)
    with pytest.raises(PipelineError) as caught:
        load_saved_model(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name} is no Keras archive (.keras) but ")
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


DAMAGED = [raw(b"hello"), raw(b"PK\x03\x04"), zipped("metadata.json")]


@pytest.mark.parametrize("write", [*DAMAGED, zipped("config.json", "model.weights.h5")])
def test_a_damaged_archive_is_called_one(write: Callable[[Path], object], tmp_path: Path) -> None:
    write(tmp_path / "model.keras")
    with pytest.raises(PipelineError, match=r"cannot be loaded \(.*\); fetch or save it again$"):
        load_saved_model(tmp_path / "model.keras")


def test_predict_and_export_say_the_same(tmp_path: Path) -> None:
    name, write = KINDS["a SavedModel folder"]
    write(tmp_path / name)
    predicted = CliRunner().invoke(app, ["predict", "--model", str(tmp_path / name), "a.png"])
    exported = export("--model", tmp_path / name, "--output", tmp_path / "exports")
    assert predicted.exit_code == exported.exit_code == 1
    assert predicted.stderr == exported.stderr
    assert len(exported.stderr.splitlines()) == 1
