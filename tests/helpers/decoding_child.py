"""Read files that may be damaged, each in turn, in a process that may crash or hang.

    python decoding_child.py FOLDER

Each line of standard input is the name of a reader; then comes a line with a number of bytes, and
the bytes: FOLDER/READER/FILE gets them, and is read. A line of JSON says what came of it. Beside
that file lie whole ones, which the reader needs too.
"""

import hashlib
import io
import json
import resource
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from cifar_pipeline.check_params import check_params
from cifar_pipeline.codec import container, index
from cifar_pipeline.codec.decompress import decompress
from cifar_pipeline.codec.inspection import describe
from cifar_pipeline.codec.model import load_model
from cifar_pipeline.common.checksums import MANIFEST, check_manifest, write_manifest
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.arrays import CLASSES, load_class_names, load_split
from cifar_pipeline.dataset.channel_statistics import STATISTICS, load_statistics
from cifar_pipeline.dataset.image_set import FILES, IMAGE_SET, load_files, load_image_set
from cifar_pipeline.evaluate.page.training_reports import read_training_reports
from cifar_pipeline.evaluate.thresholds import read_operating_point
from cifar_pipeline.images.decoding import decode_picture
from cifar_pipeline.images.label_table import read_label_table
from cifar_pipeline.train.checkpoint import Checkpoint
from cifar_pipeline.trained_model.archive import require_whole
from cifar_pipeline.trained_model.file_kind import what_it_is
from cifar_pipeline.trained_model.keras_file import class_names_of, load_saved_model
from cifar_pipeline.trained_model.ood_statistics import load_ood_statistics
from cifar_pipeline.trained_model.validation_outputs import load_validation_outputs

KEY = {"params": "a"}
SMALL_BLOCK = 1 << 18
ADDRESS_SPACE = 8 << 30  # a net below the tests' own limit on resident memory


class Reader(NamedTuple):
    """The name of the file, and the function that reads it. Either it returns, or PipelineError."""

    file: str
    read: Callable[[Path], object]


def _vouched_for(read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return a reader of a folder whose manifest has the present file's checksum."""

    def vouched(path: Path) -> object:
        write_manifest(path.parent)
        return read(path.parent)

    return vouched


def _archive(path: Path) -> None:
    """Read what a model's archive holds, without Keras."""
    what_it_is(path)
    class_names_of(path)
    load_ood_statistics(path)
    require_whole(path)


def _model(path: Path) -> None:
    from cifar_pipeline.trained_model.class_names import names_for
    from cifar_pipeline.trained_model.decoding import load_decoding
    from cifar_pipeline.trained_model.outputs import feature_extractor

    model = load_saved_model(path)
    names_for(path, model)
    load_decoding(path, model)
    feature_extractor(model, load_ood_statistics(path))


def _signed_checkpoint(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(hashlib.sha256(content).digest() + content)
    Checkpoint(path, KEY).load()


def _compressed(path: Path) -> None:
    for _ in describe(path):
        pass
    output = path.with_name("out")
    try:
        decompress(container.read_container(path), load_model(path.with_name("model.npz")), output)
    finally:
        shutil.rmtree(output, ignore_errors=True)


class _AnySum(int):
    """A checksum that is any other one's equal."""

    __hash__ = int.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def _signed_compressed(path: Path) -> None:
    """Read a file as if its checksums were right: somebody has made it to do harm.

    Blocks are small, as time and memory go with the pixels that a file claims.
    """
    with (
        patch.object(container, "crc32", lambda content: _AnySum()),
        patch.object(index, "BLOCK_PIXELS", SMALL_BLOCK),
    ):
        _compressed(path)


READERS = {
    "picture": Reader("picture", lambda path: decode_picture(str(path))),
    "archive": Reader("model.keras", _archive),
    "model": Reader("model.keras", _model),
    "outputs": Reader(
        "validation_outputs.npz",
        lambda path: load_validation_outputs(path.with_name("model.keras")),
    ),
    "operating point": Reader(
        "chosen.json",
        lambda path: read_operating_point(path, path.with_name("model.keras"), "norm_and_distance"),
    ),
    "checkpoint": Reader("training.backup", lambda path: Checkpoint(path, KEY).load()),
    "signed checkpoint": Reader("training.backup", _signed_checkpoint),
    "manifest": Reader(MANIFEST, lambda path: check_manifest(path.parent, [CLASSES], "preprocess")),
    "classes": Reader(CLASSES, _vouched_for(load_class_names)),
    "images": Reader("test_images.npy", _vouched_for(lambda folder: load_split(folder, "test"))),
    "labels": Reader("test_labels.npy", _vouched_for(lambda folder: load_split(folder, "test"))),
    "statistics": Reader(STATISTICS, _vouched_for(load_statistics)),
    "image set": Reader(IMAGE_SET, _vouched_for(lambda folder: load_image_set(folder, "download"))),
    "files": Reader(FILES, _vouched_for(lambda folder: load_files(folder, "download"))),
    "history": Reader("history.csv", lambda path: read_training_reports(path.parent)),
    "train metrics": Reader("train_metrics.json", lambda path: read_training_reports(path.parent)),
    "params": Reader("params.yaml", check_params),
    "compressed": Reader("images.cifc", _compressed),
    "signed compressed": Reader("images.cifc", _signed_compressed),
    "codec model": Reader("model.npz", load_model),
    "table": Reader("labels.csv", lambda path: read_label_table(path.parent, path)),
}


def _peak_megabytes() -> float:
    """Return the resident memory that this process has had at most since `_forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def outcome_of(name: str, path: Path) -> dict[str, Any]:
    """Return what reading the file leads to."""
    _forget_peak()
    before, started = _peak_megabytes(), time.process_time()
    told, text = io.StringIO(), ""
    with warnings.catch_warnings(), redirect_stderr(told), redirect_stdout(told):
        warnings.simplefilter("error")
        try:
            READERS[name].read(path)
            outcome = "read"
        except PipelineError as error:
            outcome, text = "refused", str(error)
        except Exception:
            outcome, text = "traceback", traceback.format_exc()
    return {
        "outcome": outcome,
        "text": text,
        "seconds": time.process_time() - started,
        "megabytes": _peak_megabytes() - before,
    }


def main() -> None:
    """Read file after file until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    folder = Path(sys.argv[1])
    answers = sys.stdout
    print("ready", file=answers, flush=True)
    while name := sys.stdin.buffer.readline().decode().strip():
        path = folder / name / READERS[name].file
        path.write_bytes(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))
        print(json.dumps(outcome_of(name, path)), file=answers, flush=True)


if __name__ == "__main__":
    main()
