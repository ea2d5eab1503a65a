"""Words of a Japanese text, by Sudachi: how each is written, what it is, how it is read.

Everything in here is folded (`japanese.fold`), so that it can be compared.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache

from sudachipy import Dictionary, Morpheme, SplitMode, Tokenizer

from policity.kit.japanese import fold, is_kana, stem

# Sudachi takes 49,149 bytes at once; a sentence is shorter.
_PIECE = 4_000
_NOT_LOOKED_FOR = frozenset({"助詞", "助動詞", "補助記号", "空白", "記号"})
_WEAK = frozenset({"代名詞", "接頭辞", "接尾辞", "感動詞", "接続詞", "連体詞"})
_TURNS = frozenset({"動詞", "形容詞"})
_SPLIT = re.compile(r"(?<=[。．！？\n])")


class Weight(Enum):
    """What a word says: its matter, something beside it (いつ, 〜所), or nothing (は, を)."""

    MATTER = 2
    BESIDE = 1
    NOTHING = 0


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands. `start` and `end` count the signs of the text that was given (NFKC).

    `surface` as written; `norm` as Sudachi would write it (引越 → 引っ越し); `reading` in hiragana;
    `stem` what its forms share (遊ぶ, 遊び → 遊), else empty; `parts` the shorter words in it.
    """

    start: int
    end: int
    surface: str
    norm: str
    reading: str
    stem: str
    kana: bool
    weight: Weight
    parts: tuple["Word", ...] = ()


def words(text: str) -> tuple[Word, ...]:
    """The words of a text in order, the longest that the dictionary knows. Thread-safe."""
    found: list[Word] = []
    for place, piece in _pieces(unicodedata.normalize("NFKC", text)):
        with _lock:
            found += (_word(one, place) for one in _tokenizer().tokenize(piece, SplitMode.C))
    return tuple(found)


def read(text: str) -> Iterator[tuple[str, str]]:
    """Every word as it is written, and how it is read, in katakana; "" where nobody knows."""
    for start in range(0, len(text), _PIECE):
        with _lock:
            found = _tokenizer().tokenize(text[start : start + _PIECE], SplitMode.B)
            pairs = [(one.surface(), one.reading_form()) for one in found]
        yield from pairs


def version() -> str:
    """Names the dictionary and these rules: an index made with another is made anew."""
    from importlib.metadata import version as installed

    return f"1 {installed('sudachidict-core')}"


# A tokenizer is one thread's at a time.
_lock = threading.Lock()


@cache
def _tokenizer() -> Tokenizer:
    return Dictionary(dict="core").tokenizer()


def _word(found: Morpheme, place: int, *, whole: bool = True) -> Word:
    kind = found.part_of_speech()
    surface = found.surface()
    norm = fold(found.normalized_form())
    parts = found.split(SplitMode.A) if whole else ()
    return Word(
        place + found.begin(),
        place + found.end(),
        fold(surface),
        norm,
        # What the dictionary does not know has no reading.
        fold(found.reading_form() or surface),
        _stem(norm, kind[0]),
        is_kana(surface),
        _weight(kind),
        tuple(_word(part, place, whole=False) for part in parts) if len(parts) > 1 else (),
    )


def _stem(norm: str, kind: str) -> str:
    # 引っ越し is a noun of 引っ越す; 祭り and 祭る, 遊び and 遊ぶ likewise.
    return stem(norm) if kind in _TURNS or norm[-1:] in "きぎしちびみりいえけげせてねべめれ" else ""


def _weight(kind: tuple[str, ...]) -> Weight:
    if kind[0] in _NOT_LOOKED_FOR:
        return Weight.NOTHING
    if kind[0] in _WEAK or (kind[0] in _TURNS and kind[1] == "非自立可能"):
        return Weight.BESIDE
    return Weight.MATTER


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text sentence by sentence, as many at a time as Sudachi takes, and where each begins."""
    place, piece = 0, ""
    for sentence in _SPLIT.split(text):
        for cut in range(0, len(sentence), _PIECE):
            part = sentence[cut : cut + _PIECE]
            if len(piece) + len(part) > _PIECE:
                yield place, piece
                place, piece = place + len(piece), ""
            piece += part
    if piece:
        yield place, piece
