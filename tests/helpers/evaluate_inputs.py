"""What the stage evaluate reads, small and made up."""

import json

import numpy as np

from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.dataset.arrays import CLASSES, SPLITS, array_names
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.trained_model.outputs import Outputs
from cifar_pipeline.trained_model.validation_outputs import write_validation_outputs
from closure import ROOT
from params_files import with_presets

STAGE = ROOT / "stages" / "evaluate.py"
REST = with_presets("fast").replace("\nevaluate:", "\n_:")
PARAMS = f"evaluate: {{batch_size: 16, confused_pairs: 3, test_time_augmentation: none}}\n{REST}"
IMAGES = 40
HISTORY = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n1,2,0.2,1.9,0.3,0.1\n"
TRAIN_METRICS = {
    "epochs": 1,
    "best_epoch": 1,
    "stopped_early": False,
    "precision": "float32",
    "train": {"loss": 2.0, "accuracy": 0.2},
    "validation": {"loss": 1.9, "accuracy": 0.3},
}


def save_tiny_model(path, units=10, activation="softmax"):
    start_backend()
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3), dtype="float32"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    model.save(path)
    return model


def write_outputs(folder, logits):
    norms = np.ones(len(logits), np.float32)
    write_validation_outputs(folder / "model.keras", Outputs(logits, logits, norms))


def lay_out_inputs(folder, model):
    """Lay out what evaluate reads, and nothing else; `model` is the path of a tiny one."""
    generator = np.random.default_rng(1)
    (folder / "processed").mkdir()
    for split in SPLITS:
        images, labels = (folder / "processed" / name for name in array_names(split))
        np.save(labels, np.arange(IMAGES, dtype=np.uint8) % 10)
        if split == "test":
            np.save(images, generator.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8))
    (folder / "processed" / CLASSES).write_text(json.dumps(CLASS_NAMES))
    write_manifest(folder / "processed")
    (folder / "model.keras").write_bytes(model.read_bytes())
    logits = generator.normal(size=(IMAGES, 10)).astype(np.float32)
    write_outputs(folder, logits)
    (folder / "reports").mkdir()
    (folder / "reports" / "history.csv").write_text(HISTORY)
    (folder / "reports" / "train_metrics.json").write_text(json.dumps(TRAIN_METRICS))
    (folder / "params.yaml").write_text(PARAMS)


def arguments(folder):
    return [
        *("--model", str(folder / "model.keras")),
        *("--processed", str(folder / "processed")),
        *("--reports", str(folder / "reports")),
        *("--params", str(folder / "params.yaml")),
    ]
