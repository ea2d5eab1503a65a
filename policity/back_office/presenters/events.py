"""Events as staff see them: the list, the line of a time, the sheet for the door."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from policity.back_office.presenters.chronology import safe
from policity.back_office.presenters.exports import BOM
from policity.foundations.accounts import queries as accounts
from policity.foundations.events import queries
from policity.foundations.events.models import Event, Occurrence
from policity.foundations.events.rules import asking
from policity.foundations.events.services.words import reason
from policity.foundations.places import queries as places
from policity.foundations.places.queries.facilities import facilities
from policity.kit import moments

HEAD = ("受付番号", "名前", "電話番号", "人数", "席", "出欠", "申し込んだ日時")
SAID_HEAD = ("どうでしたか（5点中）", "ひとこと")
CAME = {True: "来た", False: "来ない", None: ""}


# Where nothing takes place.
NO_VENUES = frozenset({"toilet", "aed", "parking"})


def venues() -> list[tuple[str, list[tuple[str, str]]]]:
    """The city's own places to choose from: its facilities, then the sites of its disaster plan."""
    halls = [one for one in facilities() if one.kind not in NO_VENUES]
    groups = [
        ("施設", [(f"facility-{one.id}", one.name) for one in halls]),
        ("避難場所・避難所", [(f"site-{one.id}", one.name) for one in places.sites()]),
    ]
    return [(name, some) for name, some in groups if some]


def departments(own: frozenset[str] | None) -> list[tuple[str, str]]:
    """Whose something new may be, as slug and name; None: whose ever, or the whole city's."""
    known = accounts.departments()
    if own is None:
        return [("", "市の全体"), *known]
    return [(slug, name) for slug, name in known if slug in own]


@dataclass(frozen=True, slots=True)
class TimeLine:
    """One time of an event, as a line: how full it is."""

    id: int
    when: str
    had: int
    waits: int
    called_off: bool
    why: str
    over: bool
    faded: bool


def times(event: Event, *, now: datetime) -> list[TimeLine]:
    """Every time of an event, the next first. Two queries."""
    rows = list(event.times.order_by("starts"))
    people = queries.seats([row.pk for row in rows])
    return [
        TimeLine(
            row.pk,
            when(row, all_day=event.all_day),
            row.had if row.faded_at else people.get(row.pk, (0, 0))[0],
            row.waited if row.faded_at else people.get(row.pk, (0, 0))[1],
            row.cancelled_at is not None,
            " ".join(reason(row.reason, row.reason_words)),
            row.ends <= now,
            row.faded_at is not None,
        )
        for row in rows
    ]


def when(time: Occurrence, *, all_day: bool) -> str:
    """When it begins, with the year."""
    at = timezone.localtime(time.starts)
    return f"{at.year}年{moments.date(at, 'ja')}" if all_day else moments.dated(at, "ja")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The line of one time, and how many that is."""

    people: tuple[queries.Person, ...]
    had: int
    waits: int
    came: int
    to_call: int


def sheet(time: int) -> Sheet:
    """Everybody in the line of a time."""
    people = queries.people(time)
    return Sheet(
        people,
        sum(one.seats for one in people if one.seated),
        sum(one.seats for one in people if not one.seated),
        sum(one.seats for one in people if one.attended),
        sum(one.to_call for one in people),
    )


@dataclass(frozen=True, slots=True)
class OptionLine:
    """One of what could be chosen: how many did, and of a hundred who answered."""

    text: str
    count: int
    bar: float


@dataclass(frozen=True, slots=True)
class Result:
    """A question of one's own, and what was answered."""

    number: int
    text: str
    answers: int
    mean: float | None
    options: Sequence[OptionLine]
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Opinions:
    """What those who came thought."""

    answers: int
    mean: float | None
    texts: Sequence[str]
    results: Sequence[Result]


def opinion(time: int) -> Opinions:
    """What those who came to a time thought. Two queries."""
    said = queries.opinion(time)
    counted = zip(said.questions, asking.count(said.questions, said.answers), strict=True)
    results = [_result(number, *one) for number, one in enumerate(counted, 1)]
    return Opinions(len(said.scores), said.mean, [one for one in said.texts if one], results)


def _result(number: int, question: asking.Question, count: asking.Count) -> Result:
    words = question.said("ja")
    is_score = question.kind is asking.Kind.SCORE
    lines = [
        OptionLine(
            f"{option}点" if is_score else words.choices[option],
            chosen,
            100 * chosen / (count.answers or 1),
        )
        for option, chosen in zip(asking.options(question), count.chosen, strict=True)
    ]
    return Result(number, words.text, count.answers, count.mean, lines, count.texts)


def answers_table(said: queries.Opinion) -> str:
    """CSV of the answers: a row for each who answered, nobody's name, nothing in it a formula.

    Of a question with several choices each choice is a column, so that a spreadsheet counts them.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    heads = [cell for number, one in enumerate(said.questions, 1) for cell in _heads(number, one)]
    writer.writerow((*SAID_HEAD, *map(safe, heads)))
    for score, remark, answers in zip(said.scores, said.texts, said.answers, strict=True):
        pairs = zip(said.questions, answers, strict=True)
        cells = [cell for question, given in pairs for cell in _cells(question, given)]
        writer.writerow((score, *map(safe, (remark, *cells))))
    return BOM + text.getvalue()


def _heads(number: int, question: asking.Question) -> list[str]:
    words = question.said("ja")
    name = f"質問{number}　{words.text}"
    if question.kind is asking.Kind.MANY:
        return [f"{name}：{choice}" for choice in words.choices]
    return [name]


def _cells(question: asking.Question, given: asking.Given) -> list[str]:
    choices = question.said("ja").choices
    if question.kind is asking.Kind.MANY:
        chosen = given if isinstance(given, list) else []
        return ["1" if option in chosen else "" for option in range(len(choices))]
    if question.kind is asking.Kind.ONE and isinstance(given, int):
        return [choices[given]]
    return ["" if given is None else str(given)]


def table(people: Sequence[queries.Person]) -> str:
    """CSV for a spreadsheet; nothing in it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    for one in people:
        at = timezone.localtime(one.confirmed_at) if one.confirmed_at else None
        writer.writerow(
            (
                one.number,
                safe(one.name),
                safe(one.phone),
                one.seats,
                "席あり" if one.seated else "キャンセル待ち",
                CAME[one.attended],
                f"{at:%Y-%m-%d %H:%M}" if at else "",
            )
        )
    return BOM + text.getvalue()
