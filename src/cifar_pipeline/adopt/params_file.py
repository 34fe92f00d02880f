"""Change values of params.yaml and leave every other byte: comments, order and spaces."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.params.loading import read_yaml

# What a key has that does not stand in the file.
MISSING: Final = ...
PICTURES: Final = "download.sha256.pictures"


def value_of(content: Mapping[str, Any], name: str) -> Any:
    """Return the value of a key by its dotted name; `MISSING` where it does not stand there."""
    value: Any = content
    for key in name.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return MISSING
        value = value[key]
    return value


def changed_text(path: Path, changes: Mapping[str, Any]) -> str:
    """Return the text of the file `path` with other values.

    It is written as `dvc exp run -S` writes it.

    Args:
        path: a params.yaml.
        changes: values by dotted names; `MISSING` removes a key.

    Raises:
        ParamsError: the file cannot be read.
    """
    read_yaml(path)  # says in one line what is wrong
    yaml = YAML()
    yaml.default_flow_style = False
    content = yaml.load(path.read_text(encoding="utf-8"))
    for name, value in changes.items():
        *parents, key = name.split(".")
        section = content
        for parent in parents:
            section = section[parent]
        _set(section, key, value)
    text = io.StringIO()
    yaml.dump(content, text)
    return text.getvalue()


def _set(section: CommentedMap, key: str, value: Any) -> None:
    if value is MISSING:
        section.pop(key, None)
    elif key in section:
        section[key] = value
    else:
        # What follows a section, a comment too, belongs to its last key.
        section.insert(max(0, len(section) - 1) if key != "pictures" else 0, key, value)


def write_text(path: Path, text: str) -> bool:
    """Write the file `path` where `text` is not what it holds; say whether it was written.

    Raises:
        ParamsError: a name in it is no text.
        PipelineError: it cannot be written.
    """
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise ParamsError(
            "the folder's name is no UTF-8, and params.yaml is; rename the folder"
        ) from None
    with writing(path.parent):
        if content == path.read_bytes():
            return False
        with replacing(path.resolve()) as temporary:
            temporary.write_bytes(content)
    return True
