"""Characters that are not seen: which of them a text needs, and which only make two texts alike.

Source: RFC 5892, appendices A.1 and A.2 (joiners in names of domains), here with the letters of
bidirectional class AL for those that join; and Unicode Technical Standard 51 (emoji sequences).
"""

import re
import unicodedata

_NON_JOINER, _JOINER = "\u200c", "\u200d"
# A flag of a region, as that of Scotland: a black flag, letters that are not seen, and their end.
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
# Joiners and variation selectors. Flags without their letters would all be one.
_UNSEEN = re.compile(f"[{_NON_JOINER}{_JOINER}\ufe00-\ufe0f]")
_VIRAMA = 9  # the combining class of signs that take the vowel from an Indic letter


def unprintable(text: str) -> list[int]:
    """Return the indices of what would act on a terminal, or is not seen and means nothing there.

    That are control and format characters, all spaces but the plain one, and bytes that are no
    text; but not joiners between emoji, between Arabic letters and in Indic scripts, nor the
    letters of a flag.
    """
    if text.isprintable():
        return []
    flags = {at for flag in _FLAG.finditer(text) for at in range(*flag.span())}
    return [
        at
        for at, character in enumerate(text)
        if not (character.isprintable() or at in flags or _joins(text, at))
    ]


def without_unseen(text: str) -> str:
    """Return `text` as it looks: equal for two texts that differ in what is not seen alone."""
    return _UNSEEN.sub("", text)


def escaped(text: str) -> str:
    r"""Return `text` with escapes, such as \u200d, for all that is not seen, needed or not."""
    return "".join(
        character if character.isprintable() and not _UNSEEN.match(character) else escape(character)
        for character in text
    )


def escape(character: str) -> str:
    r"""Return a character as \x1b, \u200d, ..."""
    return character.encode("unicode_escape").decode()


def _joins(text: str, at: int) -> bool:
    """Say whether a character is a joiner that changes the look of its neighbours."""
    if text[at] not in (_NON_JOINER, _JOINER) or not 0 < at < len(text) - 1:
        return False
    if unicodedata.combining(text[at - 1]) == _VIRAMA:
        return True
    # A letter may have vowel signs, an emoji a variation selector and a tone of skin.
    base = next((each for each in reversed(text[:at]) if not _is_modifier(each)), "")
    pair = (base, text[at + 1])
    if text[at] == _NON_JOINER:
        return all(unicodedata.bidirectional(each) == "AL" for each in pair)
    return all(each and unicodedata.category(each) in ("So", "Sm") for each in pair)


def _is_modifier(character: str) -> bool:
    return unicodedata.category(character) == "Mn" or character in _SKIN_TONES
