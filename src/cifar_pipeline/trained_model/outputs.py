"""Look into a model: its logits, and how familiar an image looks to it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cifar_pipeline.trained_model.keras_file import predict_all
from cifar_pipeline.trained_model.layer_names import FEATURES, LOGITS
from cifar_pipeline.trained_model.ood_statistics import FamiliarityStatistics

if TYPE_CHECKING:
    import keras

ScoreName = Literal["norm_and_distance", "negative_entropy"]


@dataclass(frozen=True)
class Outputs:
    """What a model says of N images, and what it makes of them inside.

    Attributes:
        probabilities: float32 (N, classes).
        logits: what goes into the softmax, float32 (N, classes).
        familiarity: the higher, the more an image looks like those that the model knows, float32
            (N,); see `Probe.score_name`.
    """

    probabilities: np.ndarray
    logits: np.ndarray
    familiarity: np.ndarray


@dataclass(frozen=True)
class Probe:
    """A model that shows its inside.

    Attributes:
        network: on the model's weights; answers probabilities, logits where the model has a layer
            of our name, and, given statistics, the norm of the features and the channel means.
        statistics: what the training images look like inside, or None: another program's model.
    """

    network: "keras.Model"
    statistics: FamiliarityStatistics | None

    @property
    def score_name(self) -> ScoreName:
        """What `Outputs.familiarity` is: the statistics' score, or negative entropy in nats."""
        return "norm_and_distance" if self.statistics else "negative_entropy"


def probe_of(model: "keras.Model", statistics: FamiliarityStatistics | None) -> Probe:
    """Return a probe of `model`, with the statistics of its archive."""
    import keras

    layers = {layer.name: layer for layer in model.layers}
    outputs = [model.outputs[0]]
    if LOGITS in layers:
        outputs.append(layers[LOGITS].output)
    if statistics:
        outputs += _inside(model, statistics.layer)
    return Probe(keras.Model(model.inputs, outputs), statistics)


def _inside(model: "keras.Model", layer: str) -> list["keras.KerasTensor"]:
    """Return the Euclidean norm of the features (N,) and the channel means of `layer` (N, D)."""
    import keras

    features = keras.layers.Flatten()(model.get_layer(FEATURES).output)
    norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(features), axis=-1))
    return [norm, keras.ops.mean(model.get_layer(layer).output, axis=(1, 2))]


def predict_outputs(probe: Probe, images: np.ndarray, batch_size: int) -> Outputs:
    """Return what a model says and makes of images.

    Of a model without a layer of logits they are the logarithms of its probabilities; without
    statistics, familiarity is the negative entropy of these.

    Args:
        probe: of the model.
        images: uint8 (N, 32, 32, 3), N at least 1.
        batch_size: images in one call of the model; the last batch may be smaller.

    Raises:
        PipelineError: the model does not take such images or does not answer probabilities.
    """
    probabilities, *others = predict_all(probe.network, images, batch_size)
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    if probe.statistics:
        norms, channel_means = others[-2:]
        familiarity = probe.statistics.score(norms, channel_means)
        others = others[:-2]
    else:
        familiarity = (probabilities * logarithms).sum(axis=1)
    return Outputs(probabilities, others[0] if others else logarithms, familiarity)


def learn_statistics(
    model: "keras.Model", layer: str, images: np.ndarray, batch_size: int
) -> tuple[np.ndarray, FamiliarityStatistics]:
    """Return the probabilities of the training images, and what these look like inside.

    Args:
        model: with layers of our names.
        layer: whose channel means are looked at; its output is (N, rows, columns, D).
        images: uint8 (N, 32, 32, 3).
        batch_size: as in `predict_outputs`.

    Returns:
        float32 (N, classes), and the statistics.
    """
    import keras

    network = keras.Model(model.inputs, [model.outputs[0], *_inside(model, layer)])
    probabilities, norms, channel_means = predict_all(network, images, batch_size)
    return probabilities, FamiliarityStatistics.of(layer, norms, channel_means)
