"""From the schema of a choice to what builds it."""

from collections.abc import Callable, Mapping
from typing import Any

from cifar_pipeline.params.loading import Section

# From a schema's class to a function that takes its instance first.
Builders = Mapping[type[Section], Callable[..., Any]]


def builder_of(choice: Section, table: Builders, name: str) -> Callable[..., Any]:
    """Return the builder of the class of `choice`.

    Args:
        choice: an instance of a schema.
        table: of builders.
        name: of the table, for the message.

    Raises:
        TypeError: the table has none.
    """
    try:
        return table[type(choice)]
    except KeyError:
        known = ", ".join(schema.__name__ for schema in table)
        raise TypeError(
            f"{name} has no builder for {type(choice).__name__}, only for {known}"
        ) from None
