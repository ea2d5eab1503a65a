"""Readings (furigana) written inside a text: `{漢字|かんじ}`.

Base, bar and reading are all needed; braces and bars have no other meaning and do not nest.
"""

import re
from html import escape

SIGNS = frozenset("{|}")
"""What the markup is made of: a text that is not ours may not hold any of it."""

_WIDE = str.maketrans("{|}", "｛｜｝")
_TOKEN = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}|[{}|]|[^{}|]+")
_KANJI = re.compile(r"[㐀-䶿一-鿿豈-﫿𠀀-𲎯々〆]")  # 々 and 〆 are read like kanji


def plain(text: str) -> str:
    """The text without its readings, for attributes, titles and search. ValueError: unbalanced."""
    return "".join(base for base, _ in _parts(text))


def bracketed(text: str) -> str:
    """The text with readings in brackets, for mails: 漢字（かんじ）. ValueError: unbalanced."""
    return "".join(f"{base}（{reading}）" if reading else base for base, reading in _parts(text))


def html(text: str) -> str:
    """The text escaped, readings as ruby with brackets for readers without it.

    ValueError when the markup is unbalanced.
    """
    return "".join(
        f"<ruby>{escape(base)}<rp>（</rp><rt>{escape(reading)}</rt><rp>）</rp></ruby>"
        if reading
        else escape(base)
        for base, reading in _parts(text)
    )


def foreign(text: str) -> str:
    """A text that is not ours as one without markup: its signs are written wide, ｛｜｝."""
    return text.translate(_WIDE)


def readings(text: str) -> tuple[tuple[str, str], ...]:
    """(base, reading) of each marked word, in order. ValueError when the markup is unbalanced."""
    return tuple((base, reading) for base, reading in _parts(text) if reading)


def readings_missing(text: str) -> tuple[str, ...]:
    """Each kanji that stands outside the markup, in order: empty when all have a reading."""
    return tuple(
        kanji for base, reading in _parts(text) if not reading for kanji in _KANJI.findall(base)
    )


def _parts(text: str) -> list[tuple[str, str]]:
    """(base, reading) in order; the reading is empty outside the markup."""
    parts = []
    for token in _TOKEN.finditer(text):
        base, reading = token.groups()
        if base:
            parts.append((base, reading))
        elif token[0] in "{}|":
            raise ValueError(f"unbalanced reading markup at {token.start()}: {text!r}")
        else:
            parts.append((token[0], ""))
    return parts
