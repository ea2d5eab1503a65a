"""Searching without a server: which file of the published folder knows what.

A reader's browser cuts what is typed into every two signs (kit.japanese.grams) and asks for the
files that those are in, by a number made of the signs: some kilobytes, however large the site.
`design/static/design/search.js` does the same sums.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from policity.kit.japanese import fold, grams, runs, skeleton
from policity.kit.words import Weight, words

# Documents in one file of titles.
CHUNK = 200
# Up to so many documents of a language, and how many files their signs are in.
_SIZES = ((200, 16), (2_000, 64))
_MOST = 256
# What a line says of a page.
SUMMARY = 120


def shards(documents: int) -> int:
    """In how many files the signs of so many documents are."""
    return next((count for size, count in _SIZES if documents <= size), _MOST)


@cache
def number_of(signs: str) -> int:
    """A number for some signs (FNV-1a over UTF-16, 32 bits): its remainder is their file."""
    found = 2166136261
    units = signs.encode("utf-16-le")
    for low, high in zip(units[::2], units[1::2], strict=True):
        found = ((found ^ (high << 8 | low)) * 16777619) & 0xFFFFFFFF
    return found


def signs_of(text: str, code: str) -> frozenset[str]:
    """The signs by which a text is found: as written, and in Japanese as read and as usual.

    引っ越し is found by 引越し and ひっこし, too.
    """
    folded = fold(text)
    found = set(grams(folded))
    if code.startswith("ja"):
        said = words(text)
        found |= set(grams("".join(w.reading if any(runs(w.surface)) else " " for w in said)))
        for word in said:
            if word.weight is not Weight.NOTHING:
                found |= set(grams(word.norm)) | set(grams(skeleton(word.norm)))
    return frozenset(found)


def deltas(numbers: Iterable[int]) -> Iterator[int]:
    """Ascending numbers, each as its distance from the one before: fewer figures."""
    before = 0
    for number in numbers:
        yield number - before
        before = number
