"""The estimate of a training's memory, against what short runs took."""

import numpy as np
import pytest

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.common.memory import Memory
from cifar_pipeline.network.build import build_training_network
from cifar_pipeline.network.memory import Estimate, estimate_memory, parts, warning_of_memory
from cifar_pipeline.params.presets import ModelParams
from networks import shipped, small
from training_runs import STATISTICS

GB = 10**9


def changed(name: str, **changes: object) -> ModelParams:
    return shipped(name).model_copy(update=changes)


WIDE_HEAD = shipped("baseline").head.model_copy(update={"dense_units": 16_384})


@pytest.mark.parametrize(("name", "gigabytes"), [("quick", 1.37), ("fast", 1.71), ("best", 3.68)])
def test_estimates_are_close_to_what_whole_runs_took(name: str, gigabytes: float) -> None:
    """In float32, on two Zen 3 cores: benchmarks/results.json."""
    estimate = estimate_memory(shipped(name), 32, 45_000, 10, True)
    assert estimate.bytes == pytest.approx(gigabytes * GB, rel=0.2)


@pytest.mark.parametrize(
    ("params", "side", "gigabytes"),
    [
        (shipped("fast"), 32, 1.36),
        (shipped("baseline"), 32, 0.86),
        (shipped("quick"), 32, 0.88),
        (shipped("accurate"), 32, 1.38),
        (changed("fast", batch_size=125), 32, 1.12),
        (changed("fast", convolution="direct"), 32, 1.16),
        (shipped("fast64"), 64, 1.66),
        (shipped("best"), 32, 2.71),
        (changed("baseline", head=WIDE_HEAD), 32, 1.06),
        (changed("quick", batch_size=1000), 32, 1.34),
    ],
)
def test_no_estimate_is_below_what_two_steps_took(
    params: ModelParams, side: int, gigabytes: float
) -> None:
    """Nor far above: of as many images as two steps have."""
    images = 2 * params.batch_size
    estimate = estimate_memory(params, side, images, 10, params.convolution != "direct")
    assert gigabytes * GB <= estimate.bytes < 1.5 * gigabytes * GB


@pytest.mark.parametrize("name", ["baseline", "fast", "gpu96", "fast64"])
def test_parts_have_the_weights_and_maps_of_the_network(name: str) -> None:
    params = small(shipped(name), convolution="direct")
    side = 64 if name == "fast64" else 32
    filters = params.whitening_filters
    network = build_training_network(
        params,
        STATISTICS,
        7,
        "float32",
        np.zeros((2, 2, 3, filters), np.float32) if filters else None,
        (side, side, 3),
    )
    found = list(parts(params, side, 7, fourier=False))
    kernels = [weight for weight in network.trainable_variables if len(weight.shape) > 1]
    in_blocks = sum(part.weights for part in found if part.key.startswith("block"))
    assert in_blocks == sum(np.prod(each.shape) for each in kernels if len(each.shape) == 4)
    assert sum(part.weights for part in found) >= sum(np.prod(each.shape) for each in kernels)
    kept = {"conv", "pool", "norm", "act", "whiten", "logits", "features", "hidden"}
    maps = sum(
        int(np.prod(layer.output.shape[1:]))
        for layer in network.layers
        if any(word in layer.name for word in kept)
    )
    assert sum(part.maps for part in found) == pytest.approx(maps, rel=0.15)
    assert not any(part.spectra for part in found)


def test_no_more_images_count_than_there_are() -> None:
    params = changed("fast", batch_size=1_000_000)
    few, many = (estimate_memory(params, 32, number, 10, True) for number in (100, 50_000))
    assert (few.batch_size, many.batch_size) == (100, 50_000)
    assert few.bytes < 2 * GB
    assert many.bytes > 100 * GB


def test_the_key_of_the_largest_part_is_named() -> None:
    wide = changed("baseline", head=WIDE_HEAD, batch_size=1)
    assert estimate_memory(wide, 32, 45_000, 10, False).key == "head.dense_units"
    blocks = dict(shipped("fast").blocks)
    blocks["block1"] = blocks["block1"].model_copy(update={"filters": 1000})
    wide = changed("fast", blocks=blocks)
    assert estimate_memory(wide, 32, 45_000, 10, True).key == "block1.filters"


@pytest.mark.parametrize(("fourier", "gigabytes"), [(True, 1.26), (False, 0.80)])
def test_large_kernels_count(fourier: bool, gigabytes: float) -> None:
    """At least what a training of 200 images took, and the key is named where it takes most."""
    blocks = dict(shipped("fast").blocks)
    changes = {"kernel_size": 31, "filters": 16}
    blocks = {
        "block1": blocks["block1"].model_copy(update=changes),
        "block2": blocks["block2"].model_copy(update={"filters": 8}),
    }
    params = changed("fast", blocks=blocks, batch_size=100)
    estimate = estimate_memory(params, 32, 200, 10, fourier)
    assert gigabytes * GB <= estimate.bytes < 1.5 * gigabytes * GB
    assert estimate.key == "block1.kernel_size"


def memory(total: float, free: float | None = None, swap: float = 0) -> Memory:
    return Memory(int(total * GB), int((free or total) * GB), int(swap * GB), False)


def test_what_is_far_too_large_is_refused_and_what_is_near_is_said() -> None:
    estimate = Estimate(12 * GB, "block1.filters", 500)
    assert warning_of_memory(estimate, memory(16), "models.P") is None
    assert warning_of_memory(estimate, None, "models.P") is None
    line = (
        "models.P.block1.filters: about 12 GB while training at batch_size 500; this machine has "
        "8.0 GB free; lower it, or batch_size"
    )
    assert warning_of_memory(estimate, memory(16, free=8), "models.P") == line
    assert warning_of_memory(estimate, memory(14), "models.P")
    assert warning_of_memory(estimate, memory(7), "models.P")
    assert warning_of_memory(estimate, memory(5, swap=4), "models.P")
    with pytest.raises(ParamsError, match=r"block1.filters: about 12 GB .* has 5.0 GB; lower it"):
        warning_of_memory(estimate, memory(5), "models.P")
    of_kernels = Estimate(12 * GB, "block1.kernel_size", 500)
    with pytest.raises(ParamsError, match=r"has 5.0 GB; lower it$"):  # whatever the batch_size
        warning_of_memory(of_kernels, memory(5), "models.P")
