"""Names and values in messages: one line, however odd they are."""

from typing import Any

from cifar_pipeline.params.messages import key_name, nearest, shown


def test_every_value_is_a_short_line() -> None:
    values: list[Any] = ["x" * 10**6, "a\nb", "\ud800", 16**6000, -(16**6000), [[]] * 10**5, b"\n"]
    for value in [*values, {"a": "\x1b[31m"}]:
        name = value if isinstance(value, str) else ""
        for text in (shown(value), key_name(value), nearest(name, [name])):
            assert text.isprintable()
            assert len(text) < 400


def test_plain_values_are_shown_as_they_are() -> None:
    assert [shown(value) for value in (1, 0.5, "fast", True, None)] == [
        *("1", "0.5", "'fast'", "True", "None")
    ]
    assert [key_name(name) for name in ("fast", 1, "", "a\nb")] == ["fast", "1", "''", "'a\\nb'"]


def test_the_nearest_name_or_some_of_the_known_ones() -> None:
    assert nearest("fsat", ["fast", "best"]) == ", did you mean 'fast'?"
    assert nearest("x", ["fast", "best"]) == "; known: fast, best"
    assert nearest("x", []) == ""
    assert nearest("x", [f"name{number}" for number in range(100)]).endswith("name19, ...")
