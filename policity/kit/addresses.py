"""Japanese addresses: one spelling out of many, and the town (町丁目) an address begins with."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

_KANJI = "〇一二三四五六七八九"
_NUMERAL = f"[{_KANJI}十百]"
_DIGIT = f"[0-9{_KANJI}十百]"
# NFKC already folds the full-width ones.
_DASHES = str.maketrans(dict.fromkeys("‐‒–—―−─━⁃˗﹘", "-"))
# 八番町 and 101号室 are names; their 番 and 号 separate nothing.
_NAME_GOES_ON = "[町丁街通組館棟室線]"

_SPACE = re.compile(r"(?<![0-9A-Za-z])\s+|\s+(?![0-9A-Za-z])")
_LONG_DASH = re.compile(f"(?<={_DIGIT})(?:ー+|ハイフン)(?={_DIGIT})")
_SMALL_GA = re.compile(r"(?<=[一-鿿々ぁ-ん])[ヶケガ](?=[一-鿿々ぁ-ん])")
_SMALL_NO = re.compile(r"(?<=[一-鿿々ぁ-ん])ノ(?=[一-鿿々ぁ-ん])")
_NUMERALS = re.compile(
    f"{_NUMERAL}+(?=丁目|番地|[番号](?!{_NAME_GOES_ON})|条|[-の]{_DIGIT})"
    f"|(?:(?<=[0-9][-の])|(?<=[目地番号]の)|(?<=[0-9](?:丁目|番地))|(?<=[0-9]番)){_NUMERAL}+(?![一-鿿])"
)
_BETWEEN = re.compile(r"(?<=[0-9])(?:(?:丁目|番地|番|号)の?|の)(?=[0-9])")
_AFTER = re.compile(f"(?<=[0-9])(?:丁目|番地|番|号)(?!{_NAME_GOES_ON})")


def normalise(address: str) -> str:
    """The address as it is compared, not shown: 「泉町三丁目６番８号」→ "泉町3-6-8".

    Widths, kanji numerals, every kind of hyphen, 丁目・番・番地・号, 大字, spaces and ヶ/が, ノ/の
    are folded. Numerals inside names (一宮, 八番町) and 号室 stay. Idempotent.
    """
    return _settled(_joined, address)


def parse(
    address: str, towns: Sequence[str], prefixes: Sequence[str] = ()
) -> tuple[str | None, str]:
    """The town an address begins with, spelled as in `towns`, and what follows, normalised.

    `prefixes` (prefecture, district, city) may stand before the town, each or none. An address
    elsewhere, or one that names no 丁目 where the town has them (泉町3番6号), gives None and the
    whole address.
    """
    finder, names = _finder(tuple(towns), tuple(prefixes))
    tidy = _settled(_tidied, address)
    found = finder.match(tidy)
    if found is None:
        return None, normalise(address)
    return names[found[1] or found[2]], normalise(tidy[found.end() :]).lstrip("- ")


def _settled(step: Callable[[str], str], text: str) -> str:
    """The step repeated until it changes nothing: what it removes may join what stood apart."""
    while (done := step(text)) != text:
        text = done
    return text


def _joined(text: str) -> str:
    return _AFTER.sub("", _BETWEEN.sub("-", _settled(_tidied, text)))


def _tidied(text: str) -> str:
    """One spelling for each sign; 丁目, 番 and 号 still stand."""
    text = unicodedata.normalize("NFKC", text).translate(_DASHES).replace("大字", "")
    text = _LONG_DASH.sub("-", _SPACE.sub("", text))
    text = _SMALL_NO.sub("の", _SMALL_GA.sub("が", text))
    return _NUMERALS.sub(lambda found: str(_value(found[0])), re.sub("-+", "-", text))


def _value(numeral: str) -> int:
    """二十三 → 23, 二〇 → 20."""
    total = digits = 0
    for sign in numeral:
        if sign in _KANJI:
            digits = digits * 10 + _KANJI.index(sign)
        else:
            total += max(digits, 1) * (10 if sign == "十" else 100)
            digits = 0
    return total + digits


@lru_cache(maxsize=8)
def _finder(
    towns: tuple[str, ...], prefixes: tuple[str, ...]
) -> tuple[re.Pattern[str], dict[str, str]]:
    """A pattern that finds the longest town, and the towns by what it finds."""
    numbered: dict[str, str] = {}
    plain: dict[str, str] = {}
    for town in towns:
        tidy = _settled(_tidied, town)
        (numbered if tidy.endswith("丁目") else plain)[tidy.removesuffix("丁目")] = town
    before = "".join(f"(?:{re.escape(_settled(_tidied, name))})?" for name in prefixes)
    return (
        re.compile(
            f"{before}(?:{_either(numbered)}(?:丁目|(?![0-9番号]))(?:の(?=[0-9]))?"
            f"|{_either(plain)})"
        ),
        plain | numbered,
    )


def _either(names: dict[str, str]) -> str:
    """A group of the names, longest first; without names it never matches."""
    return f"({'|'.join(map(re.escape, sorted(names, key=len, reverse=True))) or '(?!)'})"
