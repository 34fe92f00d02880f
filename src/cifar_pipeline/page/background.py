"""Where a model comes from: preset, params, layers, data and versions, for page and model card."""

import io
import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from ruamel.yaml import YAML

from cifar_pipeline.checksums import MANIFEST, sha256_of
from cifar_pipeline.errors import PipelineError
from cifar_pipeline.params.loading import read_yaml

if TYPE_CHECKING:
    import keras

_SECTIONS = ("preprocess", "train", "evaluate")
_PACKAGES = ("keras", "numpy", "pandas", "matplotlib", "pillow", "jinja2")


@dataclass(frozen=True)
class Layer:
    """A row of the model's summary."""

    name: str
    kind: str
    shape: str
    weights: int


@dataclass(frozen=True)
class Background:
    """What the page and the model card say beside scores.

    Attributes:
        preset: its name.
        seed: of the training.
        params: the parameters in use, as YAML.
        history: history.csv of train.
        training: train_metrics.json of train.
        layers: of the saved model.
        hashes: SHA-256 by file: the model, the processed arrays.
        versions: by package.
    """

    preset: str
    seed: int
    params: str
    history: pd.DataFrame
    training: dict[str, Any]
    layers: list[Layer]
    hashes: dict[str, str]
    versions: dict[str, str]


def gather(
    params: Path, reports: Path, processed: Path, archive: Path, model: "keras.Model"
) -> Background:
    """Read what train and preprocess have left.

    Args:
        params: params.yaml.
        reports: folder with train's history.csv and train_metrics.json.
        processed: folder of preprocess.
        archive: the .keras file of `model`.
        model: as loaded.

    Raises:
        PipelineError: a file is missing or damaged.
    """
    content = read_yaml(params)
    preset = content["train"]["model"]
    used = {name: content[name] for name in _SECTIONS}
    used["models"] = {preset: content["models"][preset]}
    text = io.StringIO()
    yaml = YAML(typ="rt")
    yaml.default_flow_style = False
    yaml.dump(used, text)
    try:
        history = pd.read_csv(reports / "history.csv")
        training = json.loads((reports / "train_metrics.json").read_text())
        hashes = json.loads((processed / MANIFEST).read_text())
    except OSError as error:
        raise PipelineError(f"{error.filename} cannot be read; run `dvc repro train`") from None
    except ValueError:
        raise PipelineError(
            f"{reports}/history.csv or train_metrics.json is damaged; `git restore {reports}` "
            "brings the committed ones back"
        ) from None
    import keras

    packages = (*_PACKAGES, keras.backend.backend())
    return Background(
        preset=preset,
        seed=content["train"]["seed"],
        params=text.getvalue(),
        history=history,
        training=training,
        layers=[
            Layer(
                layer.name,
                type(layer).__name__,
                " x ".join(map(str, layer.output.shape[1:])),
                layer.count_params(),
            )
            for layer in model.layers
        ],
        hashes={archive.name: sha256_of(archive), **hashes},
        versions={
            "Python": platform.python_version(),
            **{name: version(name) for name in sorted(packages)},
        },
    )
