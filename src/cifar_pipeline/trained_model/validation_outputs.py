"""Outputs of the saved model for the validation images: train writes them, evaluate reads them.

A temperature or a threshold is chosen on these: evaluate reads no images but the test set's.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.checksums import reading, sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.outputs import Outputs

FILE = "validation_outputs.npz"
_FORMER_SCORES = "familiarity"  # what files of versions before 0.2 call them


@dataclass(frozen=True)
class ValidationOutputs:
    """Logits, float32 (N, classes), and OOD scores, float32 (N,); see `Outputs`."""

    logits: np.ndarray
    ood_scores: np.ndarray


def write_validation_outputs(model: Path, outputs: Outputs) -> None:
    """Write the file beside the archive `model`, whose bytes it is tied to.

    Args:
        model: a .keras archive.
        outputs: of the validation split, in its order.
    """
    with replacing(model.with_name(FILE)) as temporary:
        np.savez(
            temporary,
            logits=outputs.logits,
            ood_scores=outputs.ood_scores,
            model=np.array(sha256_of(model)),
        )


def load_validation_outputs(model: Path) -> ValidationOutputs:
    """Return what the file beside the archive `model` holds.

    Raises:
        PipelineError: the file is missing, damaged or another model's.
    """
    path = model.with_name(FILE)
    if not path.is_file():
        raise PipelineError(f"{path} is missing; run `dvc repro train`")
    # Reading compares the archive's checksums.
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        scores = "ood_scores" if "ood_scores" in arrays else _FORMER_SCORES
        outputs = ValidationOutputs(arrays["logits"], arrays[scores])
        digest = str(arrays["model"])
        if outputs.logits.ndim != 2 or outputs.ood_scores.shape != outputs.logits.shape[:1]:
            raise ValueError(f"arrays of shape {outputs.logits.shape}, {outputs.ood_scores.shape}")
    if digest != sha256_of(model):
        raise PipelineError(
            f"{path} belongs to another model than {model}; `dvc checkout` brings both back, "
            "`dvc repro --force train` makes both"
        )
    return outputs
