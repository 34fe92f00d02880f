"""What evaluate prints about errors."""

import numpy as np

from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.evaluate.predictions import Predictions
from cifar_pipeline.evaluate.terminal import print_results
from cifar_pipeline.metrics.calibration import at_temperature

# Of 4 airplanes 2 are taken for birds and 1 for an automobile; of 3 automobiles 1 for an airplane
# and 1 for a bird; both birds are right; 1 cat is taken for a bird. No other class occurs.
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3], np.uint8)


def sure_of(predicted):
    """Return probabilities (N, 10) of 0.55 for the predicted class and 0.05 for the others."""
    probabilities = np.full((len(predicted), 10), 0.05, np.float32)
    probabilities[np.arange(len(predicted)), predicted] = 0.55
    return probabilities


def predictions_of(predicted, labels):
    """Return what a model at temperature 0.5 says that is sure of `predicted`."""
    probabilities = sure_of(predicted)
    scaled = at_temperature(np.log(probabilities), 0.5)
    return Predictions(CLASS_NAMES, labels, probabilities, temperature=0.5, scaled=scaled)


def test_printed_table_is_whole_in_a_log(capsys):
    # The widest that a row gets on the 10,000 test images.
    labels = np.zeros(1000, np.uint8)
    print_results(predictions_of(np.ones(1000, np.int64), labels), 5)
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if "airplane" in line)
    for cell in ("1,000", "1.0000", "0.0000", "automobile (1,000)"):
        assert cell in row
    assert any("most confused with" in line and "error rate" in line for line in lines)
    assert "  airplane <-> automobile: 1,000" in lines
    # At half the temperature 0.55 and 0.05 become 0.9308 and 0.0077.
    assert lines[-2:] == [
        "test accuracy 0.0000, loss 2.9957 (1,000 images)",
        "at temperature 0.500: loss 4.8675, expected calibration error 0.9308 instead of 0.5500",
    ]


def test_nothing_is_printed_about_pairs_when_all_is_right(capsys):
    print_results(predictions_of(LABELS, LABELS), 5)
    assert "<->" not in capsys.readouterr().out
