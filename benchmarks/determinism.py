"""What deterministic operations cost: `python benchmarks/determinism.py [PAIRS]`.

Trains `fast` on random pixels (speed does not depend on what they show) in processes of its own, in
turn with and without them, and prints the seconds of an epoch of 10,000 images.
"""

import json
import statistics
import subprocess
import sys

from common import ROOT, for_epochs

IMAGES = 10_000
EPOCHS = 4  # the first one traces the graph and is left out


def train_once(deterministic: bool) -> list[float]:
    """Return the seconds of each epoch but the first."""
    from cifar_pipeline.backend import tensorflow as tensorflow_backend
    from cifar_pipeline.backend.start import start_backend

    if not deterministic:
        tensorflow_backend.enable_determinism = lambda: None
    start_backend()
    import numpy as np

    from cifar_pipeline.backend.device import resolve_precision
    from cifar_pipeline.dataset.channel_statistics import channel_statistics
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.loop import Split, fit

    random = np.random.default_rng(0)
    images = random.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    train = Split(images, np.arange(IMAGES, dtype=np.uint8) % 10)
    validation = Split(images[:500], train.labels[:500])
    params = load_model(ROOT / "params.yaml", "fast")
    params = for_epochs(params, EPOCHS)
    precision = resolve_precision(params.precision)
    run = fit(params, 1, precision, train, validation, channel_statistics(images))
    return run.seconds[1:]


def main() -> None:
    """Run the pairs and print both medians and their ratio."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds: dict[str, list[float]] = {"deterministic": [], "free": []}
    for _ in range(pairs):
        for way in seconds:
            done = subprocess.run(
                [sys.executable, __file__, "--", way],
                capture_output=True,
                check=True,
                encoding="utf-8",
            )
            seconds[way] += json.loads(done.stdout.splitlines()[-1])
            print(way, seconds[way], flush=True)
    medians = {way: statistics.median(each) for way, each in seconds.items()}
    cost = medians["deterministic"] / medians["free"] - 1
    print(json.dumps({**medians, "cost_percent": round(100 * cost, 1)}))


if __name__ == "__main__":
    if "--" in sys.argv:
        print(json.dumps(train_once(sys.argv[-1] == "deterministic")))
    else:
        main()
