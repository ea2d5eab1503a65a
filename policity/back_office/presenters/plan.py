"""A plan's year as staff come upon it: what waits for whom, what is late, what stands where."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.city_plan import queries
from policity.foundations.city_plan.models import Plan, Sheet
from policity.foundations.city_plan.policies import holders
from policity.foundations.city_plan.queries import deadlines, sheets
from policity.foundations.city_plan.rules.cycle import Turn
from policity.foundations.city_plan.services import WORDS
from policity.foundations.city_plan.services.reminding import thread, until
from policity.foundations.delivery import queries as ledger
from policity.foundations.delivery.rules.ledger import State
from policity.kit.eras import fiscal_name, fiscal_year

NOBODYS = "市の全体"
DAYS_SHOWN = 10
STATES = {
    State.QUEUED: "送信待ち",
    State.HANDED: "渡した",
    State.DELIVERED: "届いた",
    State.FAILED: "失敗",
    State.UNREACHABLE: "アドレスなし",
    State.WITHDRAWN: "取り下げ",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One sheet in a list. `until` is empty where no day is set."""

    id: int
    code: str
    name: str
    is_sample: bool
    department: str
    turn: Turn
    waits_for: str
    until: str
    late: bool
    nobody: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A department's sheets: how many stand at each turn."""

    department: str
    counts: tuple[tuple[Turn, str, int], ...]
    total: int


@dataclass(frozen=True, slots=True)
class Overview:
    """A plan's year. `shown` are the sheets that were asked for."""

    mine: tuple[Row, ...]
    late: tuple[Row, ...]
    nobodys: tuple[Row, ...]
    shown: tuple[Row, ...]
    table: tuple[Line, ...]
    total: int
    unopened: int
    days: bool


TURNS: Mapping[Turn, str] = {turn: WORDS[turn] for turn in Turn}
# At the head of a narrow column.
SHORT: Mapping[Turn, str] = {
    Turn.DEPARTMENT: "自己評価",
    Turn.PLANNING: "確認",
    Turn.COMMITTEE: "委員会",
    Turn.COMMENT: "意見",
    Turn.HEADQUARTERS: "決定",
    Turn.DECIDED: "公開待ち",
    Turn.PUBLISHED: "公開ずみ",
}


def plans() -> list[Plan]:
    """Every plan, the newest first. One query."""
    return list(Plan.objects.order_by("-first_year", "code"))


def chosen_plan(some: Sequence[Plan], code: str, today: date) -> Plan | None:
    """The plan that was asked for, or the one of today; None: there is no such plan."""
    if code or not some:
        return next((one for one in some if one.code == code), None)
    try:
        return queries.plan(fiscal=fiscal_year(today))
    except queries.NoPlan:
        return some[0]


def chosen_year(plan: Plan, asked: int | None, today: date) -> int | None:
    """The year that was asked for, or the last that is over; None: the plan has it not.

    Or the one that was opened after it.
    """
    if asked is None:
        over = min(max(fiscal_year(today) - 1, plan.first_year), plan.last_year)
        return max(sheets.last_opened(plan) or over, over)
    return asked if plan.first_year <= asked <= plan.last_year else None


def years(plan: Plan) -> list[tuple[int, str]]:
    """A plan's fiscal years, each with its name, the last first."""
    return [(one, fiscal_name(one)) for one in range(plan.last_year, plan.first_year - 1, -1)]


def overview(
    plan: Plan, fiscal: int, user: User, *, department: str, turn: str, now: datetime
) -> Overview:
    """Everything of a year, as it concerns somebody; `shown` by department and turn."""
    today = timezone.localdate(now)
    found = list(sheets.sheets(plan, fiscal))
    days = deadlines.deadlines(plan, fiscal)
    held = holders(found, on=today)
    rows = {one.pk: _row(one, days, held[one.pk], today) for one in found}
    every = tuple(rows.values())
    return Overview(
        mine=tuple(rows[one.pk] for one in found if user.pk in held[one.pk]),
        late=tuple(row for row in every if row.late),
        nobodys=tuple(row for row in every if row.nobody),
        shown=tuple(
            row
            for row in every
            if department in ("", row.department) and turn in ("", row.turn.value)
        ),
        table=tuple(_table(every)),
        total=len(every),
        unopened=sheets.unopened(plan, fiscal),
        days=bool(days),
    )


def _row(sheet: Sheet, days: Mapping[Turn, date], holders: frozenset[int], today: date) -> Row:
    turn, measure = Turn(sheet.turn), sheet.measure
    last_day = days.get(turn)
    return Row(
        id=sheet.pk,
        code=measure.code,
        name=measure.name,
        is_sample=measure.is_sample,
        department=measure.department.name if measure.department else NOBODYS,
        turn=turn,
        waits_for=WORDS[turn],
        until=until(last_day, today) if last_day else "",
        late=last_day is not None and last_day < today,
        nobody=turn is not Turn.PUBLISHED and not holders,
    )


def _table(rows: Iterable[Row]) -> Iterable[Line]:
    counts = Counter((row.department, row.turn) for row in rows)
    for name in sorted({name for name, _ in counts}, key=lambda name: (name == NOBODYS, name)):
        mine = tuple((turn, WORDS[turn], counts[name, turn]) for turn in Turn)
        yield Line(name, mine, sum(count for *_, count in mine))


@dataclass(frozen=True, slots=True)
class Reminded:
    """A day on which somebody was reminded: of how many sheets, and how far that came."""

    day: date
    sheets: int
    persons: str


def reminded(plan: Plan, fiscal: int) -> list[Reminded]:
    """The last days on which somebody was reminded. How far it came is all of that day's."""
    days = deadlines.reminded(plan, fiscal, days=DAYS_SHOWN)
    far = ledger.far(thread(day) for day, _ in days)
    return [Reminded(day, count, _far(far.get(thread(day), {}))) for day, count in days]


def _far(states: Mapping[State, int]) -> str:
    said = [f"{STATES.get(state, state.word)} {count}人" for state, count in states.items()]
    return "、".join(said) or "―"
