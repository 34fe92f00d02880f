"""Validate the whole params.yaml: `python -m cifar_pipeline.check_params`."""

from cifar_pipeline.common.start import RUN_AGAIN, start_program

if __name__ == "__main__":
    start_program(RUN_AGAIN)

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from cifar_pipeline.adopt.check_pictures import check_pictures
from cifar_pipeline.common.console import command_app, complain, run_program
from cifar_pipeline.common.credentials import holds_login
from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.download.picture_source import is_picture_folder, local_source
from cifar_pipeline.network.memory import look_at_memory
from cifar_pipeline.params.download import DownloadParams, missing_keys
from cifar_pipeline.params.image_size import require_cifar_size
from cifar_pipeline.params.loading import read_yaml
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.params.presets import ModelParams, model_of
from cifar_pipeline.params.whole_file import validate_whole
from cifar_pipeline.preprocess.hold_out import require_splits

_IMAGES_OF_A_CLASS = 5_000  # of CIFAR-10, for training
GPU_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))
_DATA = Path("data")  # where lists of faulty files go


def check_params(path: Path) -> None:
    """Validate every section and every preset of the file `path`; errors as `check_content`."""
    check_content(read_yaml(path), path)


def check_content(content: dict[str, Any], path: Path) -> None:
    """Validate what the file `path` holds, and look at data and memory.

    Raises:
        ParamsError: the first thing that is wrong.
    """
    params = validate_whole(content, path)
    _require_tracked(content, path)
    _warn_of_logins(params.download, path)
    data = _check_data(params.download, params.preprocess)
    name, side = params.train.model, params.download.image_size
    if data:
        _check_memory(model_of(content, name, path), side, data, f"{path}: models.{name}")


def _require_tracked(content: dict[str, Any], path: Path) -> None:
    """Refuse a file without keys that dvc.yaml names: `dvc repro` would end for lack of them."""
    missing = [f"`{key}: {value}`" for key, value in missing_keys(content["download"]).items()]
    if missing:
        raise ParamsError(
            f"{path}: download lacks keys that dvc.yaml tracks; add {', '.join(missing)}"
        )


def _warn_of_logins(source: DownloadParams, path: Path) -> None:
    """Say which addresses hold a login: Git keeps the file, and `dvc params diff` shows it."""
    for name, address in source.sources.items():
        if address and holds_login(address):
            complain(
                f"warning: {path}: download.sources.{name} holds a login, which Git keeps and DVC "
                "shows; put it into ~/.netrc instead (docs/guides/data-sources.md)"
            )


class _Data(NamedTuple):
    """Training images, before any are held out, and classes."""

    images: int
    classes: int


def _check_data(source: DownloadParams, splits: PreprocessParams) -> _Data | None:
    """Look at the user's own pictures, and whether each class has enough images for the splits.

    Returns:
        How many images there are; None where pictures are not there, which is said.
    """
    folder = local_source(source.source)
    if source.pictures or (folder and is_picture_folder(folder)):
        images = check_pictures(source, _DATA)
        if images is None:
            return None
        sizes: dict[str, np.ndarray] = {
            part: np.bincount([file.label for file in files], minlength=len(images.names))
            for part, files in images.parts.items()
        }
        names = images.names
    else:
        require_cifar_size(source.image_size)
        sizes = {"train": np.full(len(CLASS_NAMES), _IMAGES_OF_A_CLASS), "test": np.zeros(1)}
        names = CLASS_NAMES
    require_splits(sizes, names, splits)
    return _Data(int(sizes["train"].sum()), len(names))


def _check_memory(model: ModelParams, side: int, data: _Data, where: str) -> None:
    """Warn of a training that takes most of the memory, or refuse it.

    `train` asks the device; here the files of drivers tell of a GPU, which has memory of its own.
    """
    if any(driver.exists() for driver in GPU_DRIVERS):
        return
    fourier = model.convolution != "direct"
    if line := look_at_memory(model, side, data.images, data.classes, fourier, where):
        complain(f"warning: {line}")


def main(
    params: Annotated[Path, typer.Option(help="The file of parameters.")] = Path("params.yaml"),
) -> None:
    """Check params.yaml: every section, every preset, and that train.model names one."""
    check_params(params)


if __name__ == "__main__":
    run_program(command_app(main, RUN_AGAIN))
