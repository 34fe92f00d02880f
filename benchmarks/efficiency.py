"""How much of the processor's convolution speed a training step of a preset reaches.

    python benchmarks/efficiency.py [--preset fast]

One process measures, one after the other: the fastest convolution that it can find (forward and
both gradients, TensorFlow's own operations, the precision of the preset); the preset's steps in
`fit`, on random pixels; and the host's work for a batch. Floating point operations are those of
convolutions and dense layers alone, so everything else in a step counts as lost. They are those of
direct convolutions whatever the algorithm: one by Fourier transforms takes fewer, so that a step
may be above the ceiling.
"""

import json
import math
import statistics
import time
from typing import Annotated, Any

import typer
from common import ROOT, for_epochs, peak_gigabytes

STEPS, EPOCHS = 20, 4  # the first epoch traces the graph and is left out
# Side, input channels, filters: what VGG-like networks are made of. (Batch 250.)
SHAPES = [(31, 32, 64), (15, 64, 256), (15, 128, 128), (15, 256, 256), (7, 256, 256)]


def convolution_ceiling(dtype: str) -> dict[str, float]:
    """Return GFLOP/s of 3x3 convolutions, forward and backward, by shape."""
    import keras
    import tensorflow as tf

    speeds = {}
    keras.utils.set_random_seed(0)
    for side, inputs, filters in SHAPES:
        maps = tf.cast(tf.random.normal((250, side, side, inputs)), dtype)
        kernel = tf.cast(tf.random.normal((3, 3, inputs, filters)), dtype)
        gradient = tf.cast(tf.random.normal((250, side, side, filters)), dtype)

        @tf.function(jit_compile=False)
        def all_three(
            maps: Any = maps, kernel: Any = kernel, gradient: Any = gradient
        ) -> tuple[Any, Any, Any]:
            options = {"strides": [1, 1, 1, 1], "padding": "SAME"}
            return (
                tf.nn.conv2d(maps, kernel, **options),
                tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=maps.shape, filter=kernel, out_backprop=gradient, **options
                ),
                tf.raw_ops.Conv2DBackpropFilter(
                    input=maps, filter_sizes=kernel.shape, out_backprop=gradient, **options
                ),
            )

        all_three()
        seconds = []
        for _ in range(8):
            started = time.perf_counter()
            all_three()[2].numpy()
            seconds.append(time.perf_counter() - started)
        operations = 3 * 2 * 250 * side * side * 9 * inputs * filters
        speeds[f"{side}x{side} {inputs}->{filters}"] = operations / min(seconds) / 1e9
    return speeds


def operations_per_image(network: Any) -> int:
    """Return the floating point operations of a training step, for one image.

    Two for each multiply-accumulate, forward, for the gradient of the weights and for that of the
    inputs. What is not computed is not counted: gradients of frozen weights, and of inputs below
    which nothing learns.
    """
    import keras

    from cifar_pipeline.fourier.convolution import FourierConv2D

    kinds = keras.layers.Conv2D | FourierConv2D | keras.layers.Dense
    total, learning_below = 0, False
    for layer in network.layers:
        if not isinstance(layer, kinds):
            continue
        outputs = math.prod(extent for extent in layer.output.shape if extent)  # of one image
        forward = 2 * outputs * math.prod(layer.kernel.shape[:-1])
        total += forward * (1 + bool(layer.trainable) + (bool(layer.trainable) and learning_below))
        learning_below = learning_below or layer.trainable
    return total


def main(
    preset: Annotated[str, typer.Option(help="A preset of params.yaml.")] = "fast",
) -> None:
    """Compare a preset's training steps with the fastest convolution, and print JSON."""
    from cifar_pipeline.backend.start import start_backend

    start_backend()
    import numpy as np

    from cifar_pipeline.backend.device import processor_name, resolve_precision
    from cifar_pipeline.dataset.channel_statistics import channel_statistics
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.augmentation import Augmenter
    from cifar_pipeline.train.loop import Split, fit

    params = load_model(ROOT / "params.yaml", preset)
    precision = resolve_precision(params.precision)
    before = convolution_ceiling(precision)
    number = round(STEPS * params.batch_size / params.hardest_share)  # an epoch shows STEPS batches
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (number, 32, 32, 3), np.uint8)
    train = Split(images, np.arange(number, dtype=np.uint8) % 10)
    brief = for_epochs(params, EPOCHS)
    few = Split(images[:10], train.labels[:10])
    run = fit(brief, 1, precision, train, few, channel_statistics(images))
    step = statistics.median(run.seconds[1:]) / STEPS
    after = convolution_ceiling(precision)
    speeds = {shape: max(before[shape], after[shape]) for shape in before}

    augmenter = Augmenter(images, params.augmentation, 1)
    order = random.permutation(number)
    host = []
    for at in range(STEPS):
        started = time.perf_counter()
        augmenter.batch(order[at * params.batch_size : (at + 1) * params.batch_size])
        host.append(time.perf_counter() - started)
    operations = operations_per_image(run.network)
    reached = operations * params.batch_size / step / 1e9
    for shape, speed in speeds.items():
        print(f"convolution {shape}: {speed:.0f} GFLOP/s")
    print(
        json.dumps(
            {
                "preset": preset,
                "processor": processor_name(),
                "precision": precision,
                "images_per_second": round(params.batch_size / step),
                "megaflop_per_image": round(operations / 1e6),
                "step_gigaflops": round(reached),
                "ceiling_gigaflops": round(max(speeds.values())),
                "efficiency_percent": round(100 * reached / max(speeds.values()), 1),
                "step_milliseconds": round(1000 * step, 1),
                "batch_milliseconds": round(1000 * statistics.median(host), 2),
                "input_percent": round(100 * statistics.median(host) / step, 2),
                "peak_gigabytes": round(peak_gigabytes(), 2),
            }
        )
    )


if __name__ == "__main__":
    typer.run(main)
