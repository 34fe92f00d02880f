"""What evaluate prints about errors."""

from dataclasses import replace

import numpy as np

from cifar_pipeline.evaluate.terminal import print_results
from evaluation_results import sure_predictions

# Of 4 airplanes 2 are taken for birds and 1 for an automobile; of 3 automobiles 1 for an airplane
# and 1 for a bird; both birds are right; 1 cat is taken for a bird. No other class occurs.
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3], np.uint8)


def test_printed_table_is_whole_in_a_log(capsys):
    # The widest that a row gets on the 10,000 test images.
    labels = np.zeros(1000, np.uint8)
    print_results(sure_predictions(np.ones(1000, np.int64), labels), 5)
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


def test_a_name_of_any_length_is_whole_in_a_log(capsys):
    name = "x" * 250
    predictions = sure_predictions(np.ones(4, np.int64), np.zeros(4, np.uint8))
    names = (name, *predictions.names[1:])
    print_results(replace(predictions, names=names), 5)
    printed = capsys.readouterr().out
    assert "\u2026" not in printed
    cells = [line.split("\u2502")[1].strip() for line in printed.splitlines() if "\u2502" in line]
    assert "".join(cell for cell in cells if set(cell) == {"x"}) == name
    assert f"\n  {name} <-> automobile: 4\n" in printed


def test_nothing_is_printed_about_pairs_when_all_is_right(capsys):
    print_results(sure_predictions(LABELS, LABELS), 5)
    assert "<->" not in capsys.readouterr().out


def test_unequal_classes_are_said_before_the_last_lines(capsys):
    print_results(sure_predictions(np.array([0, 1, 2, 2, 0, 1, 2, 2, 2, 2]), LABELS), 5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:-2] == [
        "balanced accuracy 0.3958, macro F1 0.3083 (the classes are unequal)",
        "always airplane, the largest class: accuracy 0.4000, balanced accuracy 0.2500",
    ]
    metrics = [line.split("\u2502")[1].strip() for line in lines if line.startswith("\u2502")]
    assert metrics[-8:-4] == ["balanced accuracy", "macro F1", "accuracy", "error"]


def test_nothing_is_said_of_equal_classes(capsys):
    labels = np.arange(10, dtype=np.uint8)
    print_results(sure_predictions(labels, labels), 5)
    printed = capsys.readouterr().out
    assert "largest class" not in printed
    assert "unequal" not in printed
    assert printed.count("balanced accuracy") == 1  # in the table
