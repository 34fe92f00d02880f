"""Which characters that are not seen a text needs."""

import pytest

from cifar_pipeline.common.characters import escaped, unprintable, without_unseen
from cifar_pipeline.common.console import printable

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HEART_ON_FIRE = "\u2764\ufe0f\u200d\U0001f525"
DARK_PILOT = "\U0001f469\U0001f3ff\u200d\u2708\ufe0f"
SHAKING = "\U0001f642\u200d\u2194\ufe0f"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
I_WANT = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # Persian
KSHA = "\u0915\u094d\u200d\u0937"  # Hindi, a half ka before ssa


@pytest.mark.parametrize(
    "text", [FAMILY, HEART_ON_FIRE, DARK_PILOT, SHAKING, SCOTLAND, I_WANT, KSHA, "a cat \u00e9"]
)
def test_what_a_text_needs_stays(text: str) -> None:
    assert unprintable(f"{text} and {text}") == []
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("a\u200db", [1]),
        ("\u200d", [0]),
        ("\U0001f468\u200d", [1]),
        ("\u200d\U0001f468", [0]),
        (f"{FAMILY}\u200dx", [5]),
        ("\U0001f468\u200c\U0001f469", [1]),
        ("\u0645\u200dx", [1]),
        ("\ufe0f\u200d\U0001f525", [1]),  # no emoji before the selector
        (SCOTLAND[:-1], [1, 2, 3, 4, 5]),
        (SCOTLAND[1:], [0, 1, 2, 3, 4, 5]),
        ("a\xa0\x1b\u202e\u200b\ufeff\n\udcff", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_what_a_text_does_not_need(text: str, indices: list[int]) -> None:
    assert unprintable(text) == indices
    assert unprintable(printable(text)) == []


def test_two_texts_that_look_alike() -> None:
    assert without_unseen(HEART_ON_FIRE) == without_unseen("\u2764\u200d\U0001f525")
    assert without_unseen(SCOTLAND) != without_unseen("\U0001f3f4")
    assert without_unseen("cafe\u0301") == "cafe\u0301"
    assert escaped("a\u2764\ufe0f\x1b") == "a\u2764\\ufe0f\\x1b"
