"""Outputs of a model for images: probabilities, logits and OOD scores."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

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
        logits: what goes into the softmax, float32 (N, classes).
        ood_scores: out-of-distribution scores, float32 (N,): the lower, the less an image is like
            the training images; see `FeatureExtractor.score_name`.
    """

    probabilities: np.ndarray
    logits: np.ndarray
    ood_scores: np.ndarray


@dataclass(frozen=True)
class FeatureExtractor:
    """A model that also returns features of inner layers.

    Attributes:
        network: on the model's weights; answers probabilities, logits where the model has a layer
            of our name, and, given statistics, the norm of the features and the channel means.
        statistics: of the training images' features; None in a model of another program.
    """

    network: "keras.Model"
    statistics: OodStatistics | None

    @property
    def score_name(self) -> ScoreName:
        """What `Outputs.ood_scores` is: the statistics' score, or negative entropy in nats."""
        return "norm_and_distance" if self.statistics else "negative_entropy"


def feature_extractor(model: "keras.Model", statistics: OodStatistics | None) -> FeatureExtractor:
    """Return the feature extractor of `model`, with the statistics of its archive."""
    import keras

    layers = {layer.name: layer for layer in model.layers}
    outputs = [model.outputs[0]]
    if LOGITS in layers:
        outputs.append(layers[LOGITS].output)
    if statistics:
        outputs += _inner_features(model, statistics.layer)
    return FeatureExtractor(keras.Model(model.inputs, outputs), statistics)


def _inner_features(model: "keras.Model", layer: str) -> list["keras.KerasTensor"]:
    """Return the Euclidean norm of the features (N,) and the channel means of `layer` (N, D)."""
    import keras

    features = keras.layers.Flatten()(model.get_layer(FEATURES).output)
    norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(features), axis=-1))
    return [norm, keras.ops.mean(model.get_layer(layer).output, axis=(1, 2))]


def predict_outputs(extractor: FeatureExtractor, images: np.ndarray, batch_size: int) -> Outputs:
    """Return the outputs of a model for images.

    Of a model without a layer of logits they are the logarithms of its probabilities; without
    statistics, the OOD score is the negative entropy of these.

    Args:
        extractor: of the model.
        images: uint8 (N, 32, 32, 3), N at least 1.
        batch_size: images in one call of the model; the last batch may be smaller.

    Raises:
        PipelineError: the model does not take such images or does not answer probabilities.
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
    """Return the probabilities of the training images, and the statistics of their features.

    Args:
        model: with layers of our names.
        layer: whose channel means are looked at; its output is (N, rows, columns, D).
        images: uint8 (N, 32, 32, 3).
        batch_size: as in `predict_outputs`.

    Returns:
        float32 (N, classes), and the statistics.
    """
    import keras

    network = keras.Model(model.inputs, [model.outputs[0], *_inner_features(model, layer)])
    probabilities, norms, channel_means = predict_all(network, images, batch_size)
    return probabilities, OodStatistics.of(layer, norms, channel_means)
