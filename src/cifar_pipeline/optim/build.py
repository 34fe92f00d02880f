"""The optimizer of a preset. A new one is a schema in params/optimizers.py and a builder here."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import keras

from cifar_pipeline.optim.adam_muon import AdamMuon
from cifar_pipeline.optim.lookup import Builders, builder_of
from cifar_pipeline.optim.muon import ConvolutionMuon
from cifar_pipeline.optim.schedules import build_schedule
from cifar_pipeline.optim.sgd import LookaheadSGD
from cifar_pipeline.params import optimizers as schemas
from cifar_pipeline.params.optimizers import Adam, Muon, Optimizer, RmsProp, Sgd
from cifar_pipeline.params.schedules import Schedule


class Recipe(Protocol):
    """A preset, of the classifier or of the codec, as far as its optimizer depends on it."""

    @property
    def optimizer(self) -> Optimizer:
        """Its class and its rates."""

    @property
    def schedule(self) -> Schedule:
        """The learning rate over the steps."""


@dataclass(frozen=True)
class Plan:
    """What an optimizer is told of the run.

    Attributes:
        learning_rate: a Keras schedule, or the rate itself.
        steps: of the whole run.
        precision: "float32" or "bfloat16".
    """

    learning_rate: Any
    steps: int
    precision: str


def _adam(choice: Adam, plan: Plan) -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.Adam(plan.learning_rate, weight_decay=choice.weight_decay or None)
    return _offsets_do_not_decay(optimizer)


def _sgd(choice: Sgd, plan: Plan) -> keras.optimizers.Optimizer:
    # As airbench94, whose offsets decay as everything else does.
    return LookaheadSGD(
        plan.learning_rate,
        momentum=choice.momentum,
        weight_decay=choice.weight_decay or None,
        bias_ratio=choice.bias_learning_rate / choice.learning_rate,
        steps=plan.steps,
        interval=choice.lookahead,
    )


def _muon(choice: Muon, plan: Plan) -> keras.optimizers.Optimizer:
    optimizer = ConvolutionMuon(
        plan.learning_rate,
        momentum=choice.momentum,
        weight_decay=choice.weight_decay or None,
        kernel_ratio=choice.kernel_learning_rate / choice.learning_rate,
        kernel_momentum=choice.kernel_momentum,
        bias_ratio=choice.bias_learning_rate / choice.learning_rate,
        precision=plan.precision,
    )
    return _offsets_do_not_decay(optimizer)


def _adam_muon(choice: schemas.AdamMuon, plan: Plan) -> keras.optimizers.Optimizer:
    return AdamMuon(
        plan.learning_rate,
        kernel_ratio=choice.kernel_learning_rate / choice.learning_rate,
        kernel_momentum=choice.kernel_momentum,
        precision=plan.precision,
    )


def _rmsprop(_choice: RmsProp, plan: Plan) -> keras.optimizers.Optimizer:
    return keras.optimizers.RMSprop(plan.learning_rate, rho=0.9, epsilon=1e-10)


# From each schema of params/optimizers.py to a function of its instance and the plan.
OPTIMIZERS: Final[Builders] = {
    Adam: _adam,
    Sgd: _sgd,
    Muon: _muon,
    schemas.AdamMuon: _adam_muon,
    RmsProp: _rmsprop,
}


def build_optimizer(params: Recipe, steps: int, precision: str) -> keras.optimizers.Optimizer:
    """Return the optimizer of a preset for a run of `steps` steps in `precision`."""
    choice = params.optimizer
    rate = build_schedule(params.schedule, choice.learning_rate, steps)
    build = builder_of(choice, OPTIMIZERS, "optim/build.py: OPTIMIZERS")
    return build(choice, Plan(rate, steps, precision))


def _offsets_do_not_decay(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Return `optimizer`, told to leave biases and offsets of batch normalisation undecayed."""
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta"])
    return optimizer
