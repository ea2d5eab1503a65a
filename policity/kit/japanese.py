"""Japanese text made comparable: what people write in different ways, and mean the same.

Folding is for finding, never for showing. ﾏｲﾅﾝﾊﾞｰ, マイナンバー and まいなんばー fold to one text;
so do 人々 and 人人, 齋藤 and 斎藤, コンピューター and コンピュータ, 三ヶ所 and 三か所.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from opencc import OpenCC

# Forms of names that Unicode, and the tables of old and new forms, keep apart.
_NAMES = str.maketrans("髙﨑濵邉嶋嶌𠮷凬", "高崎浜辺島島吉風")
_KATAKANA = re.compile(r"[ァ-ヶ]")
_HIRAGANA = re.compile(r"[ぁ-ゖー]")
_KANJI = re.compile(r"[㐀-䶿一-鿿豈-﫿𠀀-𲎯々〆]")
_MARKS = "ﾞﾟ\u3099\u309a"
_NO_MARKS = dict.fromkeys((0x3099, 0x309A))
_DASHES = frozenset("‐‑‒–—―−ｰ-ー─")
# A word this long keeps its meaning without the bar at its end: コンピューター, not ビール.
_BAR_AFTER = 3
# Letters of Latin scripts and figures run together to one word; other scripts have no such words.
_LATIN = re.compile(r"[0-9a-zß-ɏ]+")
_RUN = re.compile(r"[0-9a-zß-ɏ]+|[^\W0-9a-zß-ɏ_]+")


def fold(text: str) -> str:
    """The text as it is compared: width, case, kana, 々, bars and old forms of kanji made one."""
    return "".join(sign for sign, _ in _folded(text))


def folded_places(text: str) -> tuple[str, tuple[int, ...]]:
    """The folded text, and for each of its signs where in `text` it comes from."""
    signs = list(_folded(text))
    return "".join(sign for sign, _ in signs), tuple(place for _, place in signs)


def is_kana(text: str) -> bool:
    """Is it written in kana alone (either kind, full or half width)?"""
    return bool(text) and all(_HIRAGANA.match(sign) for sign in fold(text))


def has_kanji(text: str) -> bool:
    """Does it hold a kanji?"""
    return bool(_KANJI.search(text))


def stem(word: str) -> str:
    """What its forms share: 遊ぶ, 遊び, 遊べる → 遊; empty where there is no kanji before kana."""
    found = re.fullmatch(r"(.*[㐀-䶿一-鿿々])[ぁ-ん]+", word)
    return found[1] if found else ""


def skeleton(text: str) -> str:
    """Its kanji without the kana between and after them: 引っ越し, 引越し → 引越; else empty.

    For readers of the published files, whose browser has no dictionary.
    """
    kanji = "".join(_KANJI.findall(text))
    rest = _KANJI.sub("", text)
    return kanji if len(kanji) > 1 and rest and all("ぁ" <= sign <= "ん" for sign in rest) else ""


def grams(folded: str) -> Iterator[str]:
    """Every two neighbouring signs of a folded text; words in Latin letters and numbers whole.

    They find two-character words inside longer ones: 市民税 → 市民 民税. A sign that stands alone
    is given alone.
    """
    for run in runs(folded):
        if _LATIN.fullmatch(run):
            yield _singular(run)
        elif len(run) == 1:
            yield run
        else:
            yield from (one + other for one, other in pairwise(run))


def runs(folded: str) -> Iterator[str]:
    """What stands between spaces, points and signs; Latin letters and others apart."""
    yield from _RUN.findall(folded)


def _singular(word: str) -> str:
    """An English plural's s is not what is looked for."""
    return (
        word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] not in "su0123456789" else word
    )


def _folded(text: str) -> Iterator[tuple[str, int]]:
    before = ""  # what has been given, as far back as a rule looks
    for place, cluster, after in _clusters(text):
        counts = cluster == "ケ" and _KANJI.match(after) and re.match(r"[\d一-鿿]", before[-1:])
        for sign in "か" if counts else _one(cluster):
            if (sign in "々〻" and before) or (sign in "ゝゞ" and before):
                sign = before[-1]
            # A bar may be one that is repeated, too.
            if sign in _DASHES and _HIRAGANA.match(before[-1:]):
                sign = "ー"
                if _ends_word(before, after):
                    continue
            before = before[-_BAR_AFTER:] + sign
            yield sign, place


def _ends_word(before: str, after: str) -> bool:
    """Is this bar the last of a long word? Of several, the last one says so."""
    long = all(_HIRAGANA.match(sign) for sign in before[-_BAR_AFTER:])
    follows = _one(after)[:1] if after else ""
    goes_on = _HIRAGANA.match(follows) and follows not in _DASHES
    return len(before) >= _BAR_AFTER and long and not goes_on


def _clusters(text: str) -> Iterator[tuple[int, str, str]]:
    """Each sign with the marks on it (ｶﾞ is two), where it stands, and what follows."""
    place, end = 0, len(text)
    while place < end:
        stop = place + 1
        while stop < end and text[stop] in _MARKS:
            stop += 1
        yield place, text[place:stop], text[stop : stop + 1]
        place = stop


@cache
def _one(cluster: str) -> str:
    """One sign by itself: width and case (NFKC), old forms, and katakana as hiragana."""
    # A mark that makes no other sign, あ゙, says nothing: it may not join a sign that is repeated.
    plain = unicodedata.normalize("NFKC", cluster).lower().translate(_NO_MARKS)
    if len(plain) == 1 and _KANJI.match(plain):
        new = _new_forms().convert(plain.translate(_NAMES))
        return new if len(new) == 1 else plain
    plain = plain.replace("ヶ", "カ").replace("ヵ", "カ")
    plain = _KATAKANA.sub(lambda found: chr(ord(found[0]) - 0x60), plain)
    return unicodedata.normalize("NFC", plain.replace("ゔ", "ぶ"))


@cache
def _new_forms() -> OpenCC:
    # Old forms to those in use (新字体): the table is OpenCC's.
    return OpenCC("t2jp")
