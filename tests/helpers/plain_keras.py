"""Load models with Keras and nothing of this project, and compare what they answer.

    python plain_keras.py MODEL.keras ...

For each MODEL.keras there is a MODEL.npz with `images`, float32 (N, H, W, 3), and the
`probabilities`, float32 (N, classes), that are expected. Prints a line of JSON: the versions, and
by model the largest difference of a probability.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np


def difference(model: Path) -> float:
    """Return the largest difference of a probability of `model` from what is expected."""
    with np.load(model.with_suffix(".npz")) as arrays:
        images, expected = arrays["images"], arrays["probabilities"]
    found = keras.saving.load_model(model).predict_on_batch(images)
    return float(np.abs(np.asarray(found) - expected).max())


if __name__ == "__main__":
    backend = keras.backend.backend()
    differences = {Path(name).stem: difference(Path(name)) for name in sys.argv[1:]}
    versions = {"keras": keras.__version__, backend: sys.modules[backend].__version__}
    print(json.dumps({"versions": versions, "differences": differences}))
