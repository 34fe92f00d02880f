"""Schema of one preset under `models`: a network and the recipe that trains it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE
from cifar_pipeline.params.loading import Section, nearest, pick, read_yaml, validate

# Keys that older params.yaml have, and the version that knows them no more.
REMOVED_KEYS = {"flip_equivariant": "0.2.0"}

Activation = Literal["relu", "silu", "gelu", "elu", "leaky_relu", "tanh"]


class Block(Section):
    """Convolutions of one width and a max pooling.

    `pooling` is its window and stride (1: none); it comes after the `first` convolution, before
    batch normalisation and activation, or after the activation of the `last` one. A `shortcut` adds
    the maps that the first activation leaves to those of the last convolution, before its own.
    """

    convolutions: int = Field(ge=1)
    filters: int = Field(ge=1)
    kernel_size: int = Field(ge=1)
    padding: Literal["same", "valid"]
    pooling: int = Field(ge=1)
    pooling_after: Literal["first", "last"]
    batch_normalization: bool
    activation: Activation
    shortcut: bool
    dropout: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _shortcut_can_be_added(self) -> "Block":
        if self.shortcut and self.convolutions < 2:
            raise ValueError("a shortcut passes convolutions over: set convolutions to 2 or more")
        if self.shortcut and self.padding == "valid" and self.kernel_size > 1:
            raise ValueError("a shortcut needs maps that keep their size: set padding to same")
        return self


class Head(Section):
    """From feature maps to logits; `dense_units` 0 leaves the hidden dense layer out."""

    pooling: Literal["flatten", "max", "average"]
    dense_units: int = Field(ge=0)
    activation: Activation
    dropout: float = Field(ge=0, lt=1)
    logit_scale: float = Field(gt=0)


class Augmentation(Section):
    """Changes to the training images: `translate` in pixels, each way, and the side of `cutout`.

    Cutout paints a square of so many pixels, anywhere in the image, in the images' mean colour.
    """

    flip: Literal["none", "random", "alternating"]
    translate: int = Field(ge=0, le=16)
    cutout: int = Field(ge=0, le=IMAGE_SHAPE[0])


class Adam(Section):
    """Adam; `weight_decay` is decoupled."""

    name: Literal["adam"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)


class Sgd(Section):
    """SGD with Nesterov momentum; `weight_decay` is decoupled, and of biases and offsets as well.

    `bias_learning_rate` is that of biases and batch normalisation's offsets. Every `lookahead`
    steps (0: never) each weight becomes a mean of itself and of what it became the last time, the
    latter counting the more the further the run is.
    """

    name: Literal["sgd"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    bias_learning_rate: float = Field(gt=0)
    lookahead: int = Field(ge=0)


class Muon(Section):
    """Muon for convolution kernels, SGD with Nesterov momentum for the rest.

    `kernel_learning_rate` is the length of a step relative to the kernel; `bias_learning_rate` is
    that of biases and batch normalisation's offsets; `learning_rate` and `weight_decay` are the
    dense layers', and `momentum` that of everything but kernels.
    """

    name: Literal["muon"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    kernel_learning_rate: float = Field(gt=0)
    kernel_momentum: float = Field(ge=0, lt=1)
    bias_learning_rate: float = Field(gt=0)


class Constant(Section):
    """The learning rate stays as it is."""

    name: Literal["constant"]


class InverseTime(Section):
    """Learning rate / (1 + decay_rate * step)."""

    name: Literal["inverse_time"]
    decay_rate: float = Field(ge=0)


class OneCycle(Section):
    """A linear rise, then a linear fall.

    From `start` times the learning rate to all of it over the fraction `warmup` of the run's
    steps, then to `end` times it.
    """

    name: Literal["one_cycle"]
    warmup: float = Field(ge=0, lt=1)
    start: float = Field(ge=0)
    end: float = Field(ge=0)


Optimizer = Annotated[Adam | Sgd | Muon, Field(discriminator="name")]
Schedule = Annotated[Constant | InverseTime | OneCycle, Field(discriminator="name")]


class EarlyStopping(Section):
    """Stop when the validation loss has not fallen by `min_delta` for `patience` validations.

    Epochs before `start_from_epoch` (counted from 0) are not looked at.
    """

    patience: int = Field(ge=0)
    min_delta: float = Field(ge=0)
    start_from_epoch: int = Field(ge=0)


class ModelParams(Section):
    """A preset. Beside the keys below it holds its blocks, `block1`, `block2` and so on.

    An epoch shows the part `hardest_share` of the training images: those whose loss was greatest
    when they were last shown. The last epoch is validated, and each `validation_freq`th before it.
    `whitening` is the number of filters of a frozen first convolution; true stands for 16.
    """

    precision: Literal["auto", "float32", "bfloat16"]
    convolution: Literal["auto", "direct", "fourier"]
    normalization: Literal["unit", "channel"]
    whitening: Literal[False, True, 8, 16, 24]
    batch_norm_momentum: float = Field(ge=0, lt=1)
    blocks: dict[str, Block] = Field(min_length=1)
    head: Head
    augmentation: Augmentation
    hardest_share: float = Field(gt=0, le=1)
    batch_size: int = Field(ge=1)
    epochs: int = Field(ge=1)
    validation_freq: int = Field(ge=1)
    label_smoothing: float = Field(ge=0, lt=1)
    optimizer: Optimizer
    schedule: Schedule
    early_stopping: EarlyStopping

    @property
    def whitening_filters(self) -> int:
        """How many filters whiten the pixels; 0: they go into block1 as they are."""
        return 16 if self.whitening is True else int(self.whitening)

    @property
    def validated_epochs(self) -> list[int]:
        """Those after which the validation images are read, counted from 1."""
        epochs = range(1, self.epochs + 1)
        return [epoch for epoch in epochs if (self.epochs - epoch) % self.validation_freq == 0]

    @model_validator(mode="after")
    def _blocks_are_numbered(self) -> "ModelParams":
        expected = [f"block{number}" for number in range(1, len(self.blocks) + 1)]
        if sorted(self.blocks) != sorted(expected):
            raise ValueError(f"blocks must be named {', '.join(expected)}")
        return self

    @model_validator(mode="after")
    def _blocks_leave_pixels(self) -> "ModelParams":
        side = IMAGE_SHAPE[0] - (1 if self.whitening_filters else 0)  # whitening is 2x2, valid
        for number in range(1, len(self.blocks) + 1):
            block = self.blocks[f"block{number}"]
            before = side
            for convolution in range(block.convolutions):
                if block.padding == "valid":
                    side -= block.kernel_size - 1
                if convolution == 0 and block.pooling_after == "first":
                    side //= block.pooling
            if block.pooling_after == "last":
                side //= block.pooling
            if side < 1:
                raise ValueError(
                    f"block{number} leaves no pixels of maps {before}x{before}; "
                    "lower its kernel_size, convolutions or pooling, or pad it 'same'"
                )
        return self

    @model_validator(mode="after")
    def _early_stopping_can_act(self) -> "ModelParams":
        if self.early_stopping.start_from_epoch >= self.epochs:
            raise ValueError(
                f"early_stopping.start_from_epoch ({self.early_stopping.start_from_epoch}) must be "
                f"below epochs ({self.epochs}), else no epoch can be chosen"
            )
        return self


def split_blocks(values: Any) -> Any:
    """Return a preset as params.yaml writes it with its `block1`, `block2`, ... under `blocks`."""
    if not isinstance(values, dict) or "blocks" in values:
        return values  # `blocks` is no key of the file: validation refuses what it holds
    blocks = {key: value for key, value in values.items() if _is_block(key)}
    rest = {key: value for key, value in values.items() if not _is_block(key)}
    return {**rest, "blocks": blocks}


def _is_block(key: object) -> bool:
    return str(key).startswith("block") and str(key)[5:].isdigit()


def validate_model(values: Any, name: str, path: Path) -> ModelParams:
    """Return the preset `values` of the entry `name` under `models`; errors as `validate`."""
    for key, since in REMOVED_KEYS.items():
        if isinstance(values, dict) and key in values:
            raise ParamsError(
                f"{path}: models.{name}.{key} was removed in {since}; delete that line (what "
                "it did when it was true is in the commits before)"
            )
    try:
        return validate(ModelParams, split_blocks(values), f"models.{name}", path)
    except ParamsError as error:
        # Users write the blocks beside the other keys.
        raise ParamsError(str(error).replace(f"models.{name}.blocks.", f"models.{name}.")) from None


def load_model(path: Path, name: str) -> ModelParams:
    """Read the preset `name` from the file `path`.

    Raises:
        ParamsError: no such preset (the nearest name is offered), or it cannot be used.
    """
    presets = pick(read_yaml(path), ["models"], path)
    if not isinstance(presets, dict) or name not in presets:
        known = list(map(str, presets)) if isinstance(presets, dict) else []
        raise ParamsError(
            f"{path}: train.model: no preset {name!r} under models{nearest(name, known)}"
        )
    return validate_model(presets[name], name, path)
