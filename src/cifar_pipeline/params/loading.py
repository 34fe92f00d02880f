"""Read a section of params.yaml and validate it against its schema."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cifar_pipeline.errors import ParamsError


class Section(BaseModel):
    """Base of every schema: typed, frozen, and it knows all of its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Schema = TypeVar("Schema", bound=BaseModel)


def nearest(name: object, known: Mapping[str, Any] | list[str]) -> str:
    """Return `, did you mean 'x'?` for the known name closest to `name`, else the known names."""
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def read_yaml(path: Path) -> dict[str, Any]:
    """Read `path` as YAML 1.2, the dialect in which DVC itself reads it.

    Raises:
        ParamsError: the file is missing, is no YAML or holds no mapping.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParamsError(f"{path}: cannot be read ({error.strerror})") from None
    except (YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or "not UTF-8"
        raise ParamsError(f"{path}{line}: is not valid YAML ({problem})") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path}: expected a mapping of sections, got {type(content).__name__}")
    return content


def pick(content: Any, keys: list[str], path: Path) -> Any:
    """Return the value under nested `keys` of the read file `content`.

    Raises:
        ParamsError: a key is missing; the nearest one that exists is offered.
    """
    for depth, key in enumerate(keys):
        if not isinstance(content, dict) or key not in content:
            known = list(map(str, content)) if isinstance(content, dict) else []
            name = ".".join(keys[: depth + 1])
            raise ParamsError(f"{path}: {name} is missing{nearest(key, known)}")
        content = content[key]
    return content


def validate(schema: type[Schema], values: Any, name: str, path: Path) -> Schema:
    """Return `values` as an instance of `schema`.

    Args:
        schema: a pydantic model.
        values: what the file holds under `name`.
        name: dotted name of the section, for messages.
        path: the file, for messages.

    Raises:
        ParamsError: the first thing that is wrong, in one line.
    """
    if not isinstance(values, dict):
        raise ParamsError(f"{path}: {name} must be a mapping, got {values!r}")
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        # A misspelt key is also a missing one, and its misspelling says more.
        problems = error.errors(include_url=False)
        problem = min(problems, key=lambda each: each["type"] != "extra_forbidden")
        location = [str(part) for part in problem["loc"]]
        full_name = ".".join([name, *location])
        if problem["type"] == "extra_forbidden":
            known = _keys_beside(schema, location[:-1])
            raise ParamsError(
                f"{path}: {full_name} is not a known parameter{nearest(location[-1], known)}"
            ) from None
        if problem["type"] == "missing":
            raise ParamsError(f"{path}: {full_name} is missing") from None
        message = problem["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        raise ParamsError(f"{path}: {full_name}: {message}, got {problem['input']!r}") from None


def _keys_beside(schema: type[BaseModel], location: list[str]) -> list[str]:
    """Return the keys that `schema` knows at `location`."""
    for part in location:
        field = schema.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type):
            return []
        if not issubclass(field.annotation, BaseModel):
            return []
        schema = field.annotation
    return list(schema.model_fields)


def load_section(path: Path, schema: type[Schema], name: str) -> Schema:
    """Read section `name` (dotted for a nested one) of the file `path` as a `schema`.

    Raises:
        ParamsError: the file or the section cannot be used; exit code 2.
    """
    return validate(schema, pick(read_yaml(path), name.split("."), path), name, path)
