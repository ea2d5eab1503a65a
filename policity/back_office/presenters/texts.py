"""The texts that residents read, as staff read and change them, and how they will look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policity.back_office.presenters.rules import JA, Outcome, outcome, phenomenon_name
from policity.fields.alerts.queries import words
from policity.fields.alerts.queries.trials import Trial
from policity.fields.alerts.queries.words import EditView, Words
from policity.fields.alerts.rules import edits
from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity
from policity.fields.alerts.rules.edits import Book, Entry
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.rules.telling import tell_texts
from policity.fields.alerts.rules.wording import CHECKED_BY
from policity.foundations.delivery.services.composing import Sample, samples
from policity.kit import ruby
from policity.kit.languages import LANGUAGES, Language

PARTS = {
    "name": "名前",
    "title": "題名",
    "headline": "何が起きているか・何をするか",
    "body": "くわしい文",
    "likely": "これから起こりそうなとき",
    "now": "もう起きているとき",
    "none": "何も出ていないとき",
    "still": "ほかが出ているとき",
}
GROUPS = {
    "orders": "市の避難情報",
    "alerts": "気象庁などの知らせ",
    "steps": "とる行動",
    "sites": "避難所の種類",
    "rest": "そのほか",
}
_NAMED_BY = ("name", "title", "headline")


@dataclass(frozen=True, slots=True)
class TextLine:
    """An entry in the list. `unchecked` are the languages that nobody has checked."""

    entry: Entry
    title: str
    more: str
    unchecked: int
    changed: bool


def texts(asked: str) -> list[tuple[str, list[TextLine]]]:
    """All that may be changed, or what has these words in any language, in groups."""
    found: dict[str, list[TextLine]] = {name: [] for name in GROUPS.values()}
    wanted = asked.strip().casefold()
    for book in (Book.ORDERS, Book.ALERTS):
        changed = words.current().subjects(book)
        for entry in edits.entries(book).values():
            said = edits.said(entry, _words(book, words.current()))
            if wanted and not _has(said, wanted):
                continue
            found[GROUPS[_group(entry)]].append(_line(entry, said, entry.key in changed))
    return [(name, lines) for name, lines in found.items() if lines]


def _has(said: Mapping[str, Mapping[str, str]], wanted: str) -> bool:
    return any(
        wanted in ruby.plain(text).casefold() for parts in said.values() for text in parts.values()
    )


def _group(entry: Entry) -> str:
    if entry.book is Book.ORDERS:
        return "steps" if entry.key.startswith("steps.") else "orders"
    head = entry.key.partition(".")[0]
    return head if head in GROUPS else "rest"


def _line(entry: Entry, said: Mapping[str, Mapping[str, str]], changed: bool) -> TextLine:
    own = said[JA]
    rest = [part for part in entry.parts if part != _named_by(entry)]
    return TextLine(
        entry,
        title(entry, said),
        own[rest[0]] if rest else "",
        sum(not parts[CHECKED_BY] for parts in said.values()),
        changed,
    )


def _named_by(entry: Entry) -> str:
    return next((part for part in _NAMED_BY if part in entry.parts), entry.parts[0])


def title(entry: Entry, said: Mapping[str, Mapping[str, str]]) -> str:
    """What an entry is called in the list: its own name or title in Japanese."""
    return said[JA][_named_by(entry)]


def title_of(book: Book, subject: str) -> str:
    """What was changed, by its name as it ships; one that ships no more by its key."""
    if book is Book.RULES:
        return phenomenon_name(Phenomenon(subject)) if subject in set(Phenomenon) else subject
    entry = edits.entries(book).get(subject)
    return ruby.plain(title(entry, edits.as_shipped(entry))) if entry else subject


@dataclass(frozen=True, slots=True)
class Part:
    """One text in one language, with what is wrong with it."""

    name: str
    label: str
    text: str
    fault: str
    longest: int


@dataclass(frozen=True, slots=True)
class Tongue:
    """An entry in one language, and how it will look. `open`: it is not folded away."""

    language: Language
    parts: tuple[Part, ...]
    checked_by: Part
    sample: Sample | None
    open: bool


@dataclass(frozen=True, slots=True)
class TextPage:
    """An entry with its texts as in a form, whether they are in use or not."""

    entry: Entry
    title: str
    tongues: tuple[Tongue, ...]
    used_by: str
    past: tuple[Outcome, ...]
    history: Sequence[EditView]
    seen: int

    @property
    def faulty(self) -> bool:
        """Whether any of the texts cannot be used as it is."""
        return any(
            part.fault for tongue in self.tongues for part in (*tongue.parts, tongue.checked_by)
        )


def said_of(entry: Entry, data: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The texts where so much differs from what ships."""
    return edits.said(entry, _words(entry.book, Words({(entry.book, entry.key): data})))


def text(entry: Entry, wanted: edits.Words, *, tried: bool, now: datetime) -> TextPage:
    """For the texts of a form. `tried`: they are checked, and shown as they will look."""
    faults = edits.faults(entry, wanted) if tried else {}
    past = _past(entry)
    shown = _samples(entry, wanted, past, now) if tried and not faults else {}
    history = words.history(book=entry.book, subject=entry.key)
    return TextPage(
        entry,
        title(entry, edits.said(entry, _words(entry.book, words.current()))),
        tuple(
            Tongue(
                one,
                tuple(_part(part, wanted, one.code, faults) for part in entry.parts),
                _part(CHECKED_BY, wanted, one.code, faults),
                shown.get(one.code),
                one.code == JA or any(code == one.code for code, _ in faults),
            )
            for one in LANGUAGES
        ),
        _used_by(entry),
        (past,) if past else (),
        history,
        history[0].number if history else 0,
    )


def _part(part: str, wanted: edits.Words, code: str, faults: Mapping[tuple[str, str], str]) -> Part:
    return Part(
        part,
        PARTS.get(part, "確かめた人"),
        wanted.get(code, {}).get(part, ""),
        faults.get((code, part), ""),
        edits.LONGEST.get(part, edits.LONGEST_TEXT),
    )


def _samples(
    entry: Entry, wanted: edits.Words, past: Outcome | None, now: datetime
) -> Mapping[str, Sample]:
    """The mail and the notification in which these texts stand; nothing for what only pages say."""
    used = words.current().changed(entry.book, entry.key, edits.difference(entry, wanted))
    head, _, rest = entry.key.partition(".")
    if entry.book is Book.ORDERS and head in ("levels", "reasons"):
        return _order_samples(used, head, rest, now)
    if head != "alerts":
        return {}
    name, _, row = rest.partition(".")
    phenomenon, severity = Phenomenon(name), _severity(row)
    told = tell_texts(
        used.texts,
        phenomenon=phenomenon,
        severity=severity,
        level=None,
        change=past.tried.change if past else Change.ISSUED,
        name=past.tried.name if past else used.texts.words[JA][f"{entry.key}.name"],
        kind="",
        withdrawal=False,
    )
    return samples(texts=told, severity=severity, path="alerts/", now=now)


def _order_samples(used: Words, head: str, rest: str, now: datetime) -> Mapping[str, Sample]:
    said = used.order_texts
    level = Level(int(rest)) if head == "levels" else Level.EVACUATE
    reason = rest if head == "reasons" else said.plan.reasons[0]
    everywhere = {one.code: said.everywhere(one.code) for one in LANGUAGES}
    told = said.tell(level, reason, towns=everywhere, notes={})
    return samples(texts=told, severity=Severity.EXTREME, path="evacuation/", now=now)


def _severity(row: str) -> Severity:
    return Severity(row) if row in set(Severity) else Severity.SEVERE


def _past(entry: Entry) -> Outcome | None:
    """The last real telegram whose alert these texts told."""
    head, _, rest = entry.key.partition(".")
    if head != "alerts" or entry.book is not Book.ALERTS:
        return None
    name, _, row = rest.partition(".")
    trial, any_row = Trial(words.responses()), row not in set(Severity)
    for tried in trial.past(Phenomenon(name)):
        if tried.change is not Change.CANCELLED and (any_row or tried.severity == row):
            return outcome(tried)
    return None


def _used_by(entry: Entry) -> str:
    """In which alerts a step stands."""
    head, _, step = entry.key.partition(".")
    if head != "steps":
        return ""
    if entry.book is Book.ORDERS:
        said = words.order_texts()
        levels = (
            level
            for level, rows in said.plan.levels.items()
            if any(step in steps for steps in rows.values())
        )
        return "、".join(said.title(JA, level) for level in levels)
    plan, own = words.texts().plan, words.texts().words[JA]
    groups = {group for group, steps in plan.groups.items() if step in steps}
    names = (
        own[f"alerts.{phenomenon}.{row}.name"]
        for phenomenon, rows in plan.alerts.items()
        for row, group in rows.items()
        if group in groups
    )
    return "、".join(dict.fromkeys(names))


def _words(book: Book, used: Words) -> Mapping[str, Mapping[str, str]]:
    return used.texts.words if book is Book.ALERTS else used.order_texts.words
