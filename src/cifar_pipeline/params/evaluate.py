"""Schema of the section `evaluate`."""

from typing import Literal

from pydantic import Field

from cifar_pipeline.params.loading import Section

TestTimeAugmentation = Literal["none", "flip", "flip_shift"]


class EvaluateParams(Section):
    """Parameters of the stage `evaluate`."""

    batch_size: int = Field(gt=0)
    test_time_augmentation: TestTimeAugmentation
    confused_pairs: int = Field(ge=0)
