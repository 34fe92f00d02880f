"""How many images a model is given at once: a matter of time and memory, not of results."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_MOST = 500  # more take more memory, and no less time
_MAPS_KEPT = 4  # of the largest layer's size: its input, its output, and two on the way
_FLOAT32 = 4
_BYTES = 2_000_000_000


def images_at_once(model: "keras.Model", wanted: int) -> int:
    """Return how many images `model` should be given at once: `wanted`, or fewer.

    At most 500, and so few that the maps of its largest layer take some 2 GB.
    """
    largest = max(map(_numbers, model.layers), default=1)
    return max(1, min(wanted, _MOST, _BYTES // (_MAPS_KEPT * _FLOAT32 * max(largest, 1))))


def _numbers(layer: Any) -> int:
    """Return how many numbers a layer has for an image, as far as its shapes say."""
    import keras

    within = [_numbers(each) for each in layer.layers] if isinstance(layer, keras.Model) else []
    try:
        outputs = keras.tree.flatten(layer.output)
    except (AttributeError, ValueError):  # without one, or with several
        outputs = []
    sizes = [math.prod(number for number in output.shape if number) for output in outputs]
    return max([*within, *sizes], default=0)
