"""models/model.keras in other versions of Keras, without this project."""

import os
from pathlib import Path
from typing import get_args

import pytest

from cifar_pipeline.params.network import Activation
from every_layer import save_all
from older_keras import LOCKED, ask

# The workflow keras-versions.yml names more of them, "newest" among them.
VERSIONS = os.environ.get("KERAS_VERSIONS", LOCKED).split()
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return save_all(tmp_path_factory.mktemp("models"))


@pytest.mark.slow
@pytest.mark.fault(
    "another Keras 3 loads the model", "from 3.6 on it does, and answers within 1e-5"
)
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
@pytest.mark.parametrize("version", VERSIONS)
def test_another_keras_answers_the_same(version: str, backend: str, models: list[Path]) -> None:
    asked = ask(version, backend, models)
    print(asked)
    assert asked["versions"]["keras"] == version or version == "newest"
    assert len(asked["differences"]) == len(get_args(Activation))
    assert max(asked["differences"].values()) <= TOLERANCE
