"""The sheet of a measure and a year, from its plan to what changes next, for staff."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from policity.back_office.presenters.plan import NOBODYS
from policity.foundations.city_plan import presenters as words
from policity.foundations.city_plan.formats import schedules
from policity.foundations.city_plan.formats.facts import schemes, stages
from policity.foundations.city_plan.models import CommentGroup, Indicator, Sheet
from policity.foundations.city_plan.queries import deadlines, sheets
from policity.foundations.city_plan.queries.comments import answers
from policity.foundations.city_plan.queries.evaluating import (
    IndicatorView,
    MeasureView,
    YearView,
    evaluate,
)
from policity.foundations.city_plan.queries.sheets import StepView
from policity.foundations.city_plan.rules.commenting import Outcome
from policity.foundations.city_plan.rules.cycle import LOCKED, Act, Asked, Done, Said, Turn
from policity.foundations.city_plan.rules.grading import Scheme
from policity.foundations.city_plan.services import WORDS, asked_by
from policity.foundations.city_plan.services.reminding import until
from policity.kit.eras import fiscal_name

DID: Mapping[Act, str] = {
    Act.RATE: "担当課が自己評価をした",
    Act.CHECK: "企画が確かめた",
    Act.REVIEW: "委員会が評価した",
    Act.HEAR: "市民の意見をまとめた",
    Act.DECIDE: "本部が決定した",
    Act.PUBLISH: "公開した",
    Act.RETURN: "企画が差し戻した",
}
BECAME = {Done.DONE: "した", Done.NOT_DONE: "していない", Done.DROPPED: "やめた"}
GRADERS = ((Act.RATE, "担当課の自己評価"), (Act.REVIEW, "委員会の評価"), (Act.DECIDE, "本部の決定"))


def heard(row: Sheet) -> str:
    """What residents said of a measure and the city answered: a draft of what is written down."""
    return "\n\n".join(
        "\n".join(filter(None, (
            f"{said['summary']}（{count}件）",
            f"→ {CommentGroup.OUTCOMES[Outcome(group.outcome)]}。{said['answer']}",
            said["change"],
        )))
        for group, count in answers(row.measure_id, row.year)
        for said in [group.texts["ja"]]
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Year:
    """A figure of one year in words. `why` says why there is none."""

    name: str
    figure: str
    why: str
    target: str
    share: str
    grade: str
    by_first: str
    source: str
    provisional: bool
    corrected: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An indicator: its years, this one and the one before (None in the first)."""

    id: int
    code: str
    name: str
    kind: str
    unit: str
    direction: str
    reckoning: str
    baseline: str
    method: str
    metric: str
    targets: tuple[str, ...]
    now: Year
    before: Year | None


@dataclass(frozen=True, slots=True)
class Told:
    """A step of the history. `answers` are pairs of what was asked and what was said.

    `ends`: it was decided that the measure ends with the year.
    """

    did: str
    by: str
    at: datetime
    grade: str
    direction: str
    stage: str
    ends: bool
    text: str
    answers: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    is_return: bool


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What became of one of last year's decisions. `became` is empty while nobody has said."""

    action: str
    became: str
    why: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page of a sheet says."""

    sheet: Sheet
    title: str
    year: str
    turn: Turn
    waits_for: str
    until: str
    late: bool
    stage: str
    stage_says: str
    facts: tuple[tuple[str, str], ...]
    years: tuple[str, ...]
    lines: tuple[Line, ...]
    proposed: str
    share: str
    reached: str
    move: str
    grades: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    follow_ups: tuple[FollowUp, ...]
    actions: tuple[str, ...]
    are_decided: bool
    direction: str
    ends: bool
    history: tuple[Told, ...]
    asked: Asked
    scheme: Scheme
    last: Mapping[Act, Said]


def page(sheet: Sheet, *, now: datetime) -> Page:
    """A sheet as it stands. Some ten queries, and those of its metrics while the year runs."""
    plan, measure, turn = sheet.measure.plan, sheet.measure, Turn(sheet.turn)
    views = evaluate(plan, sheet.year, now=now, only=measure.code).measures
    view = views[0] if views else None
    done, scheme, stage = sheets.steps(sheet), schemes()[plan.scheme], stages()[sheet.stage]
    asked, today = asked_by(sheet, view), timezone.localdate(now)
    last = {one.act: one.said for one in done}
    rated, decided = last.get(Act.RATE, Said()), last.get(Act.DECIDE)
    last_day = deadlines.deadlines(plan, sheet.year).get(turn)
    pks = dict(Indicator.objects.filter(measure=measure).values_list("code", "pk"))
    lines = tuple(_line(one, pks[one.code]) for one in view.indicators) if view else ()
    return Page(
        sheet=sheet,
        title=f"{measure.code} {measure.name}",
        year=fiscal_name(sheet.year),
        turn=turn,
        waits_for=WORDS[turn],
        until=until(last_day, today) if last_day else "",
        late=last_day is not None and last_day < today,
        stage=stage.name,
        stage_says=stage.says,
        facts=tuple(_facts(sheet)),
        years=tuple(fiscal_name(one) for one in range(plan.first_year, sheet.year + 1)),
        lines=lines,
        proposed=_graded(scheme, view.grade) if view else "",
        share=words.share(view.whole.share) if view else "―",
        reached=f"{view.whole.all}つのうち{view.whole.reached}つに届いた" if view else "",
        move=_move(view),
        grades=tuple(
            (name, _graded(scheme, last[act].grade)) for act, name in GRADERS if act in last
        ),
        answers=tuple((one, rated.answers.get(one, "")) for one in asked.questions),
        reasons=tuple((name, rated.reasons.get(code, "")) for code, name in asked.missed.items()),
        follow_ups=tuple(_follow_ups(asked, rated)),
        actions=tuple((decided or rated).actions),
        are_decided=decided is not None,
        direction=scheme.directions.get(decided.direction, "") if decided else "",
        ends=turn in LOCKED and decided is not None and decided.ends,
        history=tuple(_told(one, scheme, asked) for one in done),
        asked=asked,
        scheme=scheme,
        last=last,
    )


def _facts(sheet: Sheet) -> Iterator[tuple[str, str]]:
    measure = sheet.measure
    yield "計画", measure.plan.name
    yield "分野", measure.field.name
    yield "担当課", measure.department.name if measure.department else NOBODYS
    if measure.partners:
        yield "協力", measure.partners
    if measure.budget is not None:
        yield "予算（全年度）", f"{measure.budget:,}円"
    if measure.schedule:
        yield "工程", schedules.written(schedules.Phase(*one) for one in measure.schedule)
    if measure.summary:
        yield "内容", measure.summary


def _graded(scheme: Scheme, code: str | None) -> str:
    return "人が決めます" if code is None else f"{code}　{scheme.name_of(code)}"


def _move(view: MeasureView | None) -> str:
    if view is None or view.move is None:
        return ""
    return f"{stages()[view.move.to].name}（{words.because(view.move)}）"


def _line(one: IndicatorView, pk: int) -> Line:
    return Line(
        id=pk,
        code=one.code,
        name=one.name,
        kind=Indicator.KINDS[one.kind],
        unit=one.unit,
        direction=Indicator.DIRECTIONS[one.direction],
        reckoning=Indicator.RECKONINGS[one.reckoning],
        baseline=f"{words.number(one.baseline)}{one.unit}" if one.baseline is not None else "―",
        method=one.method,
        metric=one.metric,
        targets=tuple(_target(view, one.unit) for view in one.years),
        now=year(one.now, one.unit),
        before=year(one.years[-2], one.unit) if len(one.years) > 1 else None,
    )


def _target(view: YearView, unit: str) -> str:
    return words.aim(view.aim, unit) if view.aim else "―"


def year(view: YearView, unit: str) -> Year:
    """One year of an indicator in words."""
    figure, attained = view.figure, view.attained
    known = figure is not None and figure.number is not None
    return Year(
        name=fiscal_name(view.year),
        figure=f"{words.number(figure.number)}{unit}" if figure and known else "―",
        why=words.GAPS[attained.gap] + (f"：{figure.reason}" if figure and figure.reason else "")
        if attained.gap
        else "",
        target=_target(view, unit),
        share=words.share(attained.share),
        grade=view.grade or "",
        by_first=words.share(attained.by_first) if attained.by_first is not None else "",
        source=view.evidence,
        provisional=attained.provisional,
        corrected=view.corrected,
    )


def _follow_ups(asked: Asked, rated: Said) -> Iterator[FollowUp]:
    told = {one.action: one for one in rated.follow_ups}
    for action in asked.decided:
        one = told.get(action)
        yield FollowUp(action, BECAME[one.done] if one else "", one.why if one else "")


def _told(one: StepView, scheme: Scheme, asked: Asked) -> Told:
    said = one.said
    answers = [*said.answers.items()]
    answers += [
        (f"「{asked.missed.get(code, code)}」が届かなかったわけ", why)
        for code, why in said.reasons.items()
    ]
    answers += [
        (f"昨年度の決定「{told.action}」", "：".join(filter(None, (BECAME[told.done], told.why))))
        for told in said.follow_ups
    ]
    return Told(
        did=DID[one.act],
        by=str(one.by),
        at=timezone.localtime(one.at),
        grade=_graded(scheme, said.grade) if said.grade else "",
        direction=scheme.directions.get(said.direction, ""),
        stage=stages()[said.stage].name if said.stage else "",
        ends=said.ends,
        text=said.text,
        answers=tuple(answers),
        actions=tuple(said.actions),
        is_return=one.act is Act.RETURN,
    )
