"""Values for the keys of any schema, so that a new key needs no new line in its test."""

from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic.fields import FieldInfo

from cifar_pipeline.params.loading import Section

Schema = TypeVar("Schema", bound=Section)
_NUMBERS: dict[Any, Any] = {bool: True, int: 3, float: 0.25}


def values_on(field: FieldInfo) -> list[Any]:
    """Return values of a field that are not its off value: each choice, or a number."""
    if get_origin(field.annotation) is Literal:
        return [value for value in get_args(field.annotation) if value != field.default]
    return [_NUMBERS[field.annotation]]


def all_on(schema: type[Schema]) -> Schema:
    """Return an instance in which everything is on."""
    fields = schema.model_fields.items()
    return schema.model_validate({name: values_on(field)[-1] for name, field in fields})


def each_on(schema: type[Schema]) -> list[Schema]:
    """Return instances in which one thing alone is on: for every key and each of its choices."""
    return [
        schema.model_validate({name: value})
        for name, field in schema.model_fields.items()
        for value in values_on(field)
    ]
