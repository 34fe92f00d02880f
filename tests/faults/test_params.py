"""Any params.yaml is refused in one line that names a key, or its pipeline runs."""

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cifar_pipeline.backend.device import resolve_precision
from cifar_pipeline.check_params import check_content, check_params
from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.common.memory import Memory
from cifar_pipeline.dataset.channel_statistics import channel_statistics
from cifar_pipeline.evaluate.test_time_augmentation import predict_with_augmentation
from cifar_pipeline.network import memory
from cifar_pipeline.network.build import build_saved_network, build_training_network
from cifar_pipeline.network.memory import estimate_memory
from cifar_pipeline.network.whitening import whitening_filters
from cifar_pipeline.optim.build import build_optimizer
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.params.loading import MOST_BYTES
from cifar_pipeline.params.presets import ModelParams, model_of
from cifar_pipeline.train.batches import TrainingBatches, smoothed_targets
from cifar_pipeline.train.callbacks import DivergedError, KeepBestEpoch
from cifar_pipeline.train.loop import Split, fit
from cifar_pipeline.trained_model.keras_file import predict_probabilities
from params_files import SHIPPED
from params_strategies import LEAVES, PRESETS, files, put
from synthetic import synthetic_split

FILE = Path("params.yaml")
ROOMY = Memory(total=64 * 10**9, free=64 * 10**9, swap=0, is_limited=False)
# Rules about two keys at once: a value that one key takes may not fit another's.
OF_TWO_KEYS = (
    *("a shortcut passes convolutions over", "a shortcut needs maps that keep their size"),
    *("leaves no pixels of maps", "must be below epochs", "is impossible with 50,000 images"),
    *("while training at batch_size", "is more than the 32 pixels"),
)
IMAGES, LABELS = synthetic_split(24, 0)
STATISTICS = channel_statistics(IMAGES)


@pytest.fixture(autouse=True)
def _on_a_roomy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: ROOMY)


def refusal(content: dict[str, Any]) -> str:
    """Return in which line a file is refused; empty where it is accepted."""
    try:
        check_content(content, FILE)
    except ParamsError as error:
        line = str(error)
        assert line.isprintable(), line
        assert len(line) < 1000
        named = line.removeprefix(f"{FILE}: ").split(" ")[0].rstrip(":,")
        first = named.split(".")[0]
        # The key of the first word is a section, or what stands in the place of one.
        assert first in SHIPPED or first == repr(first) or "section" in line, line
        return line
    return ""


@pytest.mark.fault(
    "any value, key or name in params.yaml", "one line that names the key, before anything runs"
)
def test_a_drawn_file_is_refused_in_a_line_with_its_key_or_accepted() -> None:
    found: Counter[bool] = Counter()

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(files())
    def look(content: dict[str, Any]) -> None:
        found[bool(refusal(content))] += 1

    look()
    assert 0.1 < found[True] / found.total() < 0.5


@pytest.mark.fault(
    "another allowed value of one key, in any preset", "accepted, or the line names both keys"
)
def test_every_other_value_of_a_key_is_accepted_in_every_preset() -> None:
    """But where another key forbids it, which the line says."""

    @settings(
        max_examples=300,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.sampled_from(PRESETS), st.sampled_from(LEAVES), st.data())
    def change(preset: str, leaf: Any, data: st.DataObject) -> None:
        content = copy.deepcopy(SHIPPED)
        content["models"] = {"drawn": content["models"][preset]}
        content["train"]["model"] = "drawn"
        put(content, leaf.path, data.draw(leaf.values))
        line = refusal(content)
        found["refused" if line else "accepted"] += 1
        assert not line or any(rule in line for rule in OF_TWO_KEYS), line

    found: Counter[str] = Counter()
    change()
    assert found["accepted"] > 5 * found["refused"]


LARGEST_KERNEL = 15


def is_small(params: ModelParams) -> bool:
    """Say whether a step of it takes a moment. Of the others only the refusal is tried."""
    estimate = estimate_memory(params, 32, len(IMAGES), 10, fourier=True)
    convolutions = sum(block.convolutions for block in params.blocks.values())
    # TensorFlow computes the gradients of larger kernels for minutes.
    kernel = max(block.kernel_size for block in params.blocks.values())
    return estimate.bytes < 1.2e9 and convolutions <= 12 and kernel <= LARGEST_KERNEL


def take_a_step(params: ModelParams, seed: int) -> keras.Model:
    """Build what `fit` does, and take one step without tracing it."""
    precision = resolve_precision(params.precision)
    keras.utils.set_random_seed(seed)
    number = params.whitening_filters
    filters = whitening_filters(IMAGES, STATISTICS, number) if number else None
    network = build_training_network(params, STATISTICS, 10, precision, filters)
    targets = smoothed_targets(LABELS, 10, params.label_smoothing)
    batches = TrainingBatches(
        IMAGES, targets, params.batch_size, params.augmentation, seed, params.hardest_share
    )
    network.compile(
        build_optimizer(params, len(batches) * params.epochs, precision),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    network.train_on_batch(*batches[0])
    KeepBestEpoch(params.early_stopping)
    assert params.validated_epochs[-1] == params.epochs
    return build_saved_network(params, STATISTICS, network)


def ask(network: keras.Model, params: EvaluateParams) -> None:
    """Ask a network as evaluate does, if its step has left numbers."""
    if all(np.isfinite(value).all() for value in network.get_weights()):
        predict_with_augmentation(
            lambda images: predict_probabilities(network, images, params.batch_size),
            IMAGES,
            params.test_time_augmentation,
        )


def accepted(content: dict[str, Any]) -> ModelParams:
    """Return the preset of a file that is accepted and small; try no other one."""
    assume(not refusal(content))
    params = model_of(content, content["train"]["model"], FILE)
    assume(is_small(params))
    return params


@pytest.mark.trains
@pytest.mark.fault("any params.yaml that is accepted", "its network trains and predicts")
def test_a_file_that_is_accepted_takes_a_step() -> None:
    @settings(
        max_examples=4,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(files())
    def run(content: dict[str, Any]) -> None:
        params = accepted(content)
        network = take_a_step(params, content["train"]["seed"])
        ask(network, EvaluateParams(**content["evaluate"]))

    run()


@pytest.mark.slow
@pytest.mark.fault("any params.yaml, hundreds of them", "each is refused in a line, or trains")
def test_many_drawn_files_train(tmp_path: Path) -> None:
    """Read from a file, and through the loop of training."""

    @settings(
        max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(files(most_changes=6))
    def run(content: dict[str, Any]) -> None:
        params = accepted(content)
        (tmp_path / "params.yaml").write_text(json.dumps(content))
        check_params(tmp_path / "params.yaml")
        if params.epochs > 4:
            network = take_a_step(params, content["train"]["seed"])
        else:
            split = Split(IMAGES, LABELS)
            precision = resolve_precision(params.precision)
            try:
                done = fit(params, content["train"]["seed"], precision, split, split, STATISTICS)
            except DivergedError:  # which names the learning rate
                return
            network = build_saved_network(params, STATISTICS, done.network)
            keras.backend.clear_session()
        ask(network, EvaluateParams(**content["evaluate"]))

    run()


SMALL = json.dumps({**SHIPPED, "models": {"fast": SHIPPED["models"]["fast"]}})


def with_text(old: str, new: str) -> bytes:
    assert old in SMALL
    return SMALL.replace(old, new, 1).encode("utf-8", "surrogatepass")


@pytest.mark.fault(
    "a params.yaml that is odd YAML, huge, or no text", "one line, and no second is lost"
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a mapping"),
        (b"- 1", "expected a mapping"),
        (b"train", "expected a mapping"),
        (b"\xff\xfe\x00a", "is not valid YAML"),
        (b"\x00\x01", "is not valid YAML"),
        (b"train:\n\tseed: 1", "is not valid YAML"),
        (b"train: &a [*a]", "download is missing"),
        (
            b"a: &a [x, x]\n"
            + b"\n".join(b"%c: &%c [*%c, *%c]" % (n, n, n - 1, n - 1) for n in range(98, 122)),
            "a is not a known section",
        ),
        (with_text('"source": null', '"source": "\\ud800"'), "download.source"),
        (b"train: {seed: 1, seed: 2}", "is not valid YAML"),
        (b"%YAML 1.1\n---\ntrain: {flip: no}", "a directive"),
        ("a: \u2028b".encode(), "the character U+2028"),
        (b"a: " + b"[" * 10_000, "is nested too deeply"),
        (b"a: " + b"{a: " * 5_000 + b"}" * 5_000, "is nested too deeply"),
        (b"#" * (MOST_BYTES + 1), "expected parameters"),
        (b"a: !!python/object:os.system x", "is not valid YAML"),
        (b"--- {a: 1}\n--- {a: 2}", "is not valid YAML"),
        (b"\xef\xbb\xbf" + with_text('"seed": 1', '"seed": one'), "train.seed"),
        (with_text('"seed": 1}', '"seed": 1e-3}'), "train.seed: input should be a valid integer"),
        (with_text('"seed": 1}', '"seed": 0x' + "f" * 6000 + "}"), "an integer of 7,"),
        (with_text('"seed": 1}', '"seed": ' + "1" * 6000 + "}"), "is not valid YAML"),
        (with_text('"seed": 1}', '"seed": true}'), "train.seed"),
        (with_text('"seed": 1}', '"seed": "1"}'), "train.seed"),
        (with_text('"seed": 1}', '"seed": .nan}'), "train.seed"),
        (with_text('"seed": 1}', '"seed": 2026-01-01}'), "train.seed"),
        (with_text('"seed": 1}', '"seed": 1, [a]: 1}'), "train."),
        (with_text('"dropout": 0.0', '"dropout": -.inf'), "models.fast.block1.dropout"),
        (with_text('"learning_rate": 0.75', '"learning_rate": true'), "learning_rate"),
        (with_text('"learning_rate": 0.75', '"learning_rate": 1e400'), "learning_rate"),
        (with_text('"whitening": true', '"whitening": 1'), "models.fast.whitening"),
        (with_text('"whitening": true', '"whitening": 16.0'), "models.fast.whitening"),
        (with_text('"preprocess": {', '"preprocess": null, "x": {'), "x is not a known section"),
        (with_text('"filters": 64', '"filters": 1000000'), "block1.filters: input should be less"),
        (with_text('"source": null', '"source": "\\0"'), "download.source"),
        (with_text('"source": null', '"source": "' + "x" * 300 + '"'), "download.source"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_odd_file_is_refused_in_a_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParamsError) as caught:
        check_params(path)
    line = str(caught.value)
    assert message in line
    assert line.isprintable()
    assert len(line) < 1000


@pytest.mark.fault("anchors, octal numbers and a byte order mark in params.yaml", "read as by DVC")
def test_a_file_with_anchors_a_mark_or_octal_numbers_is_read(tmp_path: Path) -> None:
    """As DVC reads it."""
    path = tmp_path / "params.yaml"
    content = b"\xef\xbb\xbf" + with_text('"seed": 2017', '"seed": &seed 0o17')
    path.write_bytes(content.replace(b'"seed": 1}', b'"seed": *seed }'))
    check_params(path)
    read = YAML(typ="safe").load(path.read_bytes())  # DVC's own, in C
    assert read["train"]["seed"] == read["preprocess"]["seed"] == 15


@pytest.mark.fault("a params.yaml of 100 MB", "one line at once")
def test_a_hundred_megabytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ParamsError, match="expected parameters, 100 kB at most"):
        check_params(path)
