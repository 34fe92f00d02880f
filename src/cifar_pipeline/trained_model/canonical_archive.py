"""Save a Keras model as a `.keras` file whose bytes depend on the model alone.

Keras writes the date into metadata.json and into every entry of the archive, and addresses of
memory into config.json where layers share an object, so that two files of one model differ. All of
that is fixed here. config.json loses what older releases of Keras do not know.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import keras

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.trained_model.file_kind import CONFIG, METADATA
from cifar_pipeline.trained_model.lean_config import without_defaults

_DATE = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can hold
_DATE_SAVED = "1980-01-01@00:00:00"


def save_canonical(model: keras.Model, path: Path, extra: Mapping[str, bytes]) -> None:
    """Save `model` under `path`, which must end in .keras; the file appears whole or not at all.

    `extra` goes into the archive too, content by name: Keras reads past it.
    """
    with replacing(path, durable=True) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary) as source:
            entries = {entry.filename: source.read(entry) for entry in source.infolist()}
        metadata = json.loads(entries[METADATA]) | {"date_saved": _DATE_SAVED}
        entries[METADATA] = json.dumps(metadata).encode()
        config = json.dumps(without_defaults(json.loads(entries[CONFIG])))
        entries[CONFIG] = _with_shared_objects_numbered(config).encode()
        entries |= extra
        with zipfile.ZipFile(temporary, "w") as target:
            for name in sorted(entries):
                target.writestr(zipfile.ZipInfo(name, _DATE), entries[name])


def _with_shared_objects_numbered(config: str) -> str:
    """Return the JSON of a configuration with 1, 2, 3, ... for the objects that layers share."""
    numbers: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        return found[1] + str(numbers.setdefault(found[2], len(numbers) + 1))

    return re.sub(r'("shared_object_id": )(\d+)', numbered, config)
