"""Short trainings of the codec on synthetic images."""

from typing import Any

from cifar_pipeline.codec.params import BaselinePreset, CodecPreset, TransformNetwork

NETWORK = TransformNetwork(
    block_size=8,
    channels=192,
    filters=8,
    residual_blocks=1,
    knots=4,
    mixture=2,
    lambda_min=0.001,
    lambda_max=0.1,
)
_RECIPE = {
    "precision": "float32",
    "batch_size": 24,
    "epochs": 2,
    "early_stopping": {"patience": 3, "min_delta": 0.0, "start_from_epoch": 0},
}


def preset(**changes: Any) -> CodecPreset:
    """Return a preset of few filters and epochs, with `changes`."""
    values = {
        **_RECIPE,
        "network": NETWORK.model_dump(),
        "flip": "random",
        "gradient_norm": 1.0,
        "optimizer": {"name": "adam", "learning_rate": 0.003, "weight_decay": 0.0},
        "schedule": {"name": "one_cycle", "warmup": 0.1, "start": 0.1, "end": 0.0},
    }
    return CodecPreset.model_validate(values | changes)


def baseline() -> BaselinePreset:
    """Return a preset of the autoencoder of 2017 with few filters."""
    values = {
        **_RECIPE,
        "network": {"filters": 2, "code_length": 4},
        "optimizer": {"name": "rmsprop", "learning_rate": 0.001},
        "schedule": {"name": "staircase", "decay_rate": 0.5, "decay_steps": 3},
    }
    return BaselinePreset.model_validate(values)
