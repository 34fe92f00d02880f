"""Read a section of params.yaml and validate it against its schema."""

import copy
import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.common.system_errors import reason_of, refusal
from cifar_pipeline.params.messages import key_name, nearest, shown


class Section(BaseModel):
    """Base of every schema: typed, frozen, and it knows all of its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


# What TensorFlow and JAX compute with: integers of 32 bits, also as products with the steps of an
# epoch, and numbers within float32.
Count = Annotated[int, Field(le=1_000_000)]
Factor = Annotated[float, Field(le=1e30)]
Rate = Annotated[float, Field(ge=1e-30, le=1e30)]
Schema = TypeVar("Schema", bound=BaseModel)
_OFF: Final = "off"
# A greater file can take the parser many seconds. The project's has 15 kB.
MOST_BYTES: Final = 100_000
# The parser takes time by the square of this, and refuses a thousand only after many seconds.
_DEEPEST: Final = 50
# The end of a line to this parser of YAML, and not to DVC's.
_SEPARATORS: Final = dict.fromkeys("\x85\u2028\u2029")
# What neither the file, nor DVC, nor a name of a file can hold.
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")


def off(value: Any, **constraints: Any) -> Any:
    """Return the field of a feature that is off where it has `value`.

    The feature is also off where its key is missing, as it is in a params.yaml that was written
    before the feature came. `without_off` leaves such a key out.

    Args:
        value: the off value. It never changes: digests of before would then mean something else.
        constraints: of pydantic's `Field`, such as `ge=0`.
    """
    return Field(default=value, json_schema_extra={_OFF: value}, **constraints)


def without_off(values: Any) -> Any:
    """Return a section as plain mappings and values, without the keys at their off value.

    A key is judged by its off value and not by its default, which may change. So a feature that
    comes later, and is off, changes nothing here.

    Args:
        values: a section; or what one holds: a mapping, a list or a plain value.
    """
    if isinstance(values, BaseModel):
        fields = type(values).model_fields
        return {
            name: without_off(value) for name, value in values if not _is_off(fields[name], value)
        }
    if isinstance(values, dict):
        return {name: without_off(value) for name, value in values.items()}
    if isinstance(values, list):
        return [without_off(value) for value in values]
    return values


def _is_off(field: FieldInfo, value: Any) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and _OFF in extra and extra[_OFF] == value


def _depth(text: str) -> int:
    """Return how many brackets stand in each other at most."""
    brackets = itertools.accumulate((each in "[{") - (each in "]}") for each in text)
    return max(brackets, default=0)


@functools.lru_cache(maxsize=1)  # a stage reads several sections of one file
def _parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read `path` as YAML 1.2, the dialect in which DVC itself reads it.

    Raises:
        ParamsError: the file is missing, is no YAML, holds no mapping, or text that is none.
    """
    try:
        with path.open("rb") as file:
            read = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ParamsError(refusal(error, path, "read")) from None
    except ValueError as error:
        raise ParamsError(
            f"{shown(str(path))}: is no name of a file ({reason_of(error)})"
        ) from None
    if len(read) > MOST_BYTES:
        raise ParamsError(f"{path}: expected parameters, {MOST_BYTES // 1000} kB at most; got more")
    try:
        text = read.decode("utf-8")
        _require_merged(text)
        _require_one_dialect(text)
        if _depth(text) > _DEEPEST:
            raise RecursionError
        content = copy.deepcopy(_parsed(text))
    except RecursionError:
        raise ParamsError(f"{path}: is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ParamsError(
            f"{path}: is not valid YAML (no UTF-8 text, from byte {error.start:,} on); save it as "
            "UTF-8"
        ) from None
    # The parser also fails by errors that are none of its own.
    except Exception as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or reason_of(error)
        raise ParamsError(f"{path}{line}: is not valid YAML ({key_name(problem)})") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path}: expected a mapping of sections, got {type(content).__name__}")
    for name, text in _texts(content):
        if not is_text(text):
            raise ParamsError(f"{path}: {name}: {shown(text)} is no text; write another value")
    return content


def _require_merged(text: str) -> None:
    """Refuse what Git leaves of a merge that it could not finish."""
    found = re.search(r"^<{7} ", text, re.MULTILINE)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise ValueError(f"a conflict of Git's begins in line {line}: choose a side")


def _require_one_dialect(text: str) -> None:
    """Raise ValueError for what DVC, whose parser is another one, would read as something else."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("%"):
            raise ValueError(f"line {number}: a directive, {shown(line.rstrip())}")
        if found := next((each for each in line if each in _SEPARATORS), None):
            raise ValueError(f"line {number}: the character U+{ord(found):04X}")


def is_text(value: str) -> bool:
    """Say whether `value` is text that the file can hold: no null character, and all of it UTF-8.

    A name of a file may not be: Python has surrogates for bytes that are no UTF-8.
    """
    return not _NO_TEXT.search(value)


def _texts(content: Any) -> Iterator[tuple[str, str]]:
    """Yield every text in a file's content with its dotted name, keys too; each section once.

    Anchors may make a file that ends nowhere, or is huge when it is written out.
    """
    rest, seen = [("", content)], set()
    while rest:
        name, value = rest.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                inner = f"{name}.{key_name(key)}".lstrip(".")
                rest += [(inner, item), (inner, key)]


def pick(content: Any, keys: list[str], path: Path) -> Any:
    """Return the value under nested `keys` of the read file `content`.

    Raises:
        ParamsError: a key is missing; the nearest one that exists is offered.
    """
    for depth, name in enumerate(keys):
        if not isinstance(content, dict) or name not in content:
            known = list(map(key_name, content)) if isinstance(content, dict) else []
            missing = ".".join(keys[: depth + 1])
            raise ParamsError(f"{path}: {missing} is missing{nearest(name, known)}")
        content = content[name]
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
        raise ParamsError(f"{path}: {name} must be a mapping, got {shown(values)}")
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        # A misspelt key is also a missing one, and its misspelling says more.
        problems = error.errors(include_url=False)
        problem = min(problems, key=lambda each: each["type"] != "extra_forbidden")
        # "[key]" is pydantic's word for a key of a mapping, as against its value.
        location = [str(part) for part in problem["loc"] if part != "[key]"]
        full_name = ".".join([name, *map(key_name, _written(location, values))])
        if problem["type"] == "extra_forbidden":
            known = _keys_beside(schema, location[:-1])
            raise ParamsError(
                f"{path}: {full_name} is not a known parameter{nearest(location[-1], known)}"
            ) from None
        if problem["type"] == "missing":
            raise ParamsError(f"{path}: {full_name} is missing") from None
        if problem["type"] == "union_tag_invalid":
            tag = problem["ctx"]["tag"]
            known = [known.strip(" '") for known in problem["ctx"]["expected_tags"].split(",")]
            raise ParamsError(
                f"{path}: {full_name}.name: no choice {shown(tag)}{nearest(tag, known)}"
            ) from None
        message = problem["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        got = "" if isinstance(problem["input"], dict) else f", got {shown(problem['input'])}"
        raise ParamsError(f"{path}: {full_name}: {message}{got}") from None


def _written(location: list[str], values: Any) -> list[str]:
    """Return pydantic's `location` without the steps that the file does not hold.

    Between a choice (an optimizer, say) and its keys pydantic puts the name of what was chosen.
    """
    names = []
    for part in location:
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif part is not location[-1]:
            continue
        names.append(part)
    return names


def _keys_beside(schema: type[BaseModel], location: list[str]) -> list[str]:
    """Return the keys that `schema` knows at pydantic's `location`."""
    options: list[Any] = [schema]
    for part in location:
        chosen = [option for option in options if _tag(option) == part]
        if chosen:
            options = chosen
            continue
        fields = [option.model_fields[part] for option in options if part in option.model_fields]
        annotations = [field.annotation for field in fields]
        # A mapping of names to sections, such as the blocks: any name leads to the section.
        options = [
            member
            for annotation in annotations
            for member in (get_args(annotation) or (annotation,))
            if isinstance(member, type) and issubclass(member, BaseModel)
        ] or options
    return [key for option in options for key in option.model_fields]


def _tag(schema: type[BaseModel]) -> str | None:
    """Return the name by which a schema is chosen among others, its literal `name`."""
    name = schema.model_fields.get("name")
    return get_args(name.annotation)[0] if name and get_args(name.annotation) else None


def load_section(path: Path, schema: type[Schema], name: str) -> Schema:
    """Read section `name` (dotted for a nested one) of the file `path` as a `schema`.

    Raises:
        ParamsError: the file or the section cannot be used; exit code 2.
    """
    return validate(schema, pick(read_yaml(path), name.split("."), path), name, path)
