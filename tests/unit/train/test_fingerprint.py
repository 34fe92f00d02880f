"""The digest of a preset: a function of its values alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.common.checksums import write_manifest
from cifar_pipeline.dataset.arrays import CLASSES, load_split
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.params.loading import off
from cifar_pipeline.params.presets import ModelParams, load_model
from cifar_pipeline.train import fingerprint
from cifar_pipeline.train.fingerprint import fingerprint_of, params_digest
from closure import ROOT
from training_runs import (
    IMAGES,
    LABELS,
    recipe,
)

FAST = load_model(ROOT / "params.yaml", "fast")


class Later(ModelParams):
    """A preset with a feature that comes later."""

    mixup: float = off(0.0, ge=0)


def test_a_new_feature_that_is_off_changes_no_digest() -> None:
    later = Later(**FAST.model_dump())
    assert params_digest(later, 1, "float32") == params_digest(FAST, 1, "float32")
    on = later.model_copy(update={"mixup": 0.5})
    assert params_digest(on, 1, "float32") != params_digest(FAST, 1, "float32")


def test_the_digest_holds_seed_and_precision() -> None:
    digests = {params_digest(FAST, seed, name) for seed in (1, 2) for name in ("float32", "x")}
    assert len(digests) == 4


def test_a_digest_is_of_today_s_values() -> None:
    """Another digest of the same values would put results.json out of date: see its keys."""
    values = {
        "precision": "auto",
        "convolution": "auto",
        "normalization": "unit",
        "batch_norm_momentum": 0.5,
        "blocks": {
            "block1": {
                "convolutions": 1,
                "filters": 4,
                "kernel_size": 3,
                "padding": "same",
                "pooling_after": "last",
                "activation": "relu",
            }
        },
        "head": {"pooling": "max", "activation": "relu"},
        "augmentation": {"flip": "random"},
        "batch_size": 10,
        "epochs": 2,
        "optimizer": {"name": "adam", "learning_rate": 0.1},
        "schedule": {"name": "constant"},
        "early_stopping": {"patience": 1, "min_delta": 0.0, "start_from_epoch": 0},
    }
    digest = params_digest(ModelParams.model_validate(values), 1, "float32")
    assert digest == "28e6f228d8519be705f3e434cf02755508e69c98931883659344af271b051355"


def test_the_code_in_a_key_holds_what_writes_and_reads_a_checkpoint() -> None:
    """So a version with other fields in it never reads a checkpoint of this one."""
    modules = {f"cifar_pipeline.train.{name}" for name in ("callbacks", "checkpoint", "resume")}
    assert modules <= set(fingerprint._code())


@pytest.fixture
def processed(tmp_path: Path) -> Path:
    for split in ("train", "validation"):
        np.save(tmp_path / f"{split}_images.npy", IMAGES)
        np.save(tmp_path / f"{split}_labels.npy", LABELS)
    (tmp_path / CLASSES).write_text(json.dumps(CLASS_NAMES))
    write_manifest(tmp_path)
    load_split(tmp_path, "train")
    return tmp_path


def test_a_run_s_key_holds_everything_it_depends_on(
    processed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = recipe("fast")

    def changed(**other: object) -> list[str]:
        arguments: dict[str, object] = {"params": params, "seed": 1, "precision": "float32"}
        key = fingerprint_of(**{**arguments, **other}, processed=processed)  # type: ignore[arg-type]
        return [part for part in before if before[part] != key[part]]

    before = fingerprint_of(params, 1, "float32", processed)
    assert changed() == []
    assert changed(seed=2) == ["params"]
    assert changed(precision="bfloat16") == ["params"]
    assert changed(params=params.model_copy(update={"batch_size": 17})) == ["params"]
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    assert changed() == []
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    assert changed() == ["device"]
    monkeypatch.delenv("OMP_NUM_THREADS")
    np.save(processed / "train_labels.npy", LABELS[::-1])
    write_manifest(processed)
    assert changed() == ["data"]
    monkeypatch.setattr("cifar_pipeline.train.fingerprint.version", lambda _: "0.0")
    monkeypatch.setattr("cifar_pipeline.train.fingerprint._code", dict)
    assert changed() == ["data", "code", "versions"]
