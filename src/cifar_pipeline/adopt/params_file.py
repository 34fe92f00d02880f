"""Change values of params.yaml and leave every other byte: comments, order and spaces."""

import copy
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cifar_pipeline.common.atomic import replacing, writing
from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.images.paths import shown
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


def read_params(path: Path) -> dict[str, Any]:
    """Return the content of a params.yaml.

    Raises:
        ParamsError: it is not there, or no YAML.
    """
    if not path.exists():
        raise ParamsError(
            f"{shown(str(path))} is not there; call this in the project's folder, or name the file "
            "with --params"
        )
    return read_yaml(path)


class Changed(NamedTuple):
    """The text of a params.yaml, and what it holds."""

    text: str
    content: dict[str, Any]


def changed(path: Path, changes: Mapping[str, Any]) -> Changed:
    """Return the file `path` with other values, and every other byte as it was.

    A writer of YAML would move the comments behind longer values, and not move them back.

    Args:
        path: a params.yaml.
        changes: plain values by dotted names; `MISSING` removes a key.

    Raises:
        ParamsError: the file cannot be read, or is laid out in a way that defies this.
    """
    expected = read_yaml(path)  # says in one line what is wrong
    text = path.read_bytes().decode()
    root = YAML(typ="safe", pure=True).compose(text)
    edits = [_edit(text, root, name, value) for name, value in changes.items()]
    for edit in sorted((edit for edit in edits if edit), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    expected = with_values(expected, changes)
    try:
        done = YAML(typ="safe", pure=True).load(text) == expected
    except YAMLError:
        done = False
    if not done:
        wanted = ", ".join(f"{key}: {value}" for key, value in changes.items())
        raise ParamsError(
            f"{path}: expected each key on a line of its own, as the project's file has them; "
            f"write by hand: {wanted}"
        )
    return Changed(text, expected)


class _Edit(NamedTuple):
    """Other text from one index to another."""

    start: int
    end: int
    text: str


def _edit(text: str, root: Any, name: str, value: Any) -> _Edit | None:
    *parents, key = name.split(".")
    section = root
    for parent in parents:
        section = _entries(section)[parent][1]
    entries = _entries(section)
    if key not in entries:
        if value is MISSING:
            return None
        # What follows a section, a comment too, belongs to its last key.
        beside = list(entries.values())[0 if name == PICTURES else -1][0].start_mark
        at = beside.index - beside.column
        newline = "\r\n" if "\r\n" in text else "\n"
        return _Edit(at, at, f"{' ' * beside.column}{key}: {_scalar(value)}{newline}")
    named, old = entries[key]
    if value is MISSING:
        start = named.start_mark.index - named.start_mark.column
        return _Edit(start, text.index("\n", old.end_mark.index) + 1, "")
    start = named.end_mark.index + 1  # behind the colon
    empty = old.value == "" and not old.style  # its marks are those of the next key
    end = start if empty else old.end_mark.index
    return _Edit(start, end, "" if value is None else f" {_scalar(value)}")


def _entries(section: Any) -> dict[str, tuple[Any, Any]]:
    """Return the nodes of key and value by key."""
    return {key.value: (key, value) for key, value in section.value}


def _scalar(value: Any) -> str:
    """Return a plain value as YAML has it, in one line."""
    yaml = YAML()
    yaml.width = 10**6
    text = io.StringIO()
    yaml.dump({"x": value}, text)
    return text.getvalue().removeprefix("x: ").rstrip("\n")


def with_values(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a params.yaml with other values.

    Args:
        content: as read.
        changes: as in `changed`.
    """
    copied: dict[str, Any] = copy.deepcopy(dict(content))
    for name, value in changes.items():
        *parents, key = name.split(".")
        section = copied
        for parent in parents:
            section = section[parent]
        if value is MISSING:
            section.pop(key, None)
        else:
            section[key] = value
    return copied


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
