"""Readings for a Japanese text, as markup (kit.ruby): by hand where somebody wrote them, from the
city's own list of words next, and else from Sudachi's dictionary.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from policity.kit import ruby
from policity.kit import words as dictionary

_KANJI = "㐀-䶿一-鿿豈-﫿𠀀-𲎯々〆ヶ"
_HAS_KANJI = re.compile(f"[{_KANJI}]")
_RUN = re.compile(f"[{_KANJI}]+|[^{_KANJI}]+")
_BY_HAND = re.compile(r"\{[^{}|]+\|[^{}|]+\}")
_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}


def furigana(text: str, words: Mapping[str, str]) -> str:
    """The text with a reading at every word that has kanji. `words`: how the city reads them.

    What is marked already stays as it is. ValueError: its markup is unbalanced.
    """
    ruby.plain(text)
    found, place = [], 0
    for mark in _BY_HAND.finditer(text):
        found += [_listed(text[place : mark.start()], words), mark[0]]
        place = mark.end()
    return "".join([*found, _listed(text[place:], words)])


def _listed(text: str, words: Mapping[str, str]) -> str:
    """The longest words of the list first: 田無町 before 田無."""
    if not _HAS_KANJI.search(text):
        return text
    there = sorted((word for word in words if word in text), key=len, reverse=True)
    if not there:
        return _from_dictionary(text)
    parts = re.split(f"({'|'.join(map(re.escape, there))})", text)
    return "".join(
        aligned(part, words[part]) if part in words else _from_dictionary(part) for part in parts
    )


@lru_cache(10_000)
def _from_dictionary(text: str) -> str:
    if not _HAS_KANJI.search(text):
        return text
    read = dictionary.read(text)
    return "".join(aligned(word, reading.translate(_KATAKANA)) for word, reading in read)


@lru_cache(50_000)
def aligned(word: str, reading: str) -> str:
    """A word with its reading at its kanji alone: 食べる, たべる → {食|た}べる."""
    runs = _RUN.findall(word)
    if not reading or not _HAS_KANJI.search(word):
        return word
    if len(runs) == 1:
        return f"{{{word}|{reading}}}"
    pattern = "".join(
        "(.+?)" if _HAS_KANJI.match(run) else re.escape(run.translate(_KATAKANA)) for run in runs
    )
    parts = re.fullmatch(pattern, reading)
    if parts is None:
        # A reading that does not fit what is written, 一ヶ月: it stands at the whole word.
        return f"{{{word}|{reading}}}"
    rest = iter(parts.groups())
    return "".join(f"{{{run}|{next(rest)}}}" if _HAS_KANJI.match(run) else run for run in runs)
