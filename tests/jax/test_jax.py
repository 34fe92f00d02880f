"""Training with Keras' JAX backend, which a process can only choose as it starts."""

import os
import subprocess
import sys
from pathlib import Path

from closure import ROOT


def test_jax_trains(tmp_path: Path) -> None:
    """Every test of on_jax.py passes in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    choices = {
        "JAX_PLATFORMS": "cpu",  # on_jax.py says itself when it trains as on a GPU
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiling is most of the time
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/jax/on_jax.py"],
        cwd=ROOT,
        env={**clean, **choices, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
