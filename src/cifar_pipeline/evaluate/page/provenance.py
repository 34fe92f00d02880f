"""The provenance of a model: preset, params, training, layers, data and versions."""

import io
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from ruamel.yaml import YAML

from cifar_pipeline.common.checksums import read_manifest, sha256_of
from cifar_pipeline.dataset.arrays import load_labels
from cifar_pipeline.evaluate.page.training_reports import read_training_reports
from cifar_pipeline.params.loading import Section

if TYPE_CHECKING:
    import keras

_PACKAGES = ("keras", "numpy", "pandas", "matplotlib", "pillow", "jinja2")


@dataclass(frozen=True)
class Layer:
    """A row of the model's summary: name, class, output shape and number of parameters."""

    name: str
    kind: str
    shape: str
    weights: int


@dataclass(frozen=True)
class Provenance:
    """What the page and the model card say of the model's origin.

    Attributes:
        preset: the name of the preset.
        seed: of the training.
        params: the parameters in use, as YAML.
        label_smoothing: of the training loss.
        hardest_share: the fraction of the training images that an epoch uses.
        class_weight: of the training loss, "none" or "balanced".
        history: history.csv of train.
        training: train_metrics.json of train.
        layers: of the saved model.
        training_images: the number of training images.
        validation_images: the number of validation images.
        model_digest: the SHA-256 of the model's archive.
        hashes: the SHA-256 of each processed array, by file name.
        versions: the version of Python and of each package, by name.
    """

    preset: str
    seed: int
    params: str
    label_smoothing: float
    hardest_share: float
    class_weight: str
    history: pd.DataFrame
    training: dict[str, Any]
    layers: list[Layer]
    training_images: int
    validation_images: int
    model_digest: str
    hashes: dict[str, str]
    versions: dict[str, str]


def gather_provenance(
    used: Mapping[str, Section],
    reports: Path,
    processed: Path,
    archive: Path,
    model: "keras.Model",
) -> Provenance:
    """Collect the provenance from the outputs of preprocess and train.

    Args:
        used: sections of params.yaml, `train` and `models.PRESET` among them.
        reports: the folder with history.csv and train_metrics.json.
        processed: the folder of preprocess.
        archive: the .keras file of `model`.
        model: the loaded model.

    Raises:
        PipelineError: a file is missing or damaged.
    """
    text = io.StringIO()
    sections = {name: section.model_dump(mode="json") for name, section in used.items()}
    YAML(typ="rt").dump(sections, text)
    training_params = sections["train"]
    preset = sections[f"models.{training_params['model']}"]
    history, training = read_training_reports(reports)
    hashes = read_manifest(processed, "preprocess")
    import keras

    packages = (*_PACKAGES, keras.backend.backend())
    return Provenance(
        preset=training_params["model"],
        seed=training_params["seed"],
        params=text.getvalue(),
        label_smoothing=preset["label_smoothing"],
        hardest_share=preset["hardest_share"],
        class_weight=preset["class_weight"],
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
        training_images=len(load_labels(processed, "train")),
        validation_images=len(load_labels(processed, "validation")),
        model_digest=sha256_of(archive),
        hashes=hashes,
        versions={
            "Python": platform.python_version(),
            **{name: version(name) for name in sorted(packages)},
        },
    )
