"""Whole files, and damaged ones made of them."""

import io
import json
import zipfile
from collections.abc import Callable

from hypothesis import strategies as st

# What a number in a header may claim.
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)
_WORDS = (
    *(b"-1", b"0", b"1e999", b"-1e-999", b"NaN", b"9" * 30, b"9" * 5000, b"null", b"true"),
    *(b"[" * 2000, b"{" * 2000, b'{"a":' * 2000, b"\xff", b"\x00", b'"\\ud800"', b"\xed\xa0\x80"),
    *(b"\n", b"\t", b"&a", b"*a", b"<<: ", b"!!int x", b"!!bool x", b"!!float x", b"!!set {a, b}"),
    *(b"!!timestamp x", b"2001-99-99", b"!!binary x", b"? [a]: b\n", b"{[1]: 2}", b"\xe2\x80\xa8"),
)


@st.composite
def damaged(draw: st.DrawFn, whole: list[bytes]) -> bytes:
    """Return one of the files `whole`, changed in up to six places."""
    content = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 6))):
        change = draw(st.sampled_from(_CHANGES))
        change(content, draw, whole)
    return bytes(content)


def _place(content: bytearray, draw: st.DrawFn) -> int:
    """Return an offset, often one in the first bytes or the last: headers, lists of archives."""
    most = len(content)
    near = draw(st.sampled_from(["anywhere", "start", "end"]))
    if near == "start":
        return draw(st.integers(0, min(64, most)))
    if near == "end":
        return most - draw(st.integers(0, min(200, most)))
    return draw(st.integers(0, most))


def _flip(content: bytearray, draw: st.DrawFn, _: list[bytes]) -> None:
    at = _place(content, draw)
    if at < len(content):
        content[at] ^= 1 << draw(st.integers(0, 7))


def _set_number(content: bytearray, draw: st.DrawFn, _: list[bytes]) -> None:
    at, number = _place(content, draw), draw(st.sampled_from(_NUMBERS))
    width = draw(st.sampled_from([1, 2, 4, 8]))
    order = draw(st.sampled_from(["big", "little"]))
    content[at : at + width] = (number % 256**width).to_bytes(width, order)


def _cut(content: bytearray, draw: st.DrawFn, _: list[bytes]) -> None:
    del content[_place(content, draw) :]


def _remove(content: bytearray, draw: st.DrawFn, _: list[bytes]) -> None:
    at = _place(content, draw)
    del content[at : at + draw(st.integers(1, 64))]


def _repeat(content: bytearray, draw: st.DrawFn, _: list[bytes]) -> None:
    at = _place(content, draw)
    chunk = content[at : at + draw(st.integers(1, 256))]
    content[at:at] = chunk * draw(st.sampled_from([1, 2, 100]))


def _insert(content: bytearray, draw: st.DrawFn, _: list[bytes]) -> None:
    at = _place(content, draw)
    content[at:at] = draw(st.one_of(st.sampled_from(_WORDS), st.binary(max_size=16)))


def _replace_word(content: bytearray, draw: st.DrawFn, _: list[bytes]) -> None:
    """Replace a number or a word of a text by another one."""
    at = _place(content, draw)
    end = at
    while end < len(content) and (chr(content[end]).isalnum() or content[end] in b".-_"):
        end += 1
    content[at:end] = draw(st.sampled_from(_WORDS))


def _take_head_of_another(content: bytearray, draw: st.DrawFn, whole: list[bytes]) -> None:
    length = draw(st.integers(1, 128))
    content[:length] = draw(st.sampled_from(whole))[:length]


_CHANGES: tuple[Callable[[bytearray, st.DrawFn, list[bytes]], None], ...] = (
    *(_flip, _set_number, _cut, _remove, _repeat, _insert, _replace_word, _take_head_of_another),
)


@st.composite
def damaged_inside(draw: st.DrawFn, archive: bytes) -> bytes:
    """Return a zip archive one of whose files is damaged, and whose checksums are right."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    name = draw(st.sampled_from(sorted(entries)))
    if name == "config.json" and draw(st.booleans()):
        entries[name] = draw(_other_config(entries[name]))
    else:
        entries[name] = draw(damaged([entries[name]]))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        for each, content in entries.items():
            written.writestr(each, content)
    return target.getvalue()


@st.composite
def _other_config(draw: st.DrawFn, content: bytes) -> bytes:
    """Return a model's configuration with another value somewhere."""
    config = json.loads(content)
    value = config
    while isinstance(value, dict | list) and value:
        keys = sorted(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw(st.sampled_from(keys))
        if not isinstance(value[key], dict | list) or draw(st.integers(0, 9)) == 0:
            values = [
                None,
                -1,
                0,
                1,
                10**7,
                10**6,
                10**9,
                10**5,
                1e308,
                "",
                "relu",
                "Lambda",
                [],
                {},
                [[]],
            ]
            value[key] = draw(st.sampled_from(values))
            break
        value = value[key]
    return json.dumps(config).encode()
