"""Off values: a key may be left out where its feature is off, and digests do so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, Field, ValidationError

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.params.loading import Section, off, read_yaml, without_off
from cifar_pipeline.params.presets import ModelParams, load_model
from closure import ROOT


class Before(Section):
    """A section as it was."""

    size: int = Field(ge=1)
    rate: float = off(0.0, ge=0, lt=1)


class Since(Before):
    """The same with a feature that came later."""

    kind: str = off("none")


class Outer(Section):
    """Sections within sections."""

    inner: Before
    named: dict[str, Before]
    listed: list[Before]


def schemas(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield every schema within `annotation`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from schemas(field.annotation)
    for argument in get_args(annotation):
        yield from schemas(argument)


def test_a_key_that_is_not_there_is_off() -> None:
    assert Since(size=3) == Since(size=3, rate=0.0, kind="none")
    with pytest.raises(ValidationError, match="less than 1"):
        Before(size=3, rate=1.0)


def test_what_is_off_is_left_out() -> None:
    assert without_off(Before(size=3, rate=0)) == {"size": 3}
    assert without_off(Before(size=3, rate=0.5)) == {"size": 3, "rate": 0.5}
    on, out = Before(size=1, rate=0.1), Before(size=2)
    outer = Outer(inner=out, named={"a": on}, listed=[out, on])
    assert without_off(outer) == {
        "inner": {"size": 2},
        "named": {"a": {"size": 1, "rate": 0.1}},
        "listed": [{"size": 2}, {"size": 1, "rate": 0.1}],
    }


def test_a_feature_that_comes_later_changes_nothing_where_it_is_off() -> None:
    assert without_off(Since(size=3)) == without_off(Before(size=3))
    assert without_off(Since(size=3, kind="all")) != without_off(Before(size=3))


def test_a_changed_default_is_not_off() -> None:
    class Changed(Section):
        rate: float = Field(0.5, json_schema_extra={"off": 0.0})

    assert without_off(Changed()) == {"rate": 0.5}
    assert without_off(Changed(rate=0.0)) == {}


def test_the_default_of_every_key_of_a_preset_is_its_off_value() -> None:
    """So a preset without the key, of an older branch say, is what it was."""
    found = {(schema, name) for schema in schemas(ModelParams) for name in schema.model_fields}
    optional = [field for s, name in found if not (field := s.model_fields[name]).is_required()]
    assert len(optional) >= 15
    for field in optional:
        assert field.json_schema_extra == {"off": field.default}


def test_a_preset_without_what_is_off() -> None:
    baseline = without_off(load_model(ROOT / "params.yaml", "baseline"))
    assert baseline["augmentation"] == {}
    assert baseline["optimizer"] == {"name": "adam", "learning_rate": 1e-4}
    assert baseline["blocks"]["block2"]["dropout"] == 0.25
    assert "dropout" not in baseline["blocks"]["block1"]
    assert "whitening" not in baseline
    assert ModelParams.model_validate(baseline) == load_model(ROOT / "params.yaml", "baseline")


@pytest.mark.parametrize("text", [r"a\0b", r"\uD800", r"caf\uDCE9"])
@pytest.mark.parametrize("content", ['{{a: "{}"}}', '{{a: [{{"{}": 1}}]}}'])
def test_what_is_no_text_is_refused(tmp_path: Path, text: str, content: str) -> None:
    """No file can have that name, and DVC cannot read most of it."""
    path = tmp_path / "params.yaml"
    path.write_text(content.format(text), encoding="utf-8")
    with pytest.raises(ParamsError, match="is no text") as error:
        read_yaml(path)
    assert str(error.value).isprintable()


def test_any_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("{a: \u00e9l\u00e9phant \U0001f418}", encoding="utf-8")
    assert read_yaml(path) == {"a": "\u00e9l\u00e9phant \U0001f418"}
