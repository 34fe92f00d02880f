"""Values for params.yaml that hypothesis draws, made of the schemas: a new key needs no new line.

A drawn file is the shipped one with one small preset, in which some keys have other values: allowed
ones, and in some files one thing that is not.
"""

import copy
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from cifar_pipeline.params.download import DownloadParams
from cifar_pipeline.params.evaluate import EvaluateParams
from cifar_pipeline.params.loading import Section
from cifar_pipeline.params.preprocess import PreprocessParams
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.params.train import TrainParams
from params_files import SHIPPED

PRESETS = list(SHIPPED["models"])
_SMALL = {"filters": 4, "convolutions": 1, "dense_units": 8, "epochs": 2, "batch_size": 8}
# What no key takes, or only a few do.
ODD_VALUES: list[Any] = [
    *(None, True, "", "x", "1", "nan", -1, 0, 1.5, -0.0, 1e308, 1e-320, 10**30, 10**400),
    *(float("inf"), float("nan"), [], {}, [1], {"name": "x"}, {1: 2}, "\x00", "a\nb", "\ud800"),
    *("x" * 5000, 10**15, -(10**30)),
]
ODD_NAMES: list[Any] = [
    *("", ".", "fast.v2", "a[0]", "a:b", "a/b", "a b", " a", "-a", "1", "true", "null", "ü", "é"),
    *("日本", "a\nb", "\x00", "$a", "${x}", "*", "&a", "#", "a,b", "a=b", "x" * 300, "\ud800"),
    *(1, 1.5, True, None, 10**30),
]


class Leaf(NamedTuple):
    """A key that holds a value, and not a section: where it stands, and values that it allows."""

    path: tuple[str, ...]
    values: st.SearchStrategy[Any]


def leaves() -> list[Leaf]:
    """Return every key of a file with one preset, `drawn`, of three blocks."""
    found: list[Leaf] = []
    for name, schema in {
        "preprocess": PreprocessParams,
        "train": TrainParams,
        "evaluate": EvaluateParams,
    }.items():
        found += _of_section(schema, (name,))
    found += _of_section(ModelParams, ("models", "drawn"))
    download = DownloadParams.model_fields
    for key in ("minimum_kilobytes_per_second", "slow_for_seconds", "fit", "broken_images"):
        found.append(Leaf(("download", key), values_of(download[key].annotation, download[key])))
    return [leaf for leaf in found if leaf.path != ("train", "model")]


def _of_section(schema: type[Section], at: tuple[str, ...]) -> Iterator[Leaf]:
    for key, field in schema.model_fields.items():
        if key == "blocks":
            block = get_args(field.annotation)[1]
            for number in (1, 2, 3):
                yield from _of_section(block, (*at, f"block{number}"))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _of_section(field.annotation, (*at, key))
        else:
            yield Leaf((*at, key), values_of(field.annotation, field))


def values_of(annotation: Any, field: FieldInfo | None = None) -> st.SearchStrategy[Any]:
    """Return a strategy of the values that a key takes, small ones more often than great ones."""
    limits = list(field.metadata) if field else []
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        limits += [limit for each in more for limit in getattr(each, "metadata", [each])]
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return st.one_of([values_of(each) for each in get_args(annotation)])
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return section(annotation)
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        return st.just("drawn")
    bounds = dict.fromkeys((Ge, Gt, Le, Lt))
    for limit in limits:
        if type(limit) in bounds:
            bounds[type(limit)] = getattr(limit, type(limit).__name__.lower())
    if annotation is int:
        least = bounds[Ge] if bounds[Ge] is not None else (bounds[Gt] or 0) + 1
        most = bounds[Le] if bounds[Le] is not None else (bounds[Lt] or 10**9) - 1
        near = st.integers(least, min(least + 3, most))
        return st.one_of(near, near, near, near, st.sampled_from([most, most // 2 or most]))
    assert annotation is float, annotation
    least, most = bounds[Ge] or bounds[Gt] or 0.0, bounds[Le] or bounds[Lt] or 1e6
    common = st.floats(
        least,
        min(most, 2.0),
        exclude_min=bounds[Gt] is not None,
        exclude_max=most <= 2.0 and bounds[Lt] is not None,
    )
    return st.one_of(common, common, common, st.just(most)) if bounds[Le] else common


def section(schema: type[Section]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of whole sections of a schema."""
    fields = schema.model_fields.items()
    return st.fixed_dictionaries({key: values_of(field.annotation, field) for key, field in fields})


LEAVES = leaves()


@st.composite
def files(draw: st.DrawFn, most_changes: int = 3) -> dict[str, Any]:
    """Draw the content of a params.yaml; in a fifth of them something is not allowed."""
    content = small_file(draw(st.sampled_from(PRESETS)))
    number = draw(st.integers(0, most_changes))
    for leaf in draw(st.lists(st.sampled_from(LEAVES), min_size=number, max_size=number)):
        put(content, leaf.path, draw(leaf.values))
    if draw(st.integers(0, 4)) == 0:
        _spoil(draw, content)
    return content


def small_file(preset: str) -> dict[str, Any]:
    """Return the shipped file with one preset, named `drawn`, that has few filters."""
    content = copy.deepcopy(SHIPPED)
    drawn = content["models"][preset]
    for part in (drawn, drawn["head"], *(drawn[key] for key in drawn if key.startswith("block"))):
        if isinstance(part, dict):
            part.update({key: min(part[key], most) for key, most in _SMALL.items() if key in part})
            if part.get("shortcut"):
                part["convolutions"] = 2
    drawn["early_stopping"]["start_from_epoch"] = 0
    content["models"] = {"drawn": drawn}
    content["train"]["model"] = "drawn"
    content["preprocess"]["validation_images"] = 0.2
    return content


def put(content: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    """Set a key; where its section is not there, the section too."""
    *parents, key = path
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            return
    content[key] = value


def _spoil(draw: st.DrawFn, content: dict[str, Any]) -> None:
    """Do one thing that a file should not have, or might not."""
    path = draw(st.sampled_from(LEAVES)).path
    path = path[: draw(st.integers(1, len(path)))]
    kind = draw(st.sampled_from(["value", "key", "missing", "preset"]))
    if kind == "value":
        put(content, path, draw(st.sampled_from(ODD_VALUES)))
    elif kind == "key":
        put(content, (*path[:-1], draw(st.sampled_from([*ODD_NAMES, "filter"]))), 1)
    elif kind == "missing":
        section_of: Any = content
        for parent in path[:-1]:
            section_of = section_of.get(parent, {})
        section_of.pop(path[-1], None)
    else:
        name = draw(st.sampled_from(ODD_NAMES))
        content["models"][name] = content["models"].pop("drawn", {})
        content["train"]["model"] = name
