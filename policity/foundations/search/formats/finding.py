"""What is asked of the index, and what comes back."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from tantivy import DocAddress, Index, Occur, Query, Schema, Searcher

from policity.foundations.search.formats.index import COUNTED, kana_token, stem_token
from policity.foundations.search.rules.asking import Question, Term
from policity.kit.japanese import fold, grams

# Title over text: what a page is about is in its title.
TITLE, TEXT = 1.5, 0.6
# The word itself; as it is written, wherever words begin; what says the same; its other forms; its
# sound.
WORD, WRITTEN, INSTEAD, STEM, SOUND = 1.0, 0.8, 0.4, 0.35, 0.3
# On top, whatever the word's rarity: the very signs that were typed are above everything that only
# sounds or means the same.
EXACT_TITLE, EXACT_TEXT = 9.0, 6.0
RUN_TITLE, RUN_TEXT, WHOLE_TITLE = 34.0, 30.0, 12.0
# A word beside the matter (いつ) moves a page up, not in.
BESIDE = 0.2
# A shorter sound is in too many words.
SHORTEST_SOUND = 3


@dataclass(frozen=True, slots=True)
class Facets:
    """What is asked for within the hits: each empty for all."""

    kind: str = ""
    section: str = ""
    year: int = 0


EVERYTHING = Facets()


@dataclass(frozen=True, slots=True)
class Hits:
    """Numbers of documents, best first; how many there are; and how many of each facet.

    `also`: those that have less of what was asked, for a first page that is not full.
    """

    numbers: tuple[int, ...] = ()
    count: int = 0
    facets: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    also: tuple[int, ...] = ()


def find(
    index: Index,
    question: Question,
    *,
    code: str,
    within: Facets = EVERYTHING,
    limit: int = 10,
    offset: int = 0,
) -> Hits:
    """Documents in a language that have every term; where none has, those that have most.

    Where they do not fill the first page, `also` has those that come next.
    """
    schema, searcher = index.schema, index.searcher()
    around = [*_better(schema, question), *_filters(schema, code, within)]
    hits, also = Hits(), dict[int, None]()
    for terms, least in question.tries() if question else ():
        query = Query.boolean_query([(Occur.Must, _some(schema, terms, least)), *around])
        if not hits.count:
            numbers, count = _search(searcher, query, limit, offset)
            if count:
                hits = Hits(numbers, count, _facets(searcher.aggregate(query, _AGGREGATION)))
        else:
            more, _ = _search(searcher, query, limit + len(also))
            also |= dict.fromkeys(number for number in more if number not in hits.numbers)
        if offset or hits.count + len(also) >= limit:
            break
    return replace(hits, also=tuple(also)[: max(0, limit - hits.count)])


def count(index: Index, question: Question, *, code: str) -> int:
    """How many documents in a language have every term."""
    if not question:
        return 0
    needed, schema = question.needed, index.schema
    every = (Occur.Must, _some(schema, needed, len(needed)))
    query = Query.boolean_query([every, *_filters(schema, code, EVERYTHING)])
    return _search(index.searcher(), query, 1)[1]


def beginning(index: Index, typed: str, *, code: str, limit: int) -> tuple[int, ...]:
    """Documents whose title holds what was typed so far, as it is written or as it is read."""
    signs = list(grams(fold(typed)))
    if not signs:
        return ()
    schema = index.schema
    names = ("title_signs", "title_said") if code.startswith("ja") else ("title_signs",)
    either = Query.disjunction_max_query([_begun(schema, name, signs) for name in names])
    query = Query.boolean_query([(Occur.Must, either), *_filters(schema, code, EVERYTHING)])
    return _search(index.searcher(), query, limit)[0]


def every_number(index: Index) -> frozenset[int]:
    """Every document that the index knows."""
    searcher = index.searcher()
    return frozenset(_search(searcher, Query.all_query(), max(1, searcher.num_docs))[0])


def one(index: Index, number: int) -> Query:
    """The document of this number."""
    return Query.term_query(index.schema, "number", number)


def _search(
    searcher: Searcher, query: Query, limit: int, offset: int = 0
) -> tuple[tuple[int, ...], int]:
    """Numbers of documents, best first, and how many there are."""
    result = searcher.search(query, limit, offset=offset, weight_by_field="weight")
    places: list[DocAddress] = [place for _, place in result.hits]
    numbers = cast(list[int], searcher.fast_field_values("number", places))
    # Its stubs do not know of it.
    return tuple(numbers), int(cast(Any, result).count)


def _begun(schema: Schema, name: str, signs: list[str]) -> Query:
    if len(signs) > 1:
        return Query.phrase_prefix_query(schema, name, [*signs])
    return Query.regex_query(schema, name, f"{re.escape(signs[0])}.*")


_AGGREGATION = {name: {"terms": {"field": name, "size": 20}} for name in COUNTED}


def _facets(counted: dict[str, Any]) -> dict[str, tuple[tuple[str, int], ...]]:
    found = {name: counted[name]["buckets"] for name in COUNTED}
    return {
        name: tuple((bucket["key"], bucket["doc_count"]) for bucket in buckets if bucket["key"])
        for name, buckets in found.items()
    }


def _filters(schema: Schema, code: str, within: Facets) -> Iterator[tuple[Occur, Query]]:
    wanted = {
        "code": code,
        "kind": within.kind,
        "section": within.section,
        "year": str(within.year or ""),
    }
    for name, value in wanted.items():
        if value:
            yield Occur.Must, Query.const_score_query(Query.term_query(schema, name, value), 0.0)


def _some(schema: Schema, terms: Sequence[Term], least: int) -> Query:
    """At least so many of these terms, and rather more of them."""
    if least == len(terms):
        return Query.boolean_query([(Occur.Must, _term(schema, term)) for term in terms])
    either = [(Occur.Should, _term(schema, term)) for term in terms]
    return Query.boolean_query(either, minimum_number_should_match=least)


def _better(schema: Schema, question: Question) -> Iterator[tuple[Occur, Query]]:
    """What moves a hit up: words beside the matter, and all that was typed in one go together."""
    for term in question.beside:
        yield Occur.Should, Query.boost_query(_term(schema, term), BESIDE)
    for run in question.runs:
        signs = list(grams(run))
        if len(signs) > 1:
            yield Occur.Should, _always(_phrase(schema, "title_signs", signs), RUN_TITLE)
            yield Occur.Should, _always(_phrase(schema, "text_signs", signs), RUN_TEXT)
    whole = Query.term_query(schema, "title_whole", question.whole)
    yield Occur.Should, _always(whole, WHOLE_TITLE)


def _term(schema: Schema, term: Term) -> Query:
    ways = list(_ways(schema, term))
    exact = [
        (Occur.Should, _always(found, score))
        for name, score in (("title", EXACT_TITLE), ("text", EXACT_TEXT))
        if (found := _written(schema, name, term.written))
    ]
    either = Query.disjunction_max_query(ways, tie_breaker=0.1)
    return Query.boolean_query([(Occur.Must, either), *exact])


def _ways(schema: Schema, term: Term) -> Iterator[Query]:
    """All that would do for a term, each worth what it is worth."""
    for name, worth in (("title", TITLE), ("text", TEXT)):
        tokens = [(f"{name}_words", term.norm, WORD)]
        if term.norm != term.written:
            tokens.append((f"{name}_words", term.written, WORD))
        if term.stem:
            tokens.append((f"{name}_words", stem_token(term.stem), STEM))
        if term.reading:
            sought = term.reading if term.kana else kana_token(term.reading)
            tokens.append((f"{name}_sounds", sought, SOUND))
        if term.kana and len(term.reading) >= SHORTEST_SOUND:
            aloud = _phrase(schema, f"{name}_said", list(grams(term.reading)))
            yield Query.boost_query(aloud, worth * SOUND)
        for where, token, share in tokens:
            if token:
                yield Query.boost_query(Query.term_query(schema, where, token), worth * share)
        for expression, share in (
            (term.written, WRITTEN),
            *((one, INSTEAD) for one in term.instead),
        ):
            if found := _written(schema, name, expression):
                yield Query.boost_query(found, worth * share)


def _written(schema: Schema, name: str, folded: str) -> Query | None:
    """Where these very signs stand, even within a longer word. One sign alone is a word or none."""
    signs = list(grams(folded))
    if not signs:
        return None
    if len(folded) == 1:
        # A run's last sign is in the index alone, too: the sign, wherever it stands.
        return Query.regex_query(schema, f"{name}_signs", f"{re.escape(folded)}.?")
    return _phrase(schema, f"{name}_signs", signs)


def _phrase(schema: Schema, name: str, signs: list[str]) -> Query:
    if len(signs) == 1:
        return Query.term_query(schema, name, signs[0])
    return Query.phrase_query(schema, name, list(signs))


def _always(query: Query, score: float) -> Query:
    return Query.const_score_query(query, score)
