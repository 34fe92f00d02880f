"""Every optimizer and schedule of the schemas has a builder; none stands in for another."""

import functools
from types import ModuleType
from typing import Any, get_args

import keras
import numpy as np
import pytest
from keras import ops

from cifar_pipeline.optim.build import OPTIMIZERS, build_optimizer
from cifar_pipeline.optim.lookup import Builders
from cifar_pipeline.optim.schedules import SCHEDULES, build_schedule
from cifar_pipeline.params import optimizers, schedules
from cifar_pipeline.params.loading import Section
from cifar_pipeline.params.optimizers import Optimizer, Sgd
from cifar_pipeline.params.presets import load_model
from cifar_pipeline.params.schedules import Constant, Schedule
from closure import ROOT
from schemas import all_on

pytestmark = pytest.mark.trains

STEPS = 12
SHAPES = {"kernel": (3, 3, 4, 6), "dense": (4, 6), "offset": (6,)}
# The recipes that these are of let biases and offsets decay too.
DECAYS_OFFSETS = {Sgd}
PRESET = load_model(ROOT / "params.yaml", "fast")


def members(union: Any) -> set[type[Section]]:
    """Return the schemas among which a preset chooses."""
    return set(get_args(get_args(union)[0]))


def in_order(schemas: set[type[Section]]) -> list[type[Section]]:
    return sorted(schemas, key=lambda schema: schema.__name__)


def by_name(schemas: set[type[Section]]) -> Any:
    return pytest.mark.parametrize("schema", in_order(schemas), ids=lambda schema: schema.__name__)


@pytest.mark.parametrize(
    ("module", "table", "union", "where"),
    [
        (
            optimizers,
            OPTIMIZERS,
            Optimizer,
            "OPTIMIZERS of optim/build.py and Optimizer of params/optimizers.py",
        ),
        (
            schedules,
            SCHEDULES,
            Schedule,
            "SCHEDULES of optim/schedules.py and Schedule of params/schedules.py",
        ),
    ],
)
def test_every_schema_has_a_builder_and_is_a_choice(
    module: ModuleType, table: Builders, union: Any, where: str
) -> None:
    different = {schema.__name__ for schema in set(table) ^ members(union)}
    assert not different, f"in one of these alone, {where}: {different}"
    there = {
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__
    }
    missing = {schema.__name__ for schema in there - members(union)}
    assert not missing, f"a schema that stands in neither of {where}: {missing}"


def optimizer_of(schema: type[Section], **changes: Any) -> keras.optimizers.Optimizer:
    choices = {
        "optimizer": all_on(schema).model_copy(update=changes),
        "schedule": Constant(name="constant"),
    }
    return build_optimizer(PRESET.model_copy(update=choices), STEPS, "float32")


def stepped(optimizer: keras.optimizers.Optimizer, steps: int = 1) -> dict[str, np.ndarray]:
    """Return variables that were ones, by name, after some steps."""
    variables = [
        keras.Variable(np.ones(shape, np.float32), name=name) for name, shape in SHAPES.items()
    ]
    optimizer.build(variables)
    rows = np.random.default_rng(1)
    for _ in range(steps):
        gradients = [ops.convert_to_tensor(rows.normal(size=v.shape), "float32") for v in variables]
        optimizer.apply_gradients(list(zip(gradients, variables, strict=True)))
    return {name: ops.convert_to_numpy(v) for name, v in zip(SHAPES, variables, strict=True)}


@functools.cache
def usual_steps(schema: type[Section]) -> dict[str, np.ndarray]:
    return stepped(optimizer_of(schema), steps=4)


@by_name(members(Optimizer))
def test_an_optimizer_steps_and_is_made_again_from_its_configuration(schema: type[Section]) -> None:
    optimizer = optimizer_of(schema)
    again = type(optimizer).from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    after = stepped(optimizer)
    for name, values in stepped(again).items():
        assert np.abs(values - 1).max() > 1e-4, name
        assert np.array_equal(values, after[name]), name


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        (schema, key)
        for schema in in_order(members(Optimizer))
        for key in schema.model_fields
        if key != "name"
    ],
)
def test_each_key_of_an_optimizer_changes_its_steps(schema: type[Section], key: str) -> None:
    """Else its builder in optim/build.py does not pass the key on."""
    value = getattr(all_on(schema), key)
    other = {bool: False, int: 2, float: 0.5}[type(value)]
    assert other != value
    usual = usual_steps(schema)
    changed = stepped(optimizer_of(schema, **{key: other}), steps=4)
    assert any(not np.array_equal(usual[name], changed[name]) for name in usual)


@by_name({schema for schema in members(Optimizer) if "weight_decay" in schema.model_fields})
def test_offsets_decay_where_the_recipe_s_source_has_it(schema: type[Section]) -> None:
    decays = schema in DECAYS_OFFSETS
    optimizer = optimizer_of(schema)
    dense, bias, beta = (
        keras.Variable(np.ones(shape, np.float32), name=name)
        for name, shape in {"kernel": (4, 6), "bias": (6,), "beta": (6,)}.items()
    )
    optimizer.build([dense, bias, beta])
    optimizer.apply_gradients([(ops.zeros(v.shape), v) for v in (dense, bias, beta)])
    assert float(ops.max(dense)) < 1
    assert [bool(ops.all(v == 1)) for v in (bias, beta)] == [not decays, not decays]


@by_name(members(Optimizer))
def test_no_two_optimizers_are_of_one_class(schema: type[Section]) -> None:
    others = {type(optimizer_of(other)) for other in members(Optimizer) - {schema}}
    assert type(optimizer_of(schema)) not in others


@by_name(members(Schedule))
def test_a_schedule_begins_and_is_made_again_from_its_configuration(schema: type[Section]) -> None:
    schedule = build_schedule(all_on(schema), 0.5, STEPS)  # type: ignore[arg-type]
    if isinstance(schedule, float):
        assert schedule == 0.5
        return
    again = type(schedule).from_config(schedule.get_config())
    rates = [[float(each(step)) for step in range(STEPS + 1)] for each in (schedule, again)]
    assert rates[0] == rates[1]
    assert 0 < rates[0][0] <= 0.5
    assert len(set(rates[0])) > 1


def test_a_choice_without_a_builder_is_an_error_that_names_the_table() -> None:
    class Unknown(Section):
        name: str = "unknown"
        learning_rate: float = 0.1

    with pytest.raises(TypeError, match=r"^optim/build.py: OPTIMIZERS has no builder for Unknown"):
        build_optimizer(PRESET.model_copy(update={"optimizer": Unknown()}), STEPS, "float32")
    with pytest.raises(TypeError, match=r"^optim/schedules.py: SCHEDULES has no builder for Unk"):
        build_schedule(Unknown(), 0.1, STEPS)  # type: ignore[arg-type]
