"""Where in a text what was looked for stands, and the part of it that shows it."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policity.foundations.search.rules.asking import Question, Term
from policity.kit import ruby
from policity.kit.japanese import folded_places, has_kanji
from policity.kit.words import words

LENGTH = 110
# So much of what comes before is shown.
BEFORE = 24


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text, with its reading where it has one; `hit`: it was looked for."""

    text: str
    hit: bool = False
    reading: str = ""


def marked(text: str, question: Question) -> tuple[Piece, ...]:
    """The whole text, its hits apart. It may carry readings."""
    plain = ruby.plain(text)
    return tuple(_pieces(text, _spans(plain, question), 0, len(plain)))


def excerpt(text: str, question: Question) -> tuple[Piece, ...]:
    """The part of a text with most hits, or its beginning. Dots stand where it goes on."""
    plain = ruby.plain(text)
    spans = _spans(plain, question)
    begin = _begin(plain, spans)
    end = min(len(plain), begin + LENGTH)
    pieces = list(_pieces(text, spans, begin, end))
    if begin:
        pieces.insert(0, Piece("…"))
    if end < len(plain):
        pieces.append(Piece("…"))
    return tuple(pieces)


def _begin(text: str, spans: Sequence[tuple[int, int]]) -> int:
    """Where the part with most hits begins: at a sentence where one is near, else just before."""
    if not spans or len(text) <= LENGTH:
        return 0
    room = LENGTH - BEFORE
    fits = [sum(start <= other < start + room for other, _ in spans) for start, _ in spans]
    first = spans[fits.index(max(fits))][0]
    earliest = max(0, first - BEFORE)
    sentence = max(text.rfind(sign, earliest, first) for sign in "。！？ 　\n")
    return sentence + 1 if sentence >= 0 else earliest


def _pieces(text: str, spans: Sequence[tuple[int, int]], begin: int, end: int) -> Iterator[Piece]:
    """What stands from `begin` to before `end`, counted without readings.

    A word with a reading stays whole: it is a hit where some of it is.
    """
    place = 0
    for base, reading in ruby.parts(text):
        start, stop = max(place, begin), min(place + len(base), end)
        if start < stop and reading:
            hit = any(one < stop and start < other for one, other in spans)
            yield Piece(base, hit, reading)
        elif start < stop:
            yield from _cut(base, place, spans, start, stop)
        place += len(base)


def _cut(
    base: str, place: int, spans: Sequence[tuple[int, int]], start: int, stop: int
) -> Iterator[Piece]:
    """A part without readings, which begins at `place`, cut where hits begin and end."""
    for one, other in spans:
        one, other = max(one, start), min(other, stop)
        if one < other:
            if start < one:
                yield Piece(base[start - place : one - place])
            yield Piece(base[one - place : other - place], hit=True)
            start = other
    if start < stop:
        yield Piece(base[start - place : stop - place])


def _spans(text: str, question: Question) -> list[tuple[int, int]]:
    """Where the hits begin and end, in order, none in another."""
    folded, places = folded_places(text)
    looked_for = {*_expressions(question.needed)}
    looked_for |= {one for one in _expressions(question.beside) if len(one) > 1}
    looked_for |= set(question.runs)
    expressions = sorted(looked_for, key=lambda one: (-len(one), one))
    found = []
    if expressions:
        for hit in re.finditer("|".join(map(re.escape, expressions)), folded):
            stop = places[hit.end()] if hit.end() < len(places) else len(text)
            # The bar at the end of a long word is part of it, however it is compared.
            stop += text[stop : stop + 1] in ("ー", "ｰ")
            found.append((places[hit.start()], stop))
    return found or list(_other_forms(text, question))


def _expressions(terms: Sequence[Term]) -> Iterator[str]:
    for term in terms:
        for one in (term.written, term.norm, *term.instead):
            if len(one) > 1 or has_kanji(one):
                yield one
        # 〜所 alone is everywhere: what stands beside the matter is no hit by one sign.
        yield from _expressions([one for one in term.parts if one.needed or len(one.written) > 1])


def _other_forms(text: str, question: Question) -> Iterator[tuple[int, int]]:
    """Words that are read as what was typed (ひっこし: 引っ越し), or are another form of it."""
    # Only where places are the same after the dictionary's normalising.
    if len(unicodedata.normalize("NFKC", text)) != len(text):
        return
    readings = {term.reading for term in question.terms if term.kana}
    stems = {term.stem for term in question.terms if term.stem}
    for word in words(text):
        if word.reading in readings or (word.stem and word.stem in stems):
            yield word.start, word.end
