"""What train keeps is read back, or refused in one line."""

import numpy as np
import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.trained_model.outputs import Outputs
from cifar_pipeline.trained_model.validation_outputs import (
    FILE,
    load_validation_outputs,
    write_validation_outputs,
)

RANDOM = np.random.default_rng(1)
LOGITS = RANDOM.normal(size=(50, 10)).astype(np.float32)
NORMS = RANDOM.random(50).astype(np.float32)
OUTPUTS = Outputs(np.zeros((50, 10), np.float32), LOGITS, NORMS)


def assert_what_was_written(model):
    found = load_validation_outputs(model)
    np.testing.assert_array_equal(found.logits, LOGITS)
    np.testing.assert_array_equal(found.ood_scores, NORMS)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"a model")
    write_validation_outputs(path, OUTPUTS)
    return path


def test_what_was_written_is_read(model):
    assert_what_was_written(model)


def test_the_same_outputs_are_the_same_bytes(model):
    before = model.with_name(FILE).read_bytes()
    model.with_name(FILE).unlink()
    write_validation_outputs(model, OUTPUTS)
    assert model.with_name(FILE).read_bytes() == before


def test_another_model_is_refused(model):
    model.write_bytes(b"another model")
    with pytest.raises(PipelineError, match="another model"):
        load_validation_outputs(model)


def test_a_missing_file_is_one_line(model):
    model.with_name(FILE).unlink()
    with pytest.raises(PipelineError, match="dvc repro train"):
        load_validation_outputs(model)


def test_a_flipped_bit_is_found_or_does_no_harm(model):
    path = model.with_name(FILE)
    whole = path.read_bytes()
    refused = 0
    for at in range(0, len(whole), 31):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            assert_what_was_written(model)
        except PipelineError:
            refused += 1
    assert refused > 0.9 * len(range(0, len(whole), 31))


@pytest.mark.parametrize("length", [0, 10, 1000])
def test_a_truncated_file_is_refused(model, length):
    path = model.with_name(FILE)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(PipelineError, match="make verify"):
        load_validation_outputs(model)
