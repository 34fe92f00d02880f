"""Schema of one preset under `models`: a network and the recipe that trains it."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.params.augmentation import Augmentation
from cifar_pipeline.params.image_size import LARGEST_IMAGE_SIZE, image_size_of
from cifar_pipeline.params.loading import Count, Factor, Section, off, pick, read_yaml, validate
from cifar_pipeline.params.messages import key_name, nearest, shown
from cifar_pipeline.params.network import Block, Head
from cifar_pipeline.params.optimizers import Optimizer
from cifar_pipeline.params.schedules import Schedule

# Names of presets that DVC can address, as a parameter and in `-S`; and words that `-S` would read
# as other than text.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_NO_NAMES = {"true", "false", "null", "nan", "inf"}
# Keys that older params.yaml have, and the version that knows them no more.
REMOVED_KEYS = {"flip_equivariant": "0.2.0"}


class EarlyStopping(Section):
    """The run stops when the validation loss falls no more; the epoch with the least is kept."""

    patience: Count = Field(
        ge=0, description="Validations in a row without a fall that end the run."
    )
    min_delta: Factor = Field(
        ge=0,
        description="A smaller fall of the validation loss is none where the end of the run is "
        "decided. Which epoch is kept does not depend on it.",
    )
    start_from_epoch: Count = Field(
        ge=0, description="Epochs before this one, counted from 0, are not looked at."
    )


class ModelParams(Section):
    """A preset: its network, from the pixels on, and the recipe that trains it.

    Its name has letters from a to z, digits, `_` and `-`, and does not begin with a digit.

    In params.yaml its blocks stand beside the other keys, as `block1`, `block2` and so on.
    """

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        description="`auto`: bfloat16 where the device computes in it, else float32."
    )
    convolution: Literal["auto", "direct", "fourier"] = Field(
        description="`auto`: on a CPU by Fourier transforms where they save time, on a GPU direct."
    )
    normalization: Literal["unit", "channel"] = Field(
        description="`unit`: pixels / 255; `channel`: minus the training mean, over the training "
        "deviation."
    )
    whitening: Literal[False, True, 8, 16, 24] = off(
        False,
        description="Filters of a frozen first convolution that whitens patches of pixels; true: "
        "16.",
    )
    batch_norm_momentum: float = Field(
        ge=0, lt=1, description="Share that the running averages keep at each step."
    )
    blocks: dict[str, Block] = Field(
        min_length=1, max_length=100, description="Convolutions, as many blocks as you like."
    )
    head: Head = Field(description="From maps to logits.")
    augmentation: Augmentation = Field(description="Changes to the training images.")
    hardest_share: float = off(
        1.0,
        gt=0,
        le=1,
        description="Part of the training images that an epoch shows: those whose loss was "
        "greatest when they were last shown, and before these any that were never "
        "shown.",
    )
    class_weight: Literal["none", "balanced"] = off(
        "none",
        description="Weights of the training images in the loss: `none`, all the same; `balanced`, "
        "N / (K n) for each of the n images of a class, of N images of K classes, so that each "
        "class weighs the same in all.",
    )
    batch_size: Count = Field(ge=1, description="Images of a training step.")
    epochs: Count = Field(ge=1, description="How many at most.")
    validation_freq: Count = off(
        1,
        ge=1,
        description="The last epoch is validated, and each `validation_freq`th before it. Only "
        "these can be kept or end the run.",
    )
    label_smoothing: float = off(
        0.0, ge=0, lt=1, description="Share of a label that is spread over all classes."
    )
    optimizer: Optimizer = Field(description="Its class and its rates.")
    schedule: Schedule = Field(description="The learning rate over the steps.")
    early_stopping: EarlyStopping = Field(description="When the run ends before its last epoch.")

    @property
    def whitening_filters(self) -> int:
        """How many filters whiten the pixels; 0: they go into block1 as they are."""
        return 16 if self.whitening is True else int(self.whitening)

    @property
    def validated_epochs(self) -> list[int]:
        """Those after which the validation images are read, counted from 1."""
        epochs = range(1, self.epochs + 1)
        return [epoch for epoch in epochs if (self.epochs - epoch) % self.validation_freq == 0]

    @field_validator("whitening", mode="before")
    @classmethod
    def _ones_and_fractions_are_no_choice(cls, whitening: Any) -> Any:
        """Refuse what Python takes for equal to a choice: 1 is True, and 16.0 is 16."""
        is_number = not isinstance(whitening, bool)
        if is_number and (isinstance(whitening, float) or whitening in (0, 1)):
            raise ValueError("input should be False, True, 8, 16 or 24")
        return whitening

    @model_validator(mode="after")
    def _blocks_are_numbered(self) -> "ModelParams":
        expected = [f"block{number}" for number in range(1, len(self.blocks) + 1)]
        if sorted(self.blocks) != sorted(expected):
            raise ValueError(f"blocks must be named {', '.join(expected)}")
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


def require_fitting(params: ModelParams, side: int, where: str = "the preset") -> None:
    """Refuse a preset that does not fit images of `side` pixels; `where` it stands, for messages.

    Raises:
        ParamsError: a block would leave no pixels, or more would be cut out than there is.
    """
    if params.augmentation.cutout > side:
        raise ParamsError(
            f"{where}: augmentation.cutout = {params.augmentation.cutout} is more than the {side} "
            "pixels of an image's side; lower it"
        )
    side -= 1 if params.whitening_filters else 0  # whitening is 2x2, valid
    for number in range(1, len(params.blocks) + 1):
        block = params.blocks[f"block{number}"]
        before = side
        for convolution in range(block.convolutions):
            if block.padding == "valid":
                side -= block.kernel_size - 1
            if convolution == 0 and block.pooling_after == "first":
                side //= block.pooling
        if block.pooling_after == "last":
            side //= block.pooling
        if side < 1:
            raise ParamsError(
                f"{where}: block{number} leaves no pixels of maps {before}x{before}; "
                "lower its kernel_size, convolutions or pooling, or pad it 'same'"
            )


def validate_model(
    values: Any, name: str, path: Path, side: int = LARGEST_IMAGE_SIZE
) -> ModelParams:
    """Return the preset `values` of the entry `name` under `models`; errors as `validate`.

    Args:
        values: as read.
        name: of the preset.
        path: the file, for messages.
        side: of the images in pixels, which the preset has to fit.
    """
    _require_name(name, path)
    for key, since in REMOVED_KEYS.items():
        if isinstance(values, dict) and key in values:
            raise ParamsError(
                f"{path}: models.{name}.{key} was removed in {since}; delete that line "
                "(CHANGELOG.md tells what it did)"
            )
    try:
        params = validate(ModelParams, split_blocks(values), f"models.{name}", path)
    except ParamsError as error:
        # Users write the blocks beside the other keys.
        raise ParamsError(str(error).replace(f"models.{name}.blocks.", f"models.{name}.")) from None
    require_fitting(params, side, f"{path}: models.{name}")
    return params


def _require_name(name: object, path: Path) -> None:
    text = name if isinstance(name, str) else ""
    if not _NAME.fullmatch(text) or text.lower() in _NO_NAMES:
        raise ParamsError(
            f"{path}: models.{key_name(name)}: DVC cannot address a preset of this name; expected "
            "letters from a to z, digits, _ and -, and no digit at the beginning: rename it, also "
            "in train.model"
        )


def load_model(path: Path, name: str) -> ModelParams:
    """Read the preset `name` from the file `path`; it fits images of download.image_size there.

    Raises:
        ParamsError: no such preset (the nearest name is offered), or it cannot be used.
    """
    return model_of(read_yaml(path), name, path)


def model_of(content: dict[str, Any], name: str, path: Path) -> ModelParams:
    """Return the preset `name` of `content`, read from the file `path`; errors as `load_model`."""
    presets = pick(content, ["models"], path)
    side = image_size_of(content)
    if not isinstance(presets, dict) or name not in presets:
        known = list(map(key_name, presets)) if isinstance(presets, dict) else []
        raise ParamsError(
            f"{path}: train.model: no preset {shown(name)} under models{nearest(name, known)}"
        )
    return validate_model(presets[name], name, path, side)
