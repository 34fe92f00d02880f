"""A folder of pictures is adopted in the current folder, whose params.yaml is a short one."""

from pathlib import Path
from typing import Any

from cifar_pipeline.adopt.adoption import adopt_folder
from cifar_pipeline.adopt.choices import Options
from cifar_pipeline.params.loading import read_yaml
from params_files import with_presets

PARAMS = Path("params.yaml")
SHORT = with_presets("fast", "best", "quick").encode()


def adopted(folder: Path, **options: Any) -> dict[str, Any]:
    """Adopt a folder; return what params.yaml holds then."""
    adopt_folder(folder, PARAMS, Options(**options))
    return read_yaml(PARAMS)
