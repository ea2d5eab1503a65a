"""Calls for comments, what came in, and what of it everybody may read."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet

from policity.foundations.city_plan.models import Call, Comment, CommentGroup, Measure
from policity.foundations.city_plan.rules.commenting import (
    PUBLIC,
    Channel,
    Numbers,
    Outcome,
    Reason,
    Stage,
)
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.links import Purpose

COMMENTS = "city_plan:comments"
"""Every call that has a page."""
ROOT = "plan/comments/"
PAGE = 50
Texts = Mapping[str, Mapping[str, str]]


def call_key(number: int) -> str:
    """One call, and what is published of it."""
    return f"city_plan:call:{number}"


@dataclass(frozen=True, slots=True)
class CallView:
    """A call for comments; `year` is None where it is on the draft of the plan."""

    id: int
    plan: int
    plan_name: str
    year: int | None
    texts: Texts
    first_day: date
    last_day: date
    stage: Stage
    revision: int
    published_at: datetime | None
    is_sample: bool

    def takes(self, today: date) -> bool:
        """Whether a comment can be sent on a day; the clock counts before the worker does."""
        begun = self.stage in (Stage.COMING, Stage.OPEN)
        return begun and self.first_day <= today <= self.last_day


def calls(*, public: bool = True, number: int | None = None) -> tuple[CallView, ...]:
    """Calls, the newest first: those that have a page, or all of them. One query."""
    rows = Call.objects.select_related("plan").order_by("-last_day", "-pk")
    if public:
        rows = rows.filter(stage__in=PUBLIC)
    if number is not None:
        rows = rows.filter(pk=number)
    return tuple(
        CallView(
            row.pk, row.plan_id, row.plan.name, row.year, row.texts, row.first_day, row.last_day,
            Stage(row.stage), row.revision, row.published_at, row.plan.is_sample,
        )
        for row in rows
    )  # fmt: skip


def call(number: int, *, public: bool = True) -> CallView | None:
    """The call of a number, whatever number somebody asks for. One query at most."""
    found = calls(public=public, number=number) if 0 < number < 2**63 else ()
    return found[0] if found else None


def measures(plan: int, year: int | None) -> list[tuple[str, list[tuple[int, str]]]]:
    """The measures that one may speak of, by their field, for a list to choose from. One query."""
    rows = Measure.objects.filter(plan=plan).select_related("field")
    if year is not None:
        rows = rows.filter(first_year__lte=year, last_year__gte=year)
    found: dict[str, list[tuple[int, str]]] = {}
    for row in rows.order_by("field__number", "code"):
        found.setdefault(row.field.name, []).append((row.pk, row.name))
    return list(found.items())


def numbers(call: int) -> Numbers:
    """How many comments came and where they are. One query."""
    rows = Comment.objects.filter(call=call).values_list("channel").order_by()
    by_channel = dict.fromkeys(Channel, 0)
    grouped = withheld = 0
    for channel, count, together, out in rows.annotate(
        count=Count("pk"), together=Count("group"), out=Count("pk", filter=~Q(withheld=""))
    ):
        by_channel[Channel(channel)] = count
        grouped, withheld = grouped + together, withheld + out
    return Numbers(by_channel, grouped, withheld, sum(by_channel.values()) - grouped - withheld)


@dataclass(frozen=True, slots=True)
class GroupView:
    """Comments that say the same, with the answer. `measures` are those that they are about."""

    id: int
    texts: Texts
    outcome: Outcome | None
    size: int
    measures: tuple[str, ...]
    is_checked: bool
    revision: int


def groups(call: int) -> tuple[GroupView, ...]:
    """The groups of a call, in the order in which they were made. Two queries."""
    about: dict[int, set[str]] = {}
    named = Comment.objects.filter(call=call).exclude(group=None).exclude(measure=None)
    for group, name in named.values_list("group", "measure__name").distinct():
        about.setdefault(group or 0, set()).add(str(name))
    rows = CommentGroup.objects.filter(call=call).annotate(size=Count("comments")).order_by("pk")
    return tuple(
        GroupView(
            row.pk, row.texts, Outcome(row.outcome) if row.outcome else None, row.size,
            tuple(sorted(about.get(row.pk, ()))), row.is_checked, row.revision,
        )
        for row in rows
    )  # fmt: skip


def call_of_group(group: int) -> int | None:
    """The call that a group is of. One query."""
    return CommentGroup.objects.filter(pk=group).values_list("call", flat=True).first()


@dataclass(frozen=True, slots=True)
class Result:
    """What everybody may read of a call once it is answered: nobody's own words, and no names."""

    call: CallView
    numbers: Numbers
    groups: tuple[GroupView, ...]


def results(wanted: Collection[int]) -> Iterator[Result]:
    """What is published of these calls. Four queries a call, and a city has few in a year."""
    for view in calls():
        if view.id in wanted and view.stage is Stage.PUBLISHED:
            some = tuple(one for one in groups(view.id) if one.size and one.outcome)
            yield Result(view, numbers(view.id), some)


def answers(measure: int, fiscal: int) -> list[tuple[CommentGroup, int]]:
    """What is published of comments on a measure in a year's calls, each with how many said it.

    One query.
    """
    about = CommentGroup.objects.filter(
        call__year=fiscal,
        call__stage=Stage.PUBLISHED,
        pk__in=Comment.objects.filter(measure=measure).values("group"),
    ).exclude(outcome="")
    return [(row, row.size) for row in about.annotate(size=Count("comments")).order_by("pk")]


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment as staff see it. `at` is when it was kept, `typed_by` is empty for the web."""

    id: int
    call: int
    channel: Channel
    language: str
    text: str
    name: str
    address: str
    received: date
    at: datetime
    typed_by: str
    measure: int | None
    measure_name: str
    group: int | None
    group_title: str
    withheld: Reason | None
    note: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which comments somebody looks for. `state` is "waiting", "grouped", "withheld" or empty."""

    channel: str = ""
    state: str = ""
    group: int | None = None
    words: str = ""


_STATES = {
    "waiting": Q(group=None, withheld=""),
    "grouped": ~Q(group=None),
    "withheld": ~Q(withheld=""),
}


def found(call: int, asked: Asked) -> QuerySet[Comment]:
    """The comments that somebody looks for, the oldest first."""
    rows = Comment.objects.filter(call=call)
    if asked.channel:
        rows = rows.filter(channel=asked.channel)
    if asked.state:
        rows = rows.filter(_STATES[asked.state])
    if asked.group:
        rows = rows.filter(group=asked.group)
    for word in asked.words.split():
        said = Q(text__icontains=word) | Q(name__icontains=word)
        is_number = word.isascii() and word.isdecimal() and len(word) < 19
        rows = rows.filter(said | Q(pk=int(word)) if is_number else said)
    return rows.select_related("measure", "group", "by").order_by("pk")


def comments(rows: Iterable[Comment]) -> tuple[CommentView, ...]:
    """Comments as staff see them. One query."""
    return tuple(map(_view, rows))


def comment(number: int) -> CommentView | None:
    """One comment. One query."""
    rows = Comment.objects.filter(pk=number).select_related("measure", "group", "by")
    return _view(row) if (row := rows.first()) else None


def _view(row: Comment) -> CommentView:
    return CommentView(
        id=row.pk,
        call=row.call_id,
        channel=Channel(row.channel),
        language=row.language,
        text=row.text,
        name=row.name,
        address=row.address,
        received=row.received,
        at=row.kept_at,
        typed_by=str(row.by) if row.by else "",
        measure=row.measure_id,
        measure_name=row.measure.name if row.measure else "",
        group=row.group_id,
        group_title=row.group.texts["ja"]["title"] if row.group else "",
        withheld=Reason(row.withheld) if row.withheld else None,
        note=row.note,
    )


def own_page(comment: int) -> str:
    """Where whoever sent a comment sees what became of it, without the language: a secret."""
    return f"{ROOT}me/{residents.link(Purpose.COMMENT, 0, comment)}/"


def owned(link: str) -> int:
    """The number of a comment, by its sender's link. Raises residents' BadLink."""
    return residents.holder(Purpose.COMMENT, link)[1]
