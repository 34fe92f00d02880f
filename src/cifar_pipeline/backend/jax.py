"""What JAX itself knows of the device."""

import re
from typing import Any


def jax_gpu_details() -> dict[str, Any]:
    """Return `device_name` and, where JAX knows it, `compute_capability` of the first GPU."""
    import jax

    gpu = jax.devices("gpu")[0]
    version = str(getattr(gpu, "compute_capability", ""))
    if not re.fullmatch(r"\d+\.\d+", version):
        return {"device_name": gpu.device_kind}
    capability = tuple(int(part) for part in version.split("."))
    return {"device_name": gpu.device_kind, "compute_capability": capability}
