"""What staff may change of the rules and texts that ship, and what of it is at fault. Pure.

Faults are Japanese sentences that say what to do.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from policity.fields.alerts.rules import order_texts, texts, wording
from policity.fields.alerts.rules.bulletin import Phenomenon, Severity
from policity.fields.alerts.rules.response import Answer, Answers, allowed
from policity.kit import ruby
from policity.kit.languages import LANGUAGES

LONGEST_WHY = 300
# What stands in a heading or a subject line; and a sentence or three. In letters, with readings.
LONGEST = {"name": 100, "title": 100}
LONGEST_TEXT = 400
LONGEST_CHECKER = 60

_PLACEHOLDER = re.compile(r"<[a-z]+>")
# Names that are not the city's to choose: JMA's terms, and the words that others are put together
# of.
_NOT_OURS = ("changes", "severities", "levels", "phenomena", "hazards")


class Book(StrEnum):
    """What is changed: when residents are told, or what they read."""

    RULES = "rules"
    ALERTS = "alerts"
    ORDERS = "orders"


Words = Mapping[str, Mapping[str, str]]
"""An entry's texts by language code and part: {"en": {"name": …, "checked_by": …}}."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Texts that belong together, and are changed together. `key` as in "steps.bag"."""

    book: Book
    key: str
    parts: tuple[str, ...]


def entries(book: Book) -> dict[str, Entry]:
    """Everything of a book of texts that staff may change, by key, in the files' order."""
    shipped = _words(book)["ja"]
    closed = _NOT_OURS if book is Book.ALERTS else ("moves",)
    found: dict[str, list[str]] = {}
    for key in shipped:
        entry, _, part = key.rpartition(".")
        if entry and entry.partition(".")[0] not in closed and part != wording.CHECKED_BY:
            found.setdefault(entry, []).append(part)
    return {key: Entry(book, key, tuple(parts)) for key, parts in found.items()}


def as_shipped(entry: Entry) -> dict[str, dict[str, str]]:
    """An entry's texts before anybody changed them, with who checked each language."""
    return said(entry, _words(entry.book))


def said(entry: Entry, words: wording.Said) -> dict[str, dict[str, str]]:
    """An entry's texts out of all words, with who checked each language."""
    return {
        one.code: {part: words[one.code][f"{entry.key}.{part}"] for part in entry.parts}
        | {wording.CHECKED_BY: wording.checkers(words[one.code], [entry.key])}
        for one in LANGUAGES
    }


def difference(entry: Entry, wanted: Words) -> dict[str, dict[str, str]]:
    """What of it differs from what ships: so much is kept, and improvements reach the rest."""
    shipped = as_shipped(entry)
    found = {
        code: {part: text for part, text in parts.items() if shipped[code].get(part) != text}
        for code, parts in wanted.items()
    }
    return {code: parts for code, parts in found.items() if parts}


def faults(entry: Entry, wanted: Words) -> dict[tuple[str, str], str]:
    """What is wrong with texts, by language and part; empty when they can be used.

    Every language has every part, with the readings and the marks that what ships has.
    """
    shipped = as_shipped(entry)
    found = {}
    for one in LANGUAGES:
        for part in (*entry.parts, wording.CHECKED_BY):
            text = wanted.get(one.code, {}).get(part, "")
            if fault := _fault(part, text, shipped[one.code][part], one.code):
                found[one.code, part] = fault
    return found


def _fault(part: str, text: str, shipped: str, code: str) -> str:
    if part == wording.CHECKED_BY:
        longest = LONGEST_CHECKER
    elif not text.strip():
        return "文面が空です。どの言葉にも文面が要ります。"
    else:
        longest = LONGEST.get(part, LONGEST_TEXT)
    if (part in LONGEST or part == wording.CHECKED_BY) and not text.isprintable():
        # It stands in the subject of a mail, or beside other words.
        return "1行で書いてください。改行は使えません。"
    if len(text) > longest:
        return f"{longest}字までです（{len(text)}字あります）。"
    marks, wanted = (set(_PLACEHOLDER.findall(one)) for one in (text, shipped))
    if marks != wanted:
        named = "、".join(sorted(wanted)) or "ありません"
        return f"<>で囲むしるしは、もとの文面と同じにしてください（ここでは：{named}）。"
    if code != "ja-easy" and ("{" in text or "|" in text):
        return "読みがな {漢字|かんじ} は、やさしい日本語だけに書けます。"
    try:
        ruby.plain(text)
    except ValueError:
        return "読みがなは {漢字|かんじ} のように書いてください。かっこの数が合いません。"
    return ""


def over(edits: Iterable[tuple[str, Words]]) -> dict[str, dict[str, str]]:
    """Changes of entries as one layer over what ships, by language and key."""
    found: dict[str, dict[str, str]] = {}
    for subject, data in edits:
        for code, parts in data.items():
            layer = found.setdefault(code, {})
            layer |= {f"{subject}.{part}": text for part, text in parts.items()}
    return found


def answers(edits: Iterable[tuple[str, Mapping[str, str]]]) -> Answers:
    """What staff chose, by phenomenon. What a later version no longer knows is left out."""
    found: dict[Phenomenon, dict[Severity, Answer]] = {}
    for subject, data in edits:
        if subject in set(Phenomenon):
            found[Phenomenon(subject)] = {
                Severity(severity): Answer(answer)
                for severity, answer in data.items()
                if severity in set(Severity) and answer in set(Answer)
            }
    return found


def answer_fault(chosen: Mapping[Severity, Answer]) -> str:
    """Why this cannot be the city's answer; empty when it can."""
    if any(answer not in allowed(severity) for severity, answer in chosen.items()):
        return "命にかかわる段階（危険、命の危険）は、送るか、承認のあとで送るかを選んでください。"
    return ""


def why_fault(why: str) -> str:
    """Why a change cannot be kept with this reason; empty when it can."""
    if not why.strip():
        return "変える理由を書いてください。記録に残ります。"
    if len(why) > LONGEST_WHY:
        return f"理由は{LONGEST_WHY}字までです（{len(why)}字あります）。"
    return ""


def _words(book: Book) -> wording.Said:
    return texts.shipped().words if book is Book.ALERTS else order_texts.shipped().words
