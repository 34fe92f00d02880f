"""Outputs of a model for images: probabilities, logits and OOD scores."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.keras_file import predict_all
from cifar_pipeline.trained_model.layer_names import FEATURES, LOGITS
from cifar_pipeline.trained_model.ood_statistics import OodStatistics

if TYPE_CHECKING:
    import keras

ScoreName = Literal["norm_and_distance", "negative_entropy"]


@dataclass(frozen=True)
class Outputs:
    """Outputs of a model for N images.

    Attributes:
        probabilities: float32 (N, classes).
        logits: the input of the softmax, float32 (N, classes).
        ood_scores: out-of-distribution (OOD) scores, float32 (N,). The lower the score, the less
            the image resembles the training images. `FeatureExtractor.score_name` names the score.
    """

    probabilities: np.ndarray
    logits: np.ndarray
    ood_scores: np.ndarray


@dataclass(frozen=True)
class FeatureExtractor:
    """A model that also returns the outputs from which logits and OOD scores are computed.

    Attributes:
        network: shares the layers of the model. Its outputs are the probabilities; the logits, if
            the model has a layer named LOGITS; and, if there are statistics, the norm of the
            features and the channel means.
        statistics: the feature statistics of the training images; None for a model that another
            program wrote.
    """

    network: "keras.Model"
    statistics: OodStatistics | None

    @property
    def score_name(self) -> ScoreName:
        """The name of the OOD score: `OodStatistics.score`, or the negative entropy in nats."""
        return "norm_and_distance" if self.statistics else "negative_entropy"


def feature_extractor(model: "keras.Model", statistics: OodStatistics | None) -> FeatureExtractor:
    """Return the feature extractor of `model`.

    Args:
        model: a classifier.
        statistics: those in the archive of `model`, if there are any.

    Raises:
        PipelineError: the statistics are those of another model.
    """
    import keras

    layers = {layer.name: layer for layer in model.layers}
    outputs = [model.outputs[0]]
    # Another program may use the name for something else.
    if LOGITS in layers and layers[LOGITS].output.shape == outputs[0].shape:
        outputs.append(layers[LOGITS].output)
    if statistics:
        _require_layers(layers, statistics)
        outputs += _inner_features(model, statistics.layer)
    return FeatureExtractor(keras.Model(model.inputs, outputs), statistics)


def _require_layers(layers: "dict[str, keras.Layer]", statistics: OodStatistics) -> None:
    wanted = layers.get(statistics.layer)
    channels = len(statistics.mean)
    if FEATURES in layers and wanted is not None:
        shape = wanted.output.shape
        if len(shape) == 4 and shape[-1] == channels:
            return
    raise PipelineError(
        "the OOD statistics in the model's archive are another model's: they are for a layer "
        f"{FEATURES!r} and a layer {statistics.layer!r} of {channels} channels"
    )


def _inner_features(model: "keras.Model", layer: str) -> list["keras.KerasTensor"]:
    """Return the outputs norm of the features, (N,), and channel means of `layer`, (N, D)."""
    import keras

    features = keras.layers.Flatten()(model.get_layer(FEATURES).output)
    norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(features), axis=-1))
    return [norm, keras.ops.mean(model.get_layer(layer).output, axis=(1, 2))]


def predict_outputs(extractor: FeatureExtractor, images: np.ndarray, batch_size: int) -> Outputs:
    """Return the outputs of a model for images.

    If the extractor returns no logits, the logarithms of the probabilities stand in for them. If it
    has no statistics, the OOD score is the negative entropy of the probabilities.

    Args:
        extractor: of the model.
        images: uint8 (N, 32, 32, 3), N at least 1.
        batch_size: the number of images in one call of the model; the last batch may be smaller.

    Raises:
        PipelineError: the model does not accept such images or does not return probabilities.
    """
    probabilities, *others = predict_all(extractor.network, images, batch_size)
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    if extractor.statistics:
        norms, channel_means = others[-2:]
        ood_scores = extractor.statistics.score(norms, channel_means)
        others = others[:-2]
    else:
        ood_scores = (probabilities * logarithms).sum(axis=1)
    return Outputs(probabilities, others[0] if others else logarithms, ood_scores)


def fit_ood_statistics(
    model: "keras.Model", layer: str, images: np.ndarray, batch_size: int
) -> tuple[np.ndarray, OodStatistics]:
    """Return the probabilities of the training images, and their feature statistics.

    Args:
        model: a model with a layer named FEATURES.
        layer: the name of the layer whose channel means are used; its output is
            (N, rows, columns, D).
        images: the training images, uint8 (N, 32, 32, 3).
        batch_size: as in `predict_outputs`.

    Returns:
        The probabilities, float32 (N, classes), and the statistics.
    """
    import keras

    network = keras.Model(model.inputs, [model.outputs[0], *_inner_features(model, layer)])
    probabilities, norms, channel_means = predict_all(network, images, batch_size)
    return probabilities, OodStatistics.of(layer, norms, channel_means)
