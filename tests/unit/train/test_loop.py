"""The network, what feeds it, and when training stops."""

import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace

import keras
import numpy as np
import pytest

from cifar_pipeline.backend.device import (
    gpu_details,
    processor_computes_in_bfloat16,
    resolve_convolution,
    resolve_precision,
)
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.fourier.layout import as_spatial_first
from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.optim.muon import orthogonalized
from cifar_pipeline.optim.schedules import OneCycle
from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.params.optimizers import Adam, Sgd
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.train.batches import TrainingBatches, smoothed_targets
from cifar_pipeline.train.hard_examples import ImageLosses, ReportLosses
from cifar_pipeline.train.loop import Run, Split, build_early_stopping, fit
from cifar_pipeline.trained_model.canonical_archive import save_canonical
from networks import shipped, small
from synthetic import synthetic_split

PRESETS = ["baseline", "fast", "best", "quick", "gpu94", "gpu96"]


def test_baseline_is_the_network_of_2017() -> None:
    images, _ = synthetic_split(10, 0)
    network = build_training_network(
        shipped("baseline"), channel_statistics(images), 10, "float32", None
    )
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == [
        *("InputLayer", "Rescaling"),
        *("Conv2D", "Activation"),
        *("Conv2D", "Activation", "MaxPooling2D", "Dropout"),
        *("Conv2D", "Activation", "MaxPooling2D"),
        *("Conv2D", "Activation", "MaxPooling2D", "Dropout"),
        *("Flatten", "Dense", "Dropout", "Dense", "Rescaling"),
    ]
    # 3x3 convolutions 32, 64, 128, 128 with biases, 2 x 2 x 128 maps, dense 1024 and 10.
    convolutions = 896 + 18_496 + 73_856 + 147_584
    assert network.count_params() == convolutions + (512 + 1) * 1024 + (1024 + 1) * 10


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_saved_network_computes_what_the_trained_one_does(name: str, precision: str) -> None:
    images, _ = synthetic_split(40, 1)
    statistics = channel_statistics(images)
    params = small(shipped(name))
    filters = None
    if params.whitening_filters:
        filters = whitening_filters(images, statistics, params.whitening_filters)
    trained = build_training_network(params, statistics, 10, precision, filters)
    logits = keras.ops.convert_to_numpy(trained(images, training=False))
    saved = build_saved_network(params, statistics, trained)
    probabilities = keras.ops.convert_to_numpy(saved(images))
    assert probabilities.dtype == np.float32
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    tolerance = 1e-5 if precision == "float32" else 0.05
    assert np.abs(probabilities - expected).max() < tolerance


@pytest.mark.parametrize("convolution", ["direct", "fourier"])
def test_a_saved_network_has_the_shortcuts_of_the_trained_one(convolution: str) -> None:
    images, _ = synthetic_split(40, 1)
    statistics = channel_statistics(images)
    blocks = {
        name: block.model_copy(update={"filters": 32, "convolutions": 3, "shortcut": True})
        for name, block in shipped("fast").blocks.items()
    }
    params = shipped("fast").model_copy(update={"convolution": convolution, "blocks": blocks})
    filters = whitening_filters(images, statistics, params.whitening_filters)
    trained = build_training_network(params, statistics, 10, "float32", filters)
    expected = keras.ops.softmax(trained(images, training=False))
    saved = build_saved_network(params, statistics, trained)
    assert np.allclose(saved(images), expected, atol=1e-5)
    assert [layer.name for layer in saved.layers if isinstance(layer, keras.layers.Add)] == [
        f"block{number}_shortcut" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("convolution", ["direct", "fourier"])
def test_a_shortcut_passes_the_other_convolutions_over(convolution: str) -> None:
    """Where batch normalisation takes all that they add away, the first one's maps are left."""
    images, _ = synthetic_split(6, 1)
    statistics = channel_statistics(images)
    shapes = {"filters": 64, "convolutions": 3}
    first = shipped("fast").blocks["block2"].model_copy(update=shapes)
    for shortcut in (True, False):
        params = shipped("fast").model_copy(
            update={
                "convolution": convolution,
                "whitening": False,
                "blocks": {"block1": first.model_copy(update={"shortcut": shortcut})},
            }
        )
        network = build_training_network(params, statistics, 10, "float32", None)
        *_, variance = network.get_layer("block1_conv3_norm").variables
        variance.assign(np.full(variance.shape, 1e30, np.float32))
        parts = [network.get_layer(f"block1_conv{number}_act").output for number in (1, 3)]
        maps, last = keras.Model(network.inputs[0], parts)(images, training=False)
        if maps.shape != last.shape:  # the first is a direct convolution
            maps = as_spatial_first(maps)
        kept = keras.ops.silu(maps) if shortcut else keras.ops.zeros_like(maps)
        assert np.allclose(last, kept, atol=1e-5)
        assert (np.std(last) > 0.1) == shortcut


@pytest.mark.parametrize("name", ["baseline", "fast"])  # `quick` has one epoch
def test_each_preset_stops_on_a_plateau(name: str) -> None:
    """With its own early stopping, on a validation loss that no longer falls."""
    params = shipped(name)
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


@pytest.mark.parametrize(
    ("epochs", "freq", "validated"),
    [
        (5, 1, [1, 2, 3, 4, 5]),
        (5, 2, [1, 3, 5]),
        (6, 2, [2, 4, 6]),
        (5, 5, [5]),
        (3, 9, [3]),
        (1, 2, [1]),
    ],
)
def test_the_last_epoch_is_always_validated(epochs: int, freq: int, validated: list[int]) -> None:
    params = shipped("fast").model_copy(update={"epochs": epochs, "validation_freq": freq})
    assert params.validated_epochs == validated


def test_how_often_validation_comes_changes_no_weight() -> None:
    """Nor which images an epoch shows, and which way round."""
    data = Split(*synthetic_split(60, 0))
    stopping = shipped("fast").early_stopping.model_copy(update={"start_from_epoch": 4})
    runs = []
    for freq in (1, 2):
        params = small(
            shipped("fast"),
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


@pytest.mark.parametrize("name", ["baseline", "fast", "best"])  # Adam, Muon, SGD
def test_a_step_is_traced_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow traces it again if it creates variables, which takes seconds."""
    data = Split(*synthetic_split(60, 0))
    traced = []
    step = keras.Model.train_step

    def counted(self: keras.Model, batch: object) -> object:
        traced.append(batch)
        return step(self, batch)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    params = small(shipped(name), epochs=2, batch_size=20, hardest_share=1.0)
    run = fit(params, 1, "float32", data, data, channel_statistics(data.images))
    assert run.network.optimizer.iterations == 6
    assert len(traced) == 1


def test_the_best_weights_are_kept_when_epochs_run_out() -> None:
    stopping = build_early_stopping(shipped("fast").early_stopping)
    assert stopping.restore_best_weights
    images, labels = synthetic_split(60, 0)
    params = small(
        shipped("baseline"),
        epochs=4,
        # Far too fast: the loss goes up again after its best epoch.
        optimizer=shipped("baseline").optimizer.model_copy(update={"learning_rate": 0.05}),
        early_stopping=shipped("baseline").early_stopping.model_copy(
            update={"patience": 10, "min_delta": 0.0}
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
            small(shipped("baseline"), optimizer=wild),
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
        params = small(shipped("fast"), epochs=2, batch_size=16)
        run = fit(params, seed, "float32", split, split, statistics)
        path = tmp_path / f"{number}.keras"
        save_canonical(build_saved_network(params, statistics, run.network), path, {})
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_targets_are_smoothed_as_szegedy_did() -> None:
    targets = smoothed_targets(np.array([1], np.uint8), 4, 0.2)
    assert targets.tolist() == [pytest.approx([0.05, 0.85, 0.05, 0.05])]
    assert targets.dtype == np.float32


def test_every_image_comes_once_an_epoch_in_a_new_order() -> None:
    images, labels = synthetic_split(50, 0)
    none = Augmentation(flip="none", translate=0, cutout=0)
    batches = TrainingBatches(images, smoothed_targets(labels, 10, 0.0), 16, none, seed=1)
    orders = []
    for _ in range(2):
        seen = [batches[step] for step in range(len(batches))]
        assert [len(targets) for _, targets in seen] == [16, 16, 16, 2]
        content = np.concatenate([pixels for pixels, _ in seen])
        assert content.dtype == np.uint8
        orders.append(content)
        rows = {image.tobytes() for image in content}
        assert rows == {image.tobytes() for image in images}
        batches.on_epoch_end()
    assert not np.array_equal(orders[0], orders[1])


def test_a_share_of_the_images_are_new_ones_first_and_then_the_hardest() -> None:
    images, labels = synthetic_split(50, 0)
    none = Augmentation(flip="none", translate=0, cutout=0)
    targets = smoothed_targets(labels, 10, 0.0)
    batches = TrainingBatches(images, targets, 5, none, seed=1, share=0.5)
    assert len(batches) == 5  # 25 images
    order = TrainingBatches(images, targets, 5, none, seed=1).shown
    assert np.array_equal(batches.shown, order[:25])
    losses = np.random.default_rng(0).random(50).astype(np.float32)
    batches.record_losses(batches.shown, losses[batches.shown])
    assert set(batches.shown) == set(order[25:])
    batches.record_losses(batches.shown, losses[batches.shown])
    assert set(batches.shown) == set(np.argsort(losses)[25:])
    assert batches.shown.tolist() == [index for index in order if index in set(batches.shown)]
    pixels, kept = zip(*(batches[step] for step in range(len(batches))), strict=True)
    assert np.array_equal(np.concatenate(pixels), images[batches.shown])
    assert np.array_equal(np.concatenate(kept), targets[batches.shown])
    before = batches.shown
    batches.on_epoch_end()
    assert set(batches.shown) == set(before)
    assert not np.array_equal(batches.shown, before)


@pytest.mark.parametrize(("share", "images"), [(1.0, 50), (0.99, 48), (0.01, 16), (0.6, 32)])
def test_a_share_is_whole_batches(share: float, images: int) -> None:
    pixels, labels = synthetic_split(50, 0)
    none = Augmentation(flip="none", translate=0, cutout=0)
    batches = TrainingBatches(pixels, smoothed_targets(labels, 10, 0.0), 16, none, 1, share)
    assert len(batches.shown) == images
    assert sum(len(batches[step][1]) for step in range(len(batches))) == images


def test_losses_of_images_are_those_of_their_labels_without_smoothing() -> None:
    labels = np.array([3, 1, 0, 2, 2], np.uint8)
    logits = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    metric = ImageLosses(7)
    for part in (slice(0, 3), slice(3, 5)):
        metric.update_state(smoothed_targets(labels[part], 4, 0.2), logits[part])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(5), labels])
    assert np.allclose(metric.losses(), expected, rtol=1e-5)
    assert float(metric.result()) == pytest.approx(expected.mean(), rel=1e-5)
    metric.reset_state()
    assert metric.losses().size == 0


def watched_epochs(
    monkeypatch: pytest.MonkeyPatch, params: ModelParams, data: Split
) -> tuple[Run, list[tuple[np.ndarray, np.ndarray]]]:
    """Return a run, and what losses were known and which images shown in each epoch and after."""
    epochs: list[tuple[np.ndarray, np.ndarray]] = []

    class Watched(ReportLosses):
        def watch(self) -> None:
            epochs.append((self._batches.losses.copy(), self._batches.shown))

        def on_epoch_begin(self, epoch: int, logs: dict[str, object] | None = None) -> None:
            super().on_epoch_begin(epoch, logs)
            self.watch()

        def on_train_end(self, logs: dict[str, object] | None = None) -> None:
            self.watch()

    monkeypatch.setattr("cifar_pipeline.train.loop.ReportLosses", Watched)
    run = fit(params, 1, "float32", data, data, channel_statistics(data.images))
    return run, epochs


def test_each_epoch_of_a_fit_shows_the_hardest_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Keras' own order of callbacks, metrics and validation."""
    params = small(shipped("fast"), epochs=4, batch_size=10, hardest_share=0.5)
    _, epochs = watched_epochs(monkeypatch, params, Split(*synthetic_split(60, 0)))
    for (before, shown), (after, _) in pairwise(epochs):
        assert set(np.flatnonzero(before != after)) == set(shown)
        assert np.array_equal(np.sort(before[shown]), np.sort(before)[30:])
    assert [int(np.isinf(losses).sum()) for losses, _ in epochs] == [60, 30, 0, 0, 0]


def test_a_loss_is_that_of_its_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a network that does not change, for which the epoch's end is as good as any moment."""
    data = Split(*synthetic_split(60, 0))
    blocks = {
        name: block.model_copy(update={"dropout": 0.0})
        for name, block in small(shipped("baseline")).blocks.items()
    }
    head = shipped("baseline").head.model_copy(update={"dropout": 0.0, "logit_scale": 30.0})
    still = Adam(name="adam", learning_rate=1e-30, weight_decay=0.0)
    params = small(shipped("baseline"), epochs=2, batch_size=7, optimizer=still).model_copy(
        update={"blocks": blocks, "head": head, "hardest_share": 0.5, "label_smoothing": 0.2}
    )
    run, epochs = watched_epochs(monkeypatch, params, data)
    logits = keras.ops.convert_to_numpy(run.network(data.images))
    expected = keras.ops.convert_to_numpy(
        keras.losses.sparse_categorical_crossentropy(data.labels, logits, from_logits=True)
    )
    learnt, _ = epochs[-1]
    assert np.isfinite(learnt).sum() == 56  # two epochs of four batches of seven
    assert expected.std() > 0.1
    assert np.allclose(learnt[np.isfinite(learnt)], expected[np.isfinite(learnt)], atol=1e-3)


def test_images_that_an_epoch_leaves_out_keep_their_way_round() -> None:
    images, labels = synthetic_split(50, 0)
    targets = smoothed_targets(labels, 10, 0.0)
    alternating = Augmentation(flip="alternating", translate=0, cutout=0)
    batches = TrainingBatches(images, targets, 5, alternating, seed=1, share=0.5)
    last: dict[int, bytes] = {}
    for epoch in range(6):
        contents = np.concatenate([batches[step][0] for step in range(len(batches))])
        for index, content in zip(batches.shown, contents, strict=True):
            other_way = content[:, ::-1].tobytes()
            assert last.setdefault(index, other_way) == other_way
            last[index] = content.tobytes()
        losses = np.random.default_rng(epoch).random(25).astype(np.float32)
        shown = batches.shown
        batches.on_epoch_end()
        batches.record_losses(shown, losses)
    assert batches.times_shown.sum() == 6 * 25
    assert len(set(batches.times_shown.tolist())) > 1
    assert len(last) == 50


def test_one_cycle_rises_to_its_peak_and_falls() -> None:
    schedule = OneCycle(2.0, steps=100, warmup=0.25, start=0.2, end=0.1)
    rates = [float(schedule(step)) for step in (0, 25, 100, 200)]
    assert rates == pytest.approx([0.4, 2.0, 0.2, 0.2])


@pytest.mark.parametrize("number", [16, 24])
def test_whitening_decorrelates_patches(number: int) -> None:
    images, _ = synthetic_split(200, 0)
    statistics = channel_statistics(images)
    filters = whitening_filters(images, statistics, number)
    assert filters.shape == (2, 2, 3, number)
    directions = filters[..., : number // 2]
    assert np.array_equal(directions, -filters[..., number // 2 :])
    scaled = (images - np.array(statistics.mean)) / np.array(statistics.standard_deviation)
    maps = keras.ops.convert_to_numpy(keras.ops.conv(scaled.astype("float32"), directions))
    flat = maps.reshape(-1, number // 2)
    covariance = flat.T @ flat / len(flat)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.01


@pytest.mark.parametrize(("flags", "answer"), [("fpu avx512_bf16", True), ("fpu avx512f", False)])
def test_bfloat16_only_where_the_processor_computes_in_it(
    tmp_path: Path, flags: str, answer: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert processor_computes_in_bfloat16(tmp_path / "cpuinfo") is answer
    assert processor_computes_in_bfloat16(tmp_path / "missing") is False


def test_a_precision_that_is_asked_for_is_used() -> None:
    assert resolve_precision("float32") == "float32"
    assert resolve_precision("bfloat16") == "bfloat16"


@pytest.mark.parametrize(
    ("capability", "details", "precision"),
    [
        ("9.0", {"compute_capability": (9, 0)}, "bfloat16"),
        ("7.5", {"compute_capability": (7, 5)}, "float32"),
        ("gfx90a", {}, "float32"),
    ],
)
def test_a_gpu_of_jax_is_known_by_its_capability(
    monkeypatch: pytest.MonkeyPatch, capability: str, details: dict[str, object], precision: str
) -> None:
    gpu = SimpleNamespace(device_kind="NVIDIA H100 80GB HBM3", compute_capability=capability)
    jax = ModuleType("jax")
    monkeypatch.setattr(jax, "devices", lambda kind: [gpu], raising=False)
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert gpu_details() == {"device_name": gpu.device_kind, **details}
    assert resolve_precision("auto") == precision


def test_a_cpu_convolves_by_fourier_transforms_unless_told_otherwise() -> None:
    on_cpu = not any("gpu" in name for name in keras.distribution.list_devices())
    assert resolve_convolution("auto") == ("fourier" if on_cpu else "direct")
    assert resolve_convolution("direct") == "direct"
    assert resolve_convolution("fourier") == "fourier"


@pytest.mark.parametrize(("precision", "error"), [("float32", 1e-3), ("bfloat16", 5e-2)])
@pytest.mark.parametrize("shape", [(72, 8), (8, 72), (16, 16)])
def test_muon_s_steps_are_nearly_orthogonal(
    shape: tuple[int, int], precision: str, error: float
) -> None:
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    result = np.array(orthogonalized(keras.ops.convert_to_tensor(matrix), precision))
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    rotated = left.T @ result @ right.T
    # The same singular vectors; values from far apart to around 1, small ones not yet there.
    assert np.abs(rotated - np.diag(np.diag(rotated))).max() < error
    assert np.diag(rotated).max() < 1.5
    assert np.diag(rotated)[singular > singular.max() / 5].min() > 0.4
