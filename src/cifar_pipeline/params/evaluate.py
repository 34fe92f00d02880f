"""Schema of the section `evaluate`."""

from typing import Literal

from pydantic import Field

from cifar_pipeline.params.loading import Count, Section

TestTimeAugmentation = Literal["none", "flip", "flip_shift"]


class EvaluateParams(Section):
    """Parameters of the stage `evaluate`."""

    batch_size: int = Field(
        gt=0,
        description="Images in one call of the model, but never more than 500, and fewer where "
        "their maps would take more than 2 GB. It changes time and memory, and results by "
        "float32's rounding at most.",
    )
    test_time_augmentation: TestTimeAugmentation = Field(
        description="Scores beside the plain ones, by averaging views of each image: `flip`, it "
        "and its mirror image; `flip_shift`, both moved by a pixel as well (six times "
        "the work)."
    )
    confused_pairs: Count = Field(
        ge=0, description="Pairs of classes that the terminal shows, the most confused first."
    )
