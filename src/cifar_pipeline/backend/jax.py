"""Everything that needs JAX itself, but for the steps of training."""

import re
from typing import Any

import keras
import numpy as np

IS_JAX = keras.backend.backend() == "jax"


def jax_gpu_details() -> dict[str, Any]:
    """Return `device_name` and, where JAX knows it, `compute_capability` of the first GPU."""
    import jax

    gpu = jax.devices("gpu")[0]
    version = str(getattr(gpu, "compute_capability", ""))
    if not re.fullmatch(r"\d+\.\d+", version):
        return {"device_name": gpu.device_kind}
    capability = tuple(int(part) for part in version.split("."))
    return {"device_name": gpu.device_kind, "compute_capability": capability}


def on_device(array: np.ndarray) -> Any:
    """Return `array` in the memory of JAX's first device."""
    import jax

    return jax.device_put(array)
