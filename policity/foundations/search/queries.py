"""What is found, and what there is to find."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

import structlog
from django.conf import settings
from tantivy import Index

from policity.foundations.search.formats import finding
from policity.foundations.search.formats import index as indexed
from policity.foundations.search.formats.finding import EVERYTHING, Facets
from policity.foundations.search.formats.thesaurus import Group, Words, read, shipped
from policity.foundations.search.models import Entry, Synonyms
from policity.foundations.search.rules.asking import Question, Thesaurus, ask, group_key
from policity.kit import ruby, words
from policity.kit.languages import LANGUAGES

log = structlog.get_logger()

PAGE = 10
SUGGESTIONS = 6
# Deeper nobody reads; who wants everything has the site map.
DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A document that was found."""

    address: str
    title: str
    text: str
    kind: str
    day: date | None


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found. `also`: documents that have only some of what was asked."""

    question: Question
    found: tuple[Found, ...]
    also: tuple[Found, ...]
    count: int
    facets: dict[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """A document as the published files know it."""

    number: int
    address: str
    title: str
    text: str
    kind: str

    @property
    def told(self) -> tuple[int, str, str, str, str]:
        """Its parts in order."""
        return self.number, self.address, self.title, self.text, self.kind


def search(typed: str, code: str, *, within: Facets = EVERYTHING, page: int = 1) -> Results:
    """Documents in a language, best first. What has been taken down meanwhile is not among them."""
    question = ask(typed, code, thesaurus())
    hits = finding.find(
        index(), question, code=code, within=within, limit=PAGE, offset=(page - 1) * PAGE
    )
    rows = Entry.objects.in_bulk([*hits.numbers, *hits.also])
    found, also = (
        tuple(_found(rows[number]) for number in numbers if number in rows)
        for numbers in (hits.numbers, hits.also)
    )
    return Results(question, found, also, hits.count, hits.facets)


def elsewhere(typed: str, code: str) -> dict[str, int]:
    """How many documents are found in each other language, where there are any."""
    known = thesaurus()
    counts = {
        language.code: finding.count(index(), ask(typed, language.code, known), code=language.code)
        for language in LANGUAGES
        if language.code != code
    }
    return {code: count for code, count in counts.items() if count}


def suggest(typed: str, code: str) -> tuple[str, ...]:
    """Titles that begin like what is being typed, or hold it."""
    numbers = finding.beginning(index(), typed, code=code, limit=SUGGESTIONS)
    rows = Entry.objects.only("title").in_bulk(numbers)
    titles = (ruby.plain(rows[number].title) for number in numbers if number in rows)
    return tuple(dict.fromkeys(titles))


def thesaurus() -> Thesaurus:
    """The words that mean the same: those of a file, and those that staff keep. One query."""
    return _joined(_words(), tuple(Synonyms.objects.values_list("key", "words", "ended")))


@lru_cache(maxsize=2)
def _joined(said: Words, kept: tuple[tuple[str, str, bool], ...]) -> Thesaurus:
    ended = {key for key, _, is_ended in kept if is_ended}
    more = [tuple(words.split("\n")) for _, words, _ in kept]
    return said.thesaurus(more=more, ended=ended)


@dataclass(frozen=True, slots=True)
class SynonymsView:
    """Expressions that say the same. `by` is empty where they are a file's."""

    words: Group
    by: str = ""
    ended: bool = False


def synonyms() -> tuple[SynonymsView, ...]:
    """Every group: those that staff keep or ended, the newest first, then the file's. One query."""
    rows = {row.key: row for row in Synonyms.objects.select_related("kept_by").order_by("-pk")}
    kept = [
        SynonymsView(tuple(row.words.split("\n")), str(row.kept_by), row.ended)
        for row in rows.values()
    ]
    theirs = [SynonymsView(group) for group in _words().same if group_key(group) not in rows]
    return (*kept, *theirs)


def _words() -> Words:
    """The city's own file, `search.toml` in its folder, or ours.

    One that cannot be read is told to the operator, and nobody waits for it.
    """
    own = Path(settings.HOME) / "search.toml"
    try:
        return _read(own, own.stat().st_mtime_ns)
    except FileNotFoundError:
        return shipped()


@cache
def _read(own: Path, changed: int) -> Words:
    try:
        return read(own.read_text("utf-8"))
    except (KeyError, TypeError, ValueError) as error:
        log.error("search_words", file=own.name, error=repr(error))
        return shipped()


def told(entry: Entry) -> indexed.Entry:
    """A row as the index takes it: its kind is one of its words, and readings are left out."""
    return indexed.Entry(
        number=entry.pk,
        address=entry.page,
        code=entry.code,
        title=ruby.plain(entry.title),
        text=f"{ruby.plain(entry.text)}\n{ruby.plain(entry.kind)}",
        kind=entry.kind,
        section=entry.section,
        year=entry.day.year if entry.day else 0,
        now=entry.now,
        whole="#" not in entry.address,
    )


def folder() -> Path:
    """Where the index lies: derived, and another for each way of reading words."""
    name = hashlib.sha256(f"{indexed.VERSION} {words.version()}".encode()).hexdigest()[:12]
    return Path(settings.HOME) / "search" / name


def index() -> Index:
    """The index as it was last written."""
    where = folder()
    opened = _opened(where)
    opened.reload()
    return opened


@cache
def _opened(where: Path) -> Index:
    return indexed.open_index(where)


def forget() -> None:
    """Open the index anew: its folder was put in another's place."""
    _opened.cache_clear()


def numbers() -> frozenset[int]:
    """Every document that the index knows."""
    return finding.every_number(index())


def size(code: str) -> int:
    """How many documents a language has."""
    return Entry.objects.filter(code=code).count()


def chunks(code: str, of: int) -> tuple[int, ...]:
    """The numbers of a language's files of titles, each of `of` documents."""
    numbers = Entry.objects.filter(code=code).values_list("pk", flat=True)
    return tuple(sorted({number // of for number in numbers}))


def lines(code: str, begin: int, end: int) -> tuple[Line, ...]:
    """A language's documents with numbers from `begin` to before `end`."""
    rows = Entry.objects.filter(code=code, pk__gte=begin, pk__lt=end).order_by("pk")
    return tuple(Line(row.pk, row.address, row.title, row.text, row.kind) for row in rows)


def signs(code: str) -> Iterator[tuple[int, str, str]]:
    """Number, and signs of title and text, of each document of a language, in order."""
    rows = Entry.objects.filter(code=code).order_by("pk")
    yield from rows.values_list("pk", "title_signs", "text_signs").iterator(chunk_size=500)


def listed(code: str, limit: int) -> dict[str, tuple[Found, ...]]:
    """What stands in the site map, by kind, the newest first, so many of each kind at most."""
    kinds: dict[str, list[Found]] = {}
    rows = Entry.objects.filter(code=code, listed=True).exclude(address__contains="#")
    for row in rows.defer("text", "title_signs", "text_signs").order_by("kind", "-day", "pk"):
        some = kinds.setdefault(row.kind, [])
        if len(some) < limit:
            some.append(Found(row.address, row.title, "", row.kind, row.day))
    return {kind: tuple(found) for kind, found in kinds.items()}


def _found(row: Entry) -> Found:
    return Found(row.address, row.title, row.text, row.kind, row.day)
