"""Names and values of params.yaml in messages: one line, however odd they are."""

import difflib
import reprlib
from collections.abc import Mapping
from typing import Any, Final

_NAMES_SHOWN: Final = 20


def nearest(name: object, known: Mapping[str, Any] | list[str]) -> str:
    """Return `, did you mean 'x'?` for the known name closest to `name`, else the known names."""
    close = difflib.get_close_matches(str(name)[:100], list(known), n=1)
    if close:
        return f", did you mean {shown(close[0])}?"
    if not known:
        return ""
    names = [key_name(each) for each in known][:_NAMES_SHOWN]
    return f"; known: {', '.join([*names, *(['...'] if len(known) > len(names) else [])])}"


def shown(value: Any) -> str:
    """Return a value of the file for a message, in one line that is never long."""
    return _Short().repr(value)


def key_name(name: object) -> str:
    """Return a key of the file for a message: as it is, unless that is no short plain text."""
    text = name if isinstance(name, str) else shown(name)
    return text if 0 < len(text) <= 100 and text.isprintable() else shown(text)


class _Short(reprlib.Repr):
    """Python's notation, shortened: also of an integer that Python would not print."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 100

    def repr_int(self, value: int, level: int) -> str:
        """Return the digits, or about how many there are."""
        bits = value.bit_length()
        return repr(value) if bits < 100 else f"an integer of {bits * 0.30103:,.0f} digits"
