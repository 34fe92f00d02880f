"""A folder with a small model and pictures, and what the command predict says of them."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner, Result

from cifar_pipeline.cli import app
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.evaluate.thresholds import (
    OperatingPoint,
    write_operating_point,
)
from cifar_pipeline.trained_model.keras_file import load_saved_model
from pictures import encoded
from small_models import save_model

DARK = np.full((32, 32, 3), 20, np.uint8)  # unlike the noise that these models know


def lay_out_model(folder: Path) -> Path:
    """Put a small model and its operating point where `predict` looks for them in `folder`."""
    path = folder / "models/model.keras"
    path.parent.mkdir()
    save_model(path)
    point = OperatingPoint(
        temperature=1.0,
        score="norm_and_distance",
        threshold=-9.0,
        target_false_alarm_rate=0.01,
        validation_images=5000,
        false_alarm_rate=0.0123,
        test_images=10_000,
        model_sha256=sha256_of(path),
    )
    write_operating_point(folder / "reports/chosen.json", point)
    return path


def save(name: str, picture: np.ndarray | Image.Image | bytes, kind: str = "PNG") -> str:
    """Write a picture, its pixels or its bytes to a file; return its name."""
    content = picture if isinstance(picture, bytes) else encoded(picture, kind)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content)
    return name


def predict(*arguments: str) -> Result:
    """Run the command in this process."""
    result = CliRunner().invoke(app, ["predict", *arguments])
    assert "Traceback" not in result.output
    return result


def as_json(*arguments: str) -> list[dict]:
    """Return the objects that `predict --json` prints."""
    return json.loads(predict("--json", *arguments).stdout)


def own_probabilities(model_path: Path, *images: np.ndarray) -> np.ndarray:
    """Return the probabilities of Keras itself, (N, 10)."""
    return np.asarray(load_saved_model(model_path).predict_on_batch(np.stack(images)))
