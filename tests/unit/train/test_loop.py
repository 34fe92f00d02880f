"""The network, what feeds it, and when training stops."""

from pathlib import Path

import keras
import numpy as np
import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.network.build import build_saved_network
from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.params.optimizers import Adam, Sgd
from cifar_pipeline.params.presets import EarlyStopping
from cifar_pipeline.train.loop import Split, fit
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from networks import narrow_fast, shipped, small, with_blocks
from synthetic import synthetic_split

pytestmark = pytest.mark.trains


@pytest.mark.parametrize("name", ["baseline", "fast"])  # `quick` has one epoch
def test_each_preset_stops_on_a_plateau(name: str) -> None:
    """With its own early stopping, on a validation loss that no longer falls."""
    params = with_blocks(shipped(name), 1)
    images, labels = synthetic_split(20, 0)
    # A vanishing learning rate: the plateau is there from the first epoch.
    still = Adam(name="adam", learning_rate=1e-30, weight_decay=0.0)
    # Moving averages of the batches would go on changing the validation loss.
    frozen = {
        key: block.model_copy(update={"batch_normalization": False})
        for key, block in small(params).blocks.items()
    }
    split = Split(images, labels)
    run = fit(
        small(params, optimizer=still).model_copy(update={"blocks": frozen}),
        1,
        "float32",
        split,
        split,
        channel_statistics(images),
    )
    stopping = params.early_stopping
    assert run.stopped_early
    assert len(run.history) < params.epochs
    looked_at = [e for e in params.validated_epochs if e > stopping.start_from_epoch]
    assert len(run.history) == looked_at[stopping.patience]
    assert run.best_epoch == looked_at[0]


def test_how_often_validation_comes_changes_no_weight() -> None:
    """Nor which images an epoch shows, and which way round."""
    data = Split(*synthetic_split(60, 0))
    stopping = shipped("fast").early_stopping.model_copy(update={"start_from_epoch": 4})
    runs = []
    for freq in (1, 2):
        params = small(
            with_blocks(shipped("fast"), 1),
            epochs=5,
            batch_size=10,
            early_stopping=stopping,
            validation_freq=freq,
        )
        runs.append(fit(params, 1, "float32", data, data, channel_statistics(data.images)))
    each, seldom = (run.history for run in runs)
    assert each.notna().all(axis=None)
    unvalidated = seldom["epoch"].isin([2, 4])
    measures = ["val_loss", "val_accuracy"]
    assert seldom.isna().equals(each.isin([]).assign(**dict.fromkeys(measures, unvalidated)))
    assert seldom[~unvalidated].equals(each[~unvalidated])
    assert seldom.drop(columns=measures).equals(each.drop(columns=measures))
    for value, other in zip(*(run.network.get_weights() for run in runs), strict=True):
        assert np.array_equal(value, other)


@pytest.mark.parametrize(
    ("name", "weight"),
    [("baseline", "none"), ("fast", "none"), ("best", "balanced")],  # Adam, Muon, SGD
)
def test_a_step_is_traced_once(name: str, weight: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow traces it again if it creates variables, which takes seconds."""
    data = Split(*synthetic_split(60, 0))
    traced: list[tuple[object, ...]] = []
    step = keras.Model.train_step

    def counted(self: keras.Model, batch: tuple[object, ...]) -> object:
        traced.append(batch)
        return step(self, batch)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    few = {"epochs": 2, "batch_size": 20, "hardest_share": 1.0, "class_weight": weight}
    params = small(with_blocks(shipped(name), 1), **few)
    run = fit(params, 1, "float32", data, data, channel_statistics(data.images))
    assert run.network.optimizer.iterations == 6
    assert len(traced) == 1
    assert len(traced[0]) == (3 if weight == "balanced" else 2)


def test_class_weights_are_in_the_training_loss_alone() -> None:
    """Its mean is over images that weigh N / (K n); validation loss and accuracies are plain."""
    images, _ = synthetic_split(40, 0)
    labels = np.repeat(np.array([0, 1, 2], np.uint8), [28, 10, 2])
    data = Split(images, labels, 3)
    blocks = {
        "block1": shipped("fast")
        .blocks["block1"]
        .model_copy(update={"filters": 4, "convolutions": 1, "batch_normalization": False})
    }
    still = Adam(name="adam", learning_rate=1e-30, weight_decay=0.0)
    params = shipped("fast").model_copy(
        update={
            **{"blocks": blocks, "optimizer": still, "class_weight": "balanced", "epochs": 1},
            **{"batch_size": 40, "hardest_share": 1.0, "label_smoothing": 0.0},
            "augmentation": Augmentation(flip="none", translate=0, cutout=0),
            "early_stopping": EarlyStopping(patience=0, min_delta=0.0, start_from_epoch=0),
        }
    )
    run = fit(params, 1, "float32", data, data, channel_statistics(images))
    logits = keras.ops.convert_to_tensor(run.network.predict(images, verbose=0))
    losses = np.array(keras.losses.sparse_categorical_crossentropy(labels, logits, True))
    weights = np.array([40 / (3 * 28), 40 / (3 * 10), 40 / (3 * 2)])[labels]
    (row,) = run.history.to_dict("records")
    assert row["loss"] == pytest.approx((weights * losses).mean(), rel=1e-4)
    assert row["val_loss"] == pytest.approx(losses.mean(), rel=1e-4)
    assert row["loss"] != pytest.approx(row["val_loss"], rel=1e-2)
    assert row["accuracy"] == row["val_accuracy"]


def test_the_best_weights_are_kept_when_epochs_run_out() -> None:
    images, labels = synthetic_split(60, 0)
    params = small(
        shipped("baseline"),
        epochs=4,
        # Far too fast: the loss goes up again after its best epoch.
        optimizer=shipped("baseline").optimizer.model_copy(update={"learning_rate": 0.05}),
        early_stopping=shipped("baseline").early_stopping.model_copy(
            update={"patience": 10, "min_delta": 10.0}
        ),
    )
    split = Split(images, labels)
    statistics = channel_statistics(images)
    run = fit(params, 1, "float32", split, split, statistics)
    best = run.history["val_loss"].min()
    assert run.best_epoch == run.history["val_loss"].idxmin() + 1
    saved = build_saved_network(params, statistics, run.network)
    probabilities = keras.ops.convert_to_numpy(saved(images))
    loss = -np.log(np.take_along_axis(probabilities, labels[:, None].astype(int), 1)).mean()
    assert loss == pytest.approx(best, rel=1e-4)


def test_a_diverging_run_ends_with_what_to_do() -> None:
    images, labels = synthetic_split(40, 0)
    wild = Sgd(
        name="sgd",
        learning_rate=1e30,
        momentum=0.9,
        weight_decay=0.0,
        bias_learning_rate=1e30,
        lookahead=0,
    )
    split = Split(images, labels)
    with pytest.raises(PipelineError, match="lower optimizer"):
        fit(
            small(with_blocks(shipped("baseline"), 1), optimizer=wild),
            1,
            "float32",
            split,
            split,
            channel_statistics(images),
        )


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    images, labels = synthetic_split(60, 0)
    split, statistics = Split(images, labels), channel_statistics(images)
    contents = []
    for number, seed in enumerate([5, 5, 6]):
        params = small(with_blocks(shipped("fast"), 1), epochs=2, batch_size=16)
        run = fit(params, seed, "float32", split, split, statistics)
        path = tmp_path / f"{number}.keras"
        save_canonical(build_saved_network(params, statistics, run.network), path, {})
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_two_trainings_end_in_the_same_bits(precision: str) -> None:
    images, labels = synthetic_split(60, 1)
    split = Split(images, labels)
    params = with_blocks(narrow_fast(convolution="fourier", epochs=3, batch_size=25), 2)
    one, other = (
        fit(params, 1, precision, split, split, channel_statistics(images)) for _ in range(2)
    )
    assert one.history.equals(other.history)
    for value, again in zip(one.network.get_weights(), other.network.get_weights(), strict=True):
        assert value.tobytes() == again.tobytes()
