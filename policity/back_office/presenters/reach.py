"""How far a message came, ready to be read: in words, numbers and lines to draw."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from policity.back_office.presenters.frame import clock
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.rules.drilling import DRILL
from policity.foundations.delivery.rules.ledger import NO_CHANNEL, State
from policity.foundations.delivery.rules.reach import (
    MILESTONES,
    Counts,
    Sample,
    Why,
    curve,
    reached,
    short_of,
    time_to,
)
from policity.foundations.places import queries as places
from policity.foundations.residents.models import Channel
from policity.foundations.residents.rules.ages import Band
from policity.kit.languages import BY_CODE

# Furthest first, with what each is called, what it means, and the colour it is drawn in.
STATES = (
    (State.CONFIRMED, "返事があった", "無事・助けが必要", "var(--data-1)"),
    (State.SEEN, "見た", "「見ました」の返事", "var(--data-2)"),
    (State.DELIVERED, "届いた", "まだ見ていない", "var(--data-3)"),
    (State.HANDED, "渡した", "相手のサーバーが受け取った", "var(--data-4)"),
    (State.QUEUED, "待ち", "送信の前", "var(--data-5)"),
    (State.FAILED, "失敗", "", "var(--data-miss)"),
    (State.UNREACHABLE, "手段なし", "メールも通知もない", "url(#hatch)"),
    (State.WITHDRAWN, "取り下げ", "送る前に取り消した", "var(--line-strong)"),
)
WHY = {
    Why.UNKNOWN: "宛先不明",
    Why.FULL: "容量がいっぱい",
    Why.GONE: "通知の登録が切れた",
    Why.GIVEN_UP: "相手が受け取れないまま",
    Why.IN_DOUBT: "届いたか不明",
    Why.NO_ADDRESS: "アドレスがなくなった",
    Why.REFUSED: "相手が断った",
}
LEFT = "登録をやめた人"
CHANNEL_NAMES = {**{one.value: str(one.label) for one in Channel}, NO_CHANNEL: "手段なし"}
AGES = {
    Band.OLD: "75歳以上",
    Band.SENIOR: "65〜74歳",
    Band.MIDDLE: "40〜64歳",
    Band.YOUNG: "18〜39歳",
    Band.CHILD: "17歳まで",
    Band.UNKNOWN: "書いていない人",
    None: LEFT,
}
GOAL = 0.9
# Towns, on the board; the page of a message has all.
LOWEST = 8
# Older counts than this say so beside them.
LATE = timedelta(seconds=5)
WIDTH = 1180.0
BAR = 100.0


@dataclass(frozen=True, slots=True)
class Part:
    """One state of the bar: how many, and where it is drawn."""

    key: str
    word: str
    note: str
    count: int
    said: str
    colour: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Sending:
    """How a dispatch stands. The parts' sum is `targets`, or it says that it is not."""

    message: int
    title: str
    sentence: str
    targets: str
    parts: tuple[Part, ...]
    reached: str
    percent: str
    rest: str
    cut: float
    whole: bool
    withdrawn: bool
    expanding: bool
    drill: bool
    began_at: datetime
    counted_at: datetime
    counted: str


@dataclass(frozen=True, slots=True)
class Line:
    """A town, a channel, a language or an age: how many of how many, and the states one by one."""

    key: str
    name: str
    targets: int
    reached: int
    percent: str
    bar: float
    low: bool
    states: Counts

    @property
    def rest(self) -> str:
        """Those who were not reached."""
        return number(self.targets - self.reached)

    @property
    def failed(self) -> str:
        """Those who failed, a dash for none."""
        return number(self.states[State.FAILED]) if self.states[State.FAILED] else "–"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the rest was not reached, in the order of `REASONS`."""
        return tuple(number(self.states[state]) for state in REASONS)


REASONS = (State.QUEUED, State.FAILED, State.UNREACHABLE, State.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis of time."""

    x: float
    word: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The share over time, in a drawing 366 × 290, and its times in words ("まだ": not yet)."""

    path: str
    end_x: float
    end_y: float
    ticks: tuple[Tick, ...]
    times: tuple[tuple[str, str], ...]
    seconds: tuple[tuple[str, float | None], ...]
    said: str


@dataclass(frozen=True, slots=True)
class Reach:
    """One message, whole and split up."""

    sending: Sending
    towns: tuple[Line, ...]
    channels: tuple[Line, ...]
    languages: tuple[Line, ...]
    ages: tuple[Line, ...]
    why: tuple[tuple[str, str], ...]
    curve: Curve
    states: Counts
    failed: Mapping[Why, int]

    @property
    def lowest(self) -> tuple[Line, ...]:
        """The towns that the board shows, by their numbers on its map."""
        return self.towns[:LOWEST]

    @property
    def most(self) -> tuple[Line, ...]:
        """The towns with the most people to reach first."""
        return tuple(sorted(self.towns, key=lambda line: line.reached - line.targets))

    @property
    def knows_ages(self) -> bool:
        """Whether anybody's age is known."""
        return any(line.name != LEFT and line.key != "unknown" for line in self.ages)

    @property
    def seconds(self) -> Mapping[str, float | None]:
        """How long it took to each milestone, in seconds; None: not yet."""
        return dict(self.curve.seconds)


def number(count: int) -> str:
    """With commas: "1,578"."""
    return f"{count:,}"


def percent(some: int, all_: int) -> str:
    """One digit, rounded down: 100% is everybody. A dash for nobody at all."""
    return f"{math.floor(1000 * some / all_) / 10:.1f}%" if all_ else "–"


def lasting(time: timedelta) -> str:
    """ "52秒", "1分02秒", "2時間05分"."""
    seconds = int(time.total_seconds())
    if seconds < 60:
        return f"{seconds}秒"
    if seconds < 3600:
        return f"{seconds // 60}分{seconds % 60:02}秒"
    return f"{seconds // 3600}時間{seconds % 3600 // 60:02}分"


def sending(sent: delivery.Sent, *, now: datetime) -> Sending:
    """One dispatch as the board draws it. `counted` is empty while the count is new."""
    count = sent.count
    parts, x = [], 0.0
    for state, word, note, colour in STATES:
        some = count.split.states[state]
        if state is State.WITHDRAWN and not some:
            continue
        width = WIDTH * some / count.targets if count.targets else 0.0
        said = _why_said(count.split.why) if state is State.FAILED else note
        parts.append(
            Part(state.word, word, said, some, number(some), colour, round(x, 1), round(width, 1))
        )
        x += width
    there = reached(count.split.states)
    return Sending(
        message=count.message,
        title=sent.title,
        sentence=sentence(there, count.targets, expanding=sent.expanding),
        targets=number(count.targets),
        parts=tuple(parts),
        reached=number(there),
        percent=percent(there, count.targets),
        rest=number(count.targets - there),
        cut=round(100 * there / count.targets, 1) if count.targets else 0.0,
        whole=count.whole,
        withdrawn=sent.stage == "withdrawn",
        expanding=sent.expanding,
        drill=sent.kind == DRILL,
        began_at=sent.began_at,
        counted_at=count.at,
        counted=clock(count.at) if now - count.at > LATE else "",
    )


def sentence(there: int, targets: int, *, expanding: bool) -> str:
    """What a mayor reads first: how many of how many, and how many are missing to the next goal."""
    if not targets:
        return "対象の人を数えています。" if expanding else "対象の人はいませんでした。"
    said = f"{number(targets)}人のうち {number(there)}人（{percent(there, targets)}）に届きました。"
    if expanding:
        return f"{said}対象の人は、まだふえています。"
    if there == targets:
        return f"{said}全員です。"
    for share in MILESTONES[1:]:
        if missing := short_of(share, reached=there, targets=targets):
            return f"{said}{share:.0%}まで あと {number(missing)}人。"
    return f"{said}まだの人は {number(targets - there)}人。"


def _why_said(why: Mapping[Why, int]) -> str:
    return "　".join(f"{word} {count}" for word, count in whys(why))


def whys(why: Mapping[Why, int]) -> tuple[tuple[str, str], ...]:
    """Why persons failed, the most frequent first."""
    ordered = sorted(why.items(), key=lambda pair: -pair[1])
    return tuple((WHY[reason], number(count)) for reason, count in ordered)


def reach(sent: delivery.Sent, *, now: datetime) -> Reach:
    """One message with everything that is told of it. Two queries."""
    split = sent.count.split
    names = {town.id: town.name for town in places.towns()}
    towns = [
        _line(str(key or ""), names.get(key, LEFT) if key else LEFT, counts)
        for key, counts in split.towns.items()
    ]
    channels = [
        _line(key, name, split.channels[key])
        for key, name in CHANNEL_NAMES.items()
        if key in split.channels
    ]
    languages = [
        _line(key or "", BY_CODE[key].name if key else LEFT, counts)
        for key, counts in split.languages.items()
    ]
    return Reach(
        sending=sending(sent, now=now),
        towns=tuple(sorted(towns, key=_lowest)),
        channels=tuple(channels),
        languages=tuple(sorted(languages, key=lambda line: -line.targets)),
        ages=tuple(
            _line("" if age is None else age.name.lower(), name, split.ages[age])
            for age, name in AGES.items()
            if age in split.ages
        ),
        why=whys(split.why),
        curve=draw(sent),
        states=split.states,
        failed=split.why,
    )


def _lowest(line: Line) -> tuple[float, int, str]:
    """By share, and where it is the same the town with more people to reach first."""
    return line.reached / line.targets, line.reached - line.targets, line.name


def _line(key: str, name: str, states: Counts) -> Line:
    targets, there = sum(states), reached(states)
    return Line(
        key=key,
        name=name,
        targets=targets,
        reached=there,
        percent=percent(there, targets),
        bar=round(BAR * there / targets, 1) if targets else 0.0,
        low=bool(short_of(GOAL, reached=there, targets=targets)),
        states=states,
    )


LEFT_EDGE, RIGHT_EDGE, FLOOR, CEILING = 40.0, 358.0, 250.0, 14.0
# What the whole axis may be, in seconds.
SPANS = (
    10, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
)  # fmt: skip


def draw(sent: delivery.Sent) -> Curve:
    """The curve, from the samples that were kept and the newest count."""
    history = _history(delivery.samples(sent.count.message), sent.count.sample)
    times = [
        None if sent.expanding else time_to(share, history, began=sent.began_at)
        for share in MILESTONES
    ]
    points = curve(history, began=sent.began_at)
    span = _span([point.seconds for point in points], times)
    scale = (RIGHT_EDGE - LEFT_EDGE) / span
    drawn = [
        (round(LEFT_EDGE + point.seconds * scale, 1), round(_height(point.share), 1))
        for point in points
        if point.seconds <= span
    ]
    words = tuple(
        (f"{share:.0%}", "まだ" if time is None else lasting(time))
        for share, time in zip(MILESTONES, times, strict=True)
    )
    return Curve(
        path="M" + " ".join(f"{x:g} {y:g}" for x, y in drawn) if drawn else "",
        end_x=drawn[-1][0] if drawn else LEFT_EDGE,
        end_y=drawn[-1][1] if drawn else FLOOR,
        ticks=_ticks(span),
        times=words,
        seconds=tuple(
            (f"{share:.0%}", None if time is None else time.total_seconds())
            for share, time in zip(MILESTONES, times, strict=True)
        ),
        said="、".join(
            f"{share}は まだです" if time == "まだ" else f"{share}まで {time}"
            for share, time in words
        ),
    )


def _history(kept: Sequence[Sample], newest: Sample) -> list[Sample]:
    """What was kept, and the newest count where it says more than the last of them."""
    if kept and (kept[-1].states == newest.states or newest.at <= kept[-1].at):
        return list(kept)
    return [*kept, newest]


def _height(share: float) -> float:
    return FLOOR - share * (FLOOR - CEILING)


def _span(seconds: Iterable[float], times: Sequence[timedelta | None]) -> int:
    """How much of the time is drawn: when the last milestone is passed, not much more."""
    last = max(seconds, default=0.0)
    *_, passed = times
    shown = last if passed is None else min(last, passed.total_seconds() * 2)
    return next((span for span in SPANS if span >= shown), math.ceil(shown / 86_400) * 86_400)


def _ticks(span: int) -> tuple[Tick, ...]:
    unit, word = next((u, w) for u, w in ((3600, "時間"), (60, "分"), (1, "秒")) if span >= 2 * u)
    middle = (LEFT_EDGE + RIGHT_EDGE) / 2
    return (
        Tick(LEFT_EDGE, "0", "start"),
        Tick(middle, f"{span / 2 / unit:g}", "middle"),
        Tick(RIGHT_EDGE, f"{span / unit:g}{word}", "end"),
    )
