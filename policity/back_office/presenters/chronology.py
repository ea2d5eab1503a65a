"""The chronology (クロノロジー): who decided what, and when, like minutes.

Derived from what every room keeps about itself: there is no second book. A line names staff and
towns, never a resident: those rooms' logs hold no number of a person and no telephone.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import groupby

from django.utils import timezone

from policity.back_office.presenters.drills import came_to
from policity.back_office.presenters.exports import BOM
from policity.back_office.presenters.texts import title_of
from policity.back_office.services import Drill, ground
from policity.fields.alerts.models import Action, OrderStep
from policity.fields.alerts.queries import orders, records, words
from policity.fields.alerts.queries.orders import OrderView, StepView
from policity.fields.alerts.queries.records import (
    EmergencyView,
    HandOverView,
    NoteView,
    PublishedStep,
)
from policity.fields.alerts.queries.words import EditView, order_texts
from policity.fields.alerts.rules.edits import Book
from policity.fields.alerts.rules.outlets import outlets
from policity.foundations.accounts import queries as accounts
from policity.foundations.accounts.queries import Glass
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.models import AlarmStep, DrillStep
from policity.foundations.delivery.queries import (
    CallStep,
    DrillHand,
    HandStep,
    SendingAct,
    SendingStep,
)
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.queries import OpeningStep, TownView
from policity.foundations.places.rules.openings import OPENNESS_NAMES, Openness
from policity.kit import moments

JA = "ja"
# More lines than these are not shown on one page, and the page says so.
MOST = 1000


class Kind(StrEnum):
    """What a line is about: the filter's choices."""

    ORDER = "order"
    EMERGENCY = "emergency"
    SITE = "site"
    WEATHER = "weather"
    SENDING = "sending"
    CALL = "call"
    NOTE = "note"
    HAND_OVER = "hand_over"
    DRILL = "drill"
    RULES = "rules"
    GLASS = "glass"


KINDS = {
    Kind.ORDER: "避難情報",
    Kind.EMERGENCY: "緊急時の体制",
    Kind.SITE: "避難所",
    Kind.WEATHER: "気象などの発表",
    Kind.SENDING: "送信",
    Kind.CALL: "助けの呼びかけ",
    Kind.NOTE: "書いた記録",
    Kind.HAND_OVER: "引き継ぎ",
    Kind.DRILL: "訓練",
    Kind.RULES: "きまりと文面",
    Kind.GLASS: "非常用アカウント",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the minutes. `more` is what stands below it in small print.

    `note` and `hand_over` are the numbers of such a record, `corrected` strikes a note through.
    """

    at: datetime
    kind: Kind
    who: str
    what: str
    more: str = ""
    note: int = 0
    hand_over: int = 0
    corrected: bool = False

    @property
    def clock(self) -> str:
        """ "20:41", in the city's time."""
        return f"{timezone.localtime(self.at):%H:%M}"

    @property
    def sentence(self) -> str:
        """ "見本 本部長が、避難指示（8町）を承認・発令", "見本 当直：橋は通れない"."""
        if self.kind is Kind.NOTE:
            return f"{self.who}：{self.what}"
        return f"{self.who}が、{self.what}" if self.who else self.what

    @property
    def kind_name(self) -> str:
        """The kind, in words."""
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class Sources:
    """What every room keeps of a period."""

    steps: Sequence[StepView]
    orders: Mapping[int, tuple[OrderView, datetime]]
    towns: Sequence[TownView]
    openings: Sequence[OpeningStep]
    published: Sequence[PublishedStep]
    sendings: Sequence[SendingStep]
    by_hand: Sequence[HandStep]
    calls: Sequence[CallStep]
    emergencies: Sequence[EmergencyView]
    notes: Sequence[NoteView]
    hand_overs: Sequence[HandOverView]
    drills: Sequence[Drill]
    edits: Sequence[EditView]
    drill_steps: Sequence[DrillHand]
    glass: Sequence[Glass]


def read(since: datetime, until: datetime) -> Sources:
    """Everything of a period. As many queries for one line as for a thousand."""
    steps = orders.steps(since=since, until=until)
    return Sources(
        steps=steps,
        orders=orders.by_number({step.order for step in steps}),
        towns=places_queries.towns(),
        openings=places_queries.openings_log(since, until),
        published=records.published(since, until),
        sendings=delivery.sending_log(since, until),
        by_hand=delivery.by_hand_log(since, until),
        calls=delivery.call_log(since, until),
        emergencies=records.emergencies(since, until),
        notes=records.notes(since, until),
        hand_overs=records.hand_overs(since, until),
        drills=ground().drills(),
        edits=words.edited(since, until),
        drill_steps=delivery.drill_log(since, until),
        glass=accounts.broken(since, until),
    )


def minutes(found: Sources, since: datetime, until: datetime) -> tuple[Line, ...]:
    """All of it as lines, the oldest first. What happened at one moment stays as it came."""
    every = [
        *_emergencies(found.emergencies),
        *map(_published, found.published),
        *map(partial(_step, found), found.steps),
        *map(_sending, found.sendings),
        *map(_by_hand, found.by_hand),
        *map(_opening, found.openings),
        *map(_call, found.calls),
        *_hand_overs(found.hand_overs),
        *map(_note, found.notes),
        *_drills(found.drills),
        *map(_edit, found.edits),
        *map(_drill_step, found.drill_steps),
        *map(_glass, found.glass),
    ]
    return tuple(
        sorted((line for line in every if since <= line.at < until), key=lambda line: line.at)
    )


_ACTS = {
    OrderStep.Act.COMPOSED: "を作成",
    OrderStep.Act.CHANGED: "を変更",
    OrderStep.Act.SUBMITTED: "の承認を依頼",
    OrderStep.Act.RETURNED: "を差し戻し",
    OrderStep.Act.ISSUED: "を承認・発令",
    OrderStep.Act.DISCARDED: "を取りやめ",
    OrderStep.Act.WITHDRAWN: "を、誤りとして取り消し",
    OrderStep.Act.REVIEWED: "の発令を、事後に確認",
}


def _step(found: Sources, step: StepView) -> Line:
    order, reads_so_since = found.orders[step.order]
    level = order.level
    more = [f"No.{step.order}"]
    what = "避難情報の案"
    # What was written over since is not what this person had before their eyes.
    if step.at >= reads_so_since:
        name = order_texts().name(JA, level) if level else "避難情報の解除"
        what = f"{name}（{len(order.towns)}町）"
        more.append(_towns(order.towns, found.towns))
        if level and order.reason:
            more.append(f"理由は{order_texts().reason_name(JA, order.reason)}")
    verb = _ACTS[step.act]
    if step.act is OrderStep.Act.ISSUED and step.words:
        verb = "を一人で発令"
    if step.words:
        more.append(f"「{step.words}」")
    return _line(step.at, Kind.ORDER, step.by, f"{what}{verb}", more)


def _towns(numbers: Iterable[int], known: Sequence[TownView]) -> str:
    chosen = set(numbers)
    if len(chosen) == len(known):
        return order_texts().everywhere(JA)
    return places.listed([town for town in known if town.id in chosen], JA)


def _opening(step: OpeningStep) -> Line:
    people = "" if step.evacuees is None else f"（{step.evacuees}人）"
    before, after = step.state_from, step.state_to
    if before is after:
        # Neither the state nor, perhaps, the number changed: somebody added words for the staff.
        what = f"{step.site}の人数を確認{people}"
    elif after is Openness.UNOPENED:
        what = f"{step.site}の開設を取り消し"
    elif after is Openness.CLOSED:
        what = f"{step.site}を閉鎖"
    elif before.is_open:
        what = f"{step.site}を「{OPENNESS_NAMES[after]}」に変更{people}"
    else:
        state = "" if after is Openness.OPEN else f"、「{OPENNESS_NAMES[after]}」に"
        what = f"{step.site}を開設{state}{people}"
    more = [] if before is after else [f"{OPENNESS_NAMES[before]} → {OPENNESS_NAMES[after]}"]
    return _line(step.at, Kind.SITE, step.by, what, more)


_PUBLISHED = {
    Action.SENT: "を公開し、登録した人に送信",
    Action.AWAITING_APPROVAL: "を公開。送信は承認待ち",
    Action.PUBLISHED: "を公開",
}


def _published(step: PublishedStep) -> Line:
    what = f"「{step.title}」{_PUBLISHED.get(step.sending, 'を公開')}"
    said = beside(step.told_at, step.at)
    more = [f"{step.office or '気象庁'}が{said}発表"]
    if step.withdrawal:
        more.append("発表元が取り消したもの")
    return _line(step.at, Kind.WEATHER, "", what, more)


def _sending(step: SendingStep) -> Line:
    title = f"「{step.title}」"
    what = {
        SendingAct.SENT: f"{title}を送信" if step.by else f"{title}を、対応ルールにより自動で送信",
        SendingAct.WAITED: f"{title}の送信が、承認待ち",
        SendingAct.APPROVED: f"{title}の送信を承認",
        SendingAct.WITHDRAWN: f"{title}の、まだ渡していない分を取り下げ",
    }[step.act]
    more = []
    if step.act in (SendingAct.SENT, SendingAct.APPROVED):
        more = ["人数は、まだ数えていません"]
        if step.counted_at is not None:
            counted = beside(step.counted_at, step.at)
            more = [f"対象 {step.targets:,}人、渡した人 {step.reached:,}人（{counted}の数）"]
    return _line(step.at, Kind.SENDING, step.by, what, more)


def _by_hand(step: HandStep) -> Line:
    names = {one.code: one.name for one in outlets()}
    where = names.get(step.outlet, step.outlet)
    return _line(step.at, Kind.SENDING, step.by, f"「{step.title}」を、{where}に掲載", [])


def _call(step: CallStep) -> Line:
    town = step.town or "町が分からない人"
    what = {
        AlarmStep.Act.RAISED: f"{town}から、助けを求める返事",
        AlarmStep.Act.TAKEN: f"{town}の助けの呼びかけを受け持ち",
        AlarmStep.Act.ESCALATED: f"{town}の助けの呼びかけを、だれも受けないまま時間が経過",
        AlarmStep.Act.CLOSED: f"{town}の助けの呼びかけへの対応を終了",
        AlarmStep.Act.SAFE: f"{town}で助けを求めた人から、「無事です」の返事",
    }[step.act]
    return _line(step.at, Kind.CALL, step.by, what, [])


def _emergencies(found: Iterable[EmergencyView]) -> Iterator[Line]:
    for one in found:
        kind = Kind.EMERGENCY
        yield _line(one.began_at, kind, one.began_by, "災害対策本部を設置", [f"理由は{one.why}"])
        if one.ended_at:
            more = [f"{beside(one.began_at, one.ended_at)}から"]
            yield _line(one.ended_at, kind, one.ended_by, "災害対策本部を廃止", more)


def _hand_overs(found: Iterable[HandOverView]) -> Iterator[Line]:
    for one in found:
        kind, number = Kind.HAND_OVER, one.id
        yield Line(one.at, kind, one.by, "次の当番への引き継ぎを記入", one.text, hand_over=number)
        if one.received_at:
            more = f"{beside(one.at, one.received_at)}の引き継ぎ"
            what = f"{one.by}から引き継ぎ"
            yield Line(one.received_at, kind, one.received_by, what, more, hand_over=number)


def _drills(found: Iterable[Drill]) -> Iterator[Line]:
    for one in found:
        what = f"訓練「{one.title}」"
        people = [f"見本の市民 {one.people:,}人"] if one.people else []
        yield _line(one.at, Kind.DRILL, one.by, f"{what}を開始", people)
        if one.stopped_at:
            yield _line(one.stopped_at, Kind.DRILL, one.stopped_by, f"{what}を途中で中止", [])
        if one.result is not None:
            ended = datetime.fromisoformat(one.result["ended_at"])
            yield _line(ended, Kind.DRILL, "", f"{what}が終了", [came_to(one.result)])


def _edit(edit: EditView) -> Line:
    named = title_of(edit.book, edit.subject)
    what = "知らせのきまり" if edit.book is Book.RULES else "文面"
    verb = "を変更" if edit.data else "を、はじめからの内容にもどした"
    return _line(edit.at, Kind.RULES, edit.by, f"{what}「{named}」{verb}", [f"理由は{edit.why}"])


_DRILL_ACTS = {
    DrillStep.Act.COMPOSED: "を作成し、2人の承認を依頼",
    DrillStep.Act.APPROVED: "を承認",
    DrillStep.Act.SENT: "を、2人の承認がそろい送信",
    DrillStep.Act.STOPPED: "の、まだ渡していない分を自動で中止",
    DrillStep.Act.WITHDRAWN: "を取りやめ",
}


def _drill_step(step: DrillHand) -> Line:
    what = f"市民への訓練「{step.title}」{_DRILL_ACTS[step.act]}"
    stopped = step.act is DrillStep.Act.STOPPED
    # What stopped it is a machine's doing; who declared the emergency did that, and not this.
    more = [f"「{step.because}」が出たため" if step.because else "緊急時に切り替えたため"]
    return _line(step.at, Kind.DRILL, "" if stopped else step.by, what, more if stopped else [])


def _glass(one: Glass) -> Line:
    opened, until = one.opened_at or one.sealed_at, one.until or one.sealed_at
    what = "封筒の番号で、非常用アカウントに入室"
    more = [f"{beside(until, opened)}まで、本部（承認）の仕事ができる"]
    return _line(opened, Kind.GLASS, "だれか（封筒を開けた人）", what, more)


def _note(note: NoteView) -> Line:
    more = []
    if abs(note.written_at - note.at).total_seconds() >= 60:
        more.append(f"{beside(note.written_at, note.at)}に記入")
    if note.corrects:
        more.append(f"{beside(note.corrects, note.at)}の記録を訂正")
    if note.corrected:
        more.append("のちに訂正")
    more_said = "　".join(more)
    return Line(
        note.at, Kind.NOTE, note.by, note.text, more_said, note=note.id, corrected=note.corrected
    )


def _line(at: datetime, kind: Kind, who: str, what: str, more: Sequence[str]) -> Line:
    return Line(at, kind, who, what, "　".join(more))


def beside(at: datetime, other: datetime) -> str:
    """A moment as it is said beside another one: the day only where it is another."""
    here, there = timezone.localtime(at), timezone.localtime(other)
    if here.date() == there.date():
        return moments.clock(here, JA)
    return moments.full(here, JA) if here.year == there.year else moments.dated(here, JA)


# What was asked for.


def chosen(lines: Iterable[Line], *, kind: str = "", words: str = "") -> tuple[Line, ...]:
    """Those of one kind, in which every word stands somewhere."""
    wanted = [_plain(word) for word in words.split()]
    return tuple(
        line
        for line in lines
        if kind in ("", line.kind) and all(word in _searched(line) for word in wanted)
    )


def _searched(line: Line) -> str:
    return _plain(" ".join((line.who, line.what, line.more, line.kind_name)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


Days = tuple[tuple[str, tuple[Line, ...]], ...]


def days(lines: Iterable[Line]) -> Days:
    """Lines by their day, in their order: "2026年11月25日(水)"."""
    return tuple((day, tuple(some)) for day, some in groupby(lines, key=_day))


def _day(line: Line) -> str:
    local = timezone.localtime(line.at)
    return f"{local.year}年{moments.date(local, JA)}"


# Exports.

HEAD = ("日付", "時刻", "種類", "した人", "したこと", "くわしく")
# A spreadsheet would take these for a formula.
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def table(lines: Iterable[Line]) -> str:
    """CSV for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    for line in lines:
        local = timezone.localtime(line.at)
        cells = (line.kind_name, line.who, line.what, line.more)
        writer.writerow([f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}", *map(safe, cells)])
    return BOM + text.getvalue()


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain_text(lines: Iterable[Line], *, head: str) -> str:
    """The minutes as text, to paste into a report."""
    said = [head]
    for day, some in days(lines):
        said += ["", day]
        for line in some:
            struck = "（訂正あり）" if line.corrected else ""
            said.append(f"{line.clock}　{line.sentence}{struck}")
            said += [f"　　　　{part}" for part in line.more.splitlines() if part]
    return BOM + "\r\n".join(said) + "\r\n"
