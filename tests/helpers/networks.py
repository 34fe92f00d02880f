"""Numbers and parameters for tests of layers and networks."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cifar_pipeline.params.presets import ModelParams, load_model
from closure import ROOT


def normal(*shape: int) -> np.ndarray:
    """Return float32 normal numbers, the same for every call with a shape."""
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def values_and_gradients(
    function: Callable[..., Any], inputs: list[np.ndarray], upstream: np.ndarray
) -> list[np.ndarray]:
    """Return the results of `function` and the gradients of its inputs, for upstream gradients."""
    import tensorflow as tf

    tensors = [tf.constant(value) for value in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        results = function(*tensors)
    gradients = tape.gradient(results, tensors, output_gradients=tf.constant(upstream))
    return [np.array(value) for value in (results, *gradients)]


def narrow_fast(**changes: object) -> ModelParams:
    """Return `fast` with a quarter of its filters, enough for Fourier transforms, and `changes`."""
    fast = shipped("fast")
    blocks = {
        name: block.model_copy(update={"filters": block.filters // 4})
        for name, block in fast.blocks.items()
    }
    return fast.model_copy(update={"blocks": blocks, **changes})


def shipped(name: str) -> ModelParams:
    """Return a preset of params.yaml."""
    return load_model(ROOT / "params.yaml", name)


def with_blocks(params: ModelParams, number: int) -> ModelParams:
    """Return `params` with so many of its blocks, from the first: each one takes long to trace."""
    return params.model_copy(update={"blocks": dict([*params.blocks.items()][:number])})


def small(params: ModelParams, **changes: object) -> ModelParams:
    """Return `params` with few filters, fewer convolutions after the first block, and `changes`."""
    blocks = {}
    for name, block in params.blocks.items():
        least = 2 if block.shortcut else 1
        number = block.convolutions if not blocks else min(block.convolutions, least)
        blocks[name] = block.model_copy(update={"filters": 8, "convolutions": number})
    head = params.head.model_copy(update={"dense_units": min(params.head.dense_units, 16)})
    return params.model_copy(update={"blocks": blocks, "head": head, **changes})
