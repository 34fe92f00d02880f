"""The note of a file's state: what may stand in If-Range, and nothing else."""

import pytest
import requests

from cifar_pipeline.download.validator import forget_validator, note_validator, validator_of

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def answer(**headers):
    response = requests.Response()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ETag": '"abc"', "Last_Modified": DATE}, '"abc"'),
        ({"ETag": 'W/"abc"', "Last_Modified": DATE}, DATE),
        ({"ETag": "abc"}, None),
        ({"ETag": '"a\u00e9"'}, None),
        ({"Last_Modified": "yesterday"}, None),
        ({}, None),
    ],
)
def test_a_strong_validator_is_noted(headers, expected, tmp_path):
    note_validator(tmp_path / "part", answer(ETag='"before"'))
    note_validator(tmp_path / "part", answer(**headers))
    assert validator_of(tmp_path / "part") == expected
    forget_validator(tmp_path / "part")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'"torn', b"\xff\xfe", b'"a"\r\nX: y'])
def test_a_damaged_note_counts_as_none(content, tmp_path):
    (tmp_path / "part.validator").write_bytes(content)
    assert validator_of(tmp_path / "part") is None
