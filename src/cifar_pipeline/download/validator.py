"""Which state of a file the first bytes here are of, as its server names it (RFC 9110, 13.1.5).

It stands in a file of its own beside them: another process may go on.
"""

import re
from pathlib import Path

import requests

# A strong ETag, or a date.
_VALIDATOR = re.compile(r'"[\x21\x23-\x7e]*"|[A-Z][a-z]{2}, [0-9A-Za-z :]{1,40} GMT')


def note_validator(part: Path, answer: requests.Response) -> None:
    """Note the validator of the file that `answer` begins, or that it has none."""
    for header in ("ETag", "Last-Modified"):
        value = answer.headers.get(header, "").strip()
        if _VALIDATOR.fullmatch(value):
            _path(part).write_text(value, encoding="ascii")
            return
    forget_validator(part)


def validator_of(part: Path) -> str | None:
    """Return the validator of the file whose first bytes `part` holds, None where there is none."""
    try:
        value = _path(part).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return value if _VALIDATOR.fullmatch(value) else None


def forget_validator(part: Path) -> None:
    """Remove the note beside `part`: it is complete, or its server gives no validators."""
    _path(part).unlink(missing_ok=True)


def _path(part: Path) -> Path:
    return part.with_name(part.name + ".validator")
