"""Readings (furigana) written inside a text: `{漢字|かんじ}`.

Base, bar and reading are all needed; braces and bars have no other meaning and do not nest.
"""

import re
from html import escape

SIGNS = frozenset("{|}")
"""What the markup is made of: a text that is not ours may not hold any of it."""

RUBY = ("<ruby>", "<rp>（</rp><rt>", "</rt><rp>）</rp></ruby>")
"""What the markup's signs become in HTML."""

_WIDE = str.maketrans("{|}", "｛｜｝")
_MARKED = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")
_BALANCED = re.compile(r"[^{}|]*(?:\{[^{}|]+\|[^{}|]+\}[^{}|]*)*")
_KANJI = re.compile(r"[㐀-䶿一-鿿豈-﫿𠀀-𲎯々〆]")  # 々 and 〆 are read like kanji


def plain(text: str) -> str:
    """The text without its readings, for attributes, titles and search. ValueError: unbalanced."""
    pieces = _MARKED.split(_balanced(text))
    del pieces[2::3]
    return "".join(pieces)


def bracketed(text: str) -> str:
    """The text with readings in brackets, for mails: 漢字（かんじ）. ValueError: unbalanced."""
    return "".join(f"{base}（{reading}）" if reading else base for base, reading in parts(text))


def html(text: str) -> str:
    """The text escaped, readings as ruby with brackets for readers without it.

    ValueError when the markup is unbalanced.
    """
    # Escaping writes no sign of the markup. Whole pages come by here: nothing is faster.
    shown = escape(_balanced(text))
    for sign, tags in zip("{|}", RUBY, strict=True):
        shown = shown.replace(sign, tags)
    return shown


def foreign(text: str) -> str:
    """A text that is not ours as one without markup: its signs are written wide, ｛｜｝."""
    return text.translate(_WIDE)


def readings(text: str) -> tuple[tuple[str, str], ...]:
    """(base, reading) of each marked word, in order. ValueError when the markup is unbalanced."""
    return tuple((base, reading) for base, reading in parts(text) if reading)


def readings_missing(text: str) -> tuple[str, ...]:
    """Each kanji that stands outside the markup, in order: empty when all have a reading."""
    return tuple(
        kanji for base, reading in parts(text) if not reading for kanji in _KANJI.findall(base)
    )


def parts(text: str) -> list[tuple[str, str]]:
    """(base, reading) in order; the reading is empty outside the markup. ValueError: unbalanced."""
    pieces = _MARKED.split(_balanced(text))
    # What stands outside, a word, its reading, and so on.
    found = [(pieces[0], "")]
    for n in range(1, len(pieces), 3):
        found += [(pieces[n], pieces[n + 1]), (pieces[n + 2], "")]
    return [one for one in found if one[0]]


def _balanced(text: str) -> str:
    """The text. ValueError where a sign of the markup stands by itself."""
    if not _BALANCED.fullmatch(text):
        raise ValueError(f"unbalanced reading markup: {text!r}")
    return text
