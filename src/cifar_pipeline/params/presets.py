"""Schema of one preset under `models`: a network and the recipe that trains it."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.cifar10 import IMAGE_SHAPE
from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.params.loading import Section, nearest, off, pick, read_yaml, validate
from cifar_pipeline.params.network import Block, Head
from cifar_pipeline.params.optimizers import Optimizer
from cifar_pipeline.params.schedules import Schedule

# Keys that older params.yaml have, and the version that knows them no more.
REMOVED_KEYS = {"flip_equivariant": "0.2.0"}


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
    whitening: Literal[False, True, 8, 16, 24] = off(False)
    batch_norm_momentum: float = Field(ge=0, lt=1)
    blocks: dict[str, Block] = Field(min_length=1)
    head: Head
    augmentation: Augmentation
    hardest_share: float = off(1.0, gt=0, le=1)
    batch_size: int = Field(ge=1)
    epochs: int = Field(ge=1)
    validation_freq: int = off(1, ge=1)
    label_smoothing: float = off(0.0, ge=0, lt=1)
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
