"""TensorFlow's start-up notes stay off the terminal, and nothing else does; it uses oneDNN."""

import os
import platform
import subprocess
import sys
from functools import cache

import pytest

from closure import ROOT

START = """
import sys
sys.path.insert(0, "src")
from cifar_pipeline.backend.start import start_backend
start_backend()
import keras
print("started", file=sys.stderr)
"""
# What Keras and TensorFlow would import where it is; JAX would let notes through.
NOT_NEEDED = ("jax", "matplotlib")
LEFT = f"""
import gc
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
print(*(name in sys.modules for name in {NOT_NEEDED}), sep="\\n")
for name in {NOT_NEEDED}:
    __import__(name)
"""
# The convolution that TensorFlow really runs; oneDNN's have names with Mkl.
OPERATIONS = """
import os
import numpy as np
import tensorflow as tf
SHAPES = (8, 16, 16, 32), (3, 3, 32, 32)
options = tf.compat.v1.RunOptions(output_partition_graphs=True)
metadata = tf.compat.v1.RunMetadata()
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    maps, kernel = (tf.compat.v1.placeholder("float32", shape) for shape in SHAPES)
    values = {maps: np.ones(maps.shape), kernel: np.ones(kernel.shape)}
    session.run(tf.nn.conv2d(maps, kernel, 1, "SAME"), values, options, metadata)
nodes = [node for graph in metadata.partition_graphs for node in graph.node]
print(*{node.op for node in nodes if "Conv2D" in node.op}, os.environ.get("TF_ENABLE_ONEDNN_OPTS"))
"""


def started(code: str = START, **environment: str) -> subprocess.CompletedProcess[str]:
    chosen = {"TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"}
    clean = {key: value for key, value in os.environ.items() if key not in chosen}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def looked_into() -> subprocess.CompletedProcess[str]:
    """Return what a process said that started, and was asked about itself."""
    return started(START + LEFT)


def test_start_up_is_quiet() -> None:
    done = looked_into()
    assert (done.returncode, done.stderr) == (0, "started\n")


@pytest.mark.parametrize("module", NOT_NEEDED)
def test_what_is_not_needed_is_not_imported(module: str) -> None:
    """And can be imported later."""
    done = looked_into()
    assert done.returncode == 0
    assert done.stdout.splitlines()[1 + NOT_NEEDED.index(module)] == "False"


def test_garbage_is_collected_again_after_the_start() -> None:
    assert looked_into().stdout.splitlines()[0] == "True True"


def test_a_failing_start_is_not() -> None:
    done = started(KERAS_BACKEND="nonsense")
    assert done.returncode == 1
    assert "nonsense" in done.stderr


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN on x86 alone")
def test_convolutions_are_onednns_whatever_the_processor() -> None:
    # On processors with AVX512-VNNI that is TensorFlow's own choice too.
    operation, left_behind = started(START + OPERATIONS).stdout.split()
    assert "Mkl" in operation
    assert left_behind == "None"  # for processes that it starts


def test_a_user_may_switch_onednn_off() -> None:
    operation, kept = started(START + OPERATIONS, TF_ENABLE_ONEDNN_OPTS="0").stdout.split()
    assert (operation, kept) == ("Conv2D", "0")
