"""Validate the whole params.yaml: `python -m cifar_pipeline.check_params`."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from cifar_pipeline.adopt.check_pictures import check_pictures
from cifar_pipeline.common.console import command_app
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.download.picture_source import is_picture_folder, local_source
from cifar_pipeline.params.download import DownloadParams
from cifar_pipeline.params.image_size import require_cifar_size
from cifar_pipeline.params.loading import read_yaml
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.params.whole_file import validate_whole
from cifar_pipeline.preprocess.hold_out import require_splits

_IMAGES_OF_A_CLASS = 5_000  # of CIFAR-10, for training
_DATA = Path("data")  # where lists of faulty files go


def check_params(path: Path) -> None:
    """Validate every section and every preset of the file `path`.

    Raises:
        ParamsError: the first thing that is wrong.
    """
    params = validate_whole(read_yaml(path), path)
    _check_data(params.download, params.preprocess)


def _check_data(source: DownloadParams, splits: PreprocessParams) -> None:
    """Look at the user's own pictures, and whether each class has enough images for the splits."""
    folder = local_source(source.source)
    if source.pictures or (folder and is_picture_folder(folder)):
        images = check_pictures(source, _DATA)
        if images:
            sizes: dict[str, np.ndarray] = {
                part: np.bincount([file.label for file in files], minlength=len(images.names))
                for part, files in images.parts.items()
            }
            require_splits(sizes, images.names, splits)
    else:
        require_cifar_size(source.image_size)
        sizes = {"train": np.full(len(CLASS_NAMES), _IMAGES_OF_A_CLASS), "test": np.zeros(1)}
        require_splits(sizes, CLASS_NAMES, splits)


def main(
    params: Annotated[Path, typer.Option(help="The file of parameters.")] = Path("params.yaml"),
) -> None:
    """Check params.yaml: every section, every preset, and that train.model names one."""
    check_params(params)


if __name__ == "__main__":
    command_app(main)()
