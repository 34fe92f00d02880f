"""What a file is that was named as a model and is no Keras archive: said, and never opened."""

import stat
import zipfile
from pathlib import Path

from cifar_pipeline.common.system_errors import is_of_system
from cifar_pipeline.trained_model.archive import remedy

CONFIG, METADATA = "config.json", "metadata.json"
_WEIGHTS = "model.weights."
_SUFFIX = ".keras"
_OF_WHOLE_MODEL = b"model_config"  # the name of an attribute
_PART_BYTES = 1 << 20
_SAVE = "save the model as a Keras archive, `model.save('model.keras')`, where it was made"
_UNPACK = "unpack it first"
_DAMAGED = ""  # the remedy depends on whose model it is
_WHOLE = "build its network, load them into it, and save that with `model.save('model.keras')`"
_CODE = "opening it can run code, so it is not opened; "

# What the first bytes say: where, which, what that is, and what to do.
_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"TFL3", "a LiteRT (TensorFlow Lite) model, which a program runs but Keras cannot", _SAVE),
    (0, b"GGUF", "a GGUF model", _SAVE),
    (8, b'{"', "weights alone, in safetensors", _WHOLE),
    (0, b"\x80\x02", "a Python pickle, such as PyTorch's .pt", _CODE + _SAVE),
    (0, b"\x80\x03", "a Python pickle", _CODE + _SAVE),
    (0, b"\x80\x04", "a Python pickle", _CODE + _SAVE),
    (0, b"\x80\x05", "a Python pickle", _CODE + _SAVE),
    (0, b"\x93NUMPY", "a NumPy array", _SAVE),
    (0, b"\x1f\x8b", "compressed with gzip", _UNPACK),
    (0, b"BZh", "compressed with bzip2", _UNPACK),
    (0, b"\xfd7zXZ", "compressed with xz", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK),
    (0, b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"version https://git-lfs", "a pointer of Git LFS", "`git lfs pull` fetches the file"),
    (0, b"outs:\n- md5", "a pointer of DVC", "name the file beside it; `dvc pull` fetches that"),
    (0, b"<", "a web page or XML, as a failed download leaves", _DAMAGED),
    (0, b"{", "JSON text, at most a network without weights", _SAVE),
    (0, bytes(64), "full of zeros, as a copy that was cut short leaves", _DAMAGED),
)
_BY_SUFFIX = {
    ".onnx": ("an ONNX model", _SAVE),
    ".pb": ("a graph of TensorFlow", _SAVE),
    ".pbtxt": ("a graph of TensorFlow", _SAVE),
    ".index": ("a checkpoint of TensorFlow, weights alone", _WHOLE),
}


def what_it_is(path: Path) -> str | None:
    """Return what lies at `path` and what to do about it; None for a Keras archive.

    Nothing is loaded: names, first bytes and the list of a zip archive tell. A damaged zip archive
    under a name that ends in .keras passes: reading it says what is wrong.

    Raises:
        OSError: it cannot be read, or there is nothing.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return "; ".join(_folder({entry.name for entry in path.iterdir()}))
    if not stat.S_ISREG(mode):
        return "a pipe, socket or device; name a file"
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        return f"empty (0 bytes); {remedy(path)}"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "; ".join(_hdf5(path))
    if head.startswith(b"PK"):
        return _zip(path)
    for at, magic, name, what_to_do in _MAGIC:
        if head.startswith(magic, at):
            return f"{name}; {what_to_do or remedy(path)}"
    if path.suffix.lower() in _BY_SUFFIX:
        return "; ".join(_BY_SUFFIX[path.suffix.lower()])
    if path.suffix == _SUFFIX:
        return None
    return f"of no kind that is known here; {_SAVE}"


def _folder(names: set[str]) -> tuple[str, str]:
    if {"saved_model.pb", "saved_model.pbtxt"} & names:
        return "a SavedModel folder, a graph that only TensorFlow runs", _SAVE
    if CONFIG in names:
        return "the folder of an unpacked Keras archive", "name the archive, or zip its files again"
    if any(name.endswith(".index") or name == "checkpoint" for name in names):
        return "a folder with checkpoints of TensorFlow, weights alone", _WHOLE
    if "_METADATA" in names or "_CHECKPOINT_METADATA" in names:
        return "a folder with a checkpoint of Orbax", _SAVE
    archives = sorted(name for name in names if name.endswith(_SUFFIX))
    return "a folder", f"name the file{' in it: ' + archives[0] if archives else ''}"


def _hdf5(path: Path) -> tuple[str, str]:
    before = b""
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            if _OF_WHOLE_MODEL in before + part:
                return "an HDF5 file, Keras' former format (.h5)", _CODE + _SAVE
            before = part[-len(_OF_WHOLE_MODEL) :]
    return "an HDF5 file of weights alone (.weights.h5)", _WHOLE


def _zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception as error:  # which one depends on what is damaged
        if is_of_system(error):  # it may be whole
            raise
        if path.suffix == _SUFFIX:
            return None
        return f"a zip archive that is cut off or damaged; {remedy(path)}"
    whole = CONFIG in names and any(name.startswith(_WEIGHTS) for name in names)
    # The damaged list of an archive may be short of some.
    if path.suffix == _SUFFIX and (whole or METADATA in names or not names):
        return None
    if whole:
        return f"a Keras archive by its content; Keras wants a name that ends in {_SUFFIX}: copy it"
    return "; ".join(_other_zip(names))


def _other_zip(names: list[str]) -> tuple[str, str]:
    if CONFIG in names:
        return "a Keras archive without weights", _SAVE
    if any(name.endswith(("data.pkl", "constants.pkl")) for name in names):
        return "a PyTorch model, a zip archive with pickles", _CODE + _SAVE
    if any(name.endswith("saved_model.pb") for name in names):
        return "a zip archive of a SavedModel, a graph that only TensorFlow runs", _SAVE
    inner = [name for name in names if name.endswith((_SUFFIX, CONFIG))]
    if inner:
        return f"a zip archive with {inner[0]} in it", _UNPACK
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays (.npz)", _SAVE
    return f"a zip archive without {CONFIG}", _SAVE
