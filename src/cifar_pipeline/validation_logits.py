"""What the saved model says of the validation images: train leaves it, evaluate chooses by it.

A temperature or a threshold is chosen on these: evaluate reads no images but the test set's.
"""

from pathlib import Path

import numpy as np

from cifar_pipeline.atomic import replacing
from cifar_pipeline.checksums import HEAL, sha256_of
from cifar_pipeline.errors import PipelineError

FILE = "validation_logits.npz"


def write_validation_logits(model: Path, logits: np.ndarray) -> None:
    """Write the file beside the archive `model`, whose bytes it is tied to.

    Args:
        model: a .keras archive.
        logits: what it answers, float32 (N, classes), in the order of the validation split.
    """
    with replacing(model.with_name(FILE)) as temporary:
        np.savez(temporary, logits=logits, model=np.array(sha256_of(model)))


def load_validation_logits(model: Path) -> np.ndarray:
    """Return the logits, float32 (N, classes), from the file beside the archive `model`.

    Raises:
        PipelineError: the file is missing, damaged or another model's.
    """
    path = model.with_name(FILE)
    if not path.is_file():
        raise PipelineError(f"{path} is missing; run `dvc repro train`")
    try:
        # Reading compares the archive's checksums.
        with path.open("rb") as file, np.load(file) as arrays:
            logits, digest = arrays["logits"], str(arrays["model"])
    except Exception:  # which one depends on the archive's first damaged part
        raise PipelineError(f"{path} cannot be read; {HEAL}") from None
    if digest != sha256_of(model):
        raise PipelineError(
            f"{path} belongs to another model than {model}; `dvc checkout` brings both back, "
            "`dvc repro --force train` makes both"
        )
    return logits
