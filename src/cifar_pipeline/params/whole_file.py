"""Validate the whole params.yaml against its schemas."""

from pathlib import Path
from typing import Any, NamedTuple

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.params.download import DownloadParams
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.params.loading import Section, pick, validate
from cifar_pipeline.params.messages import key_name, nearest
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.params.presets import model_of, validate_model
from cifar_pipeline.params.train import TrainParams

SECTIONS: dict[str, type[Section]] = {
    "download": DownloadParams,
    "preprocess": PreprocessParams,
    "train": TrainParams,
    "evaluate": EvaluateParams,
}


class Params(NamedTuple):
    """The sections of a params.yaml, the presets aside."""

    download: DownloadParams
    preprocess: PreprocessParams
    train: TrainParams
    evaluate: EvaluateParams


def validate_whole(content: dict[str, Any], path: Path) -> Params:
    """Validate every section and every preset, and that train.model names one that fits the images.

    Args:
        content: of the file, as read.
        path: the file, for messages.

    Raises:
        ParamsError: the first thing that is wrong.
    """
    for name in content:
        if name not in (*SECTIONS, "models"):
            known = [*SECTIONS, "models"]
            raise ParamsError(
                f"{path}: {key_name(name)} is not a known section{nearest(key_name(name), known)}"
            )
    sections: list[Any] = [
        validate(schema, pick(content, [name], path), name, path)
        for name, schema in SECTIONS.items()
    ]
    params = Params(*sections)
    model_of(content, params.train.model, path)
    for name, values in content["models"].items():
        validate_model(values, name, path)
    return params
