"""Numbers and parameters for tests of layers and networks."""

import numpy as np

from cifar_pipeline.params.presets import ModelParams, load_model
from closure import ROOT


def normal(*shape: int) -> np.ndarray:
    """Return float32 normal numbers, the same for every call with a shape."""
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def narrow_fast(**changes: object) -> ModelParams:
    """Return `fast` with a quarter of its filters, enough for Fourier transforms, and `changes`."""
    fast = load_model(ROOT / "params.yaml", "fast")
    blocks = {
        name: block.model_copy(update={"filters": block.filters // 4})
        for name, block in fast.blocks.items()
    }
    return fast.model_copy(update={"blocks": blocks, **changes})
