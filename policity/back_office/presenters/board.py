"""What the board shows, ready to be read."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from policity.fields.alerts import queries as alerts
from policity.fields.alerts.queries import AlarmReason, FeedAlarm, InForce
from policity.fields.alerts.rules.texts import texts
from policity.foundations.delivery import queries as delivery
from policity.foundations.publishing import queries as publishing
from policity.foundations.residents import queries as residents
from policity.kit import moments

TOLD = 20
SENT = 8
# Longer than this is no measure: the telegram was taken in by another clock than ours.
MEASURABLE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One message: what, when, and how long until the last page showed it."""

    event_id: int
    title: str
    told_at: datetime
    heard_at: datetime
    took: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What somebody has to look at, and what to do about it."""

    what: str
    do: str


# Furthest first, with what each is called and the colour it is drawn in.
STATES = (
    ("confirmed", "返事があった", "var(--data-1)"),
    ("seen", "見た", "var(--data-2)"),
    ("delivered", "届いた", "var(--data-3)"),
    ("handed", "渡した", "var(--data-4)"),
    ("queued", "待ち", "var(--data-5)"),
    ("failed", "失敗", "var(--data-miss)"),
    ("unreachable", "手段なし", "var(--data-rest)"),
    ("withdrawn", "取り下げ", "var(--line-strong)"),
)
REACHED = frozenset({"confirmed", "seen", "delivered", "handed"})
WIDTH = 1180.0


@dataclass(frozen=True, slots=True)
class Part:
    """One state of the bar: how many, and where it is drawn."""

    word: str
    count: int
    colour: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Sending:
    """How a dispatch stands. The parts' sum is `targets`, or it says that it is not."""

    message: int
    title: str
    targets: int
    parts: tuple[Part, ...]
    reached: int
    percent: str
    whole: bool
    stage: str
    expanding: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board."""

    now: datetime
    in_force: tuple[tuple[InForce, str], ...]
    drills: tuple[alerts.Drill, ...]
    told: tuple[Row, ...]
    waiting: int
    troubles: tuple[Trouble, ...]
    sendings: tuple[Sending, ...]
    alarms: tuple[delivery.AlarmView, ...]
    escalated: int
    awaiting: tuple[tuple[int, str, datetime], ...]
    failures: tuple[tuple[str, int], ...]
    residents: residents.Totals
    kept: bool


def board(*, now: datetime) -> Board:
    """What is in force, what was published and how fast, and what is wrong."""
    say = texts()
    sent = sendings(SENT)
    alarms = delivery.open_alarms()
    newest = sent[0].message if sent else 0
    unreadable = alerts.unreadable(since=now - timedelta(days=1))
    return Board(
        now=now,
        in_force=tuple(
            (event, say.plain_severity("ja", event.severity)) for event in alerts.in_force()
        ),
        drills=alerts.drills(),
        told=tuple(_row(told) for told in alerts.told(TOLD)),
        waiting=publishing.waiting(now=now),
        troubles=(
            *(_feed(alarm) for alarm in alerts.feed_alarms(now)),
            *([_unreadable(unreadable)] if unreadable else []),
            *(_stuck(page) for page in publishing.failing()),
            *(
                _silent(channel, text)
                for channels in delivery.troubles().values()
                for channel, text in channels.items()
            ),
        ),
        sendings=sent,
        alarms=alarms,
        escalated=sum(alarm.escalated for alarm in alarms),
        awaiting=delivery.awaiting(),
        failures=delivery.failures(newest, 5),
        residents=residents.totals(),
        kept=not settings.EMAIL_URL,
    )


def _row(told: alerts.Told) -> Row:
    return Row(told.event_id, told.title, told.at, told.recorded_at, _took(told))


def _took(told: alerts.Told) -> str:
    """ "0.4秒", or why there is no figure."""
    if told.shown_at is None:
        return "書き出し中"
    took = told.shown_at - told.recorded_at
    if not timedelta(0) <= took <= MEASURABLE:
        return "測れません（電文の時刻で取り込み）"
    return f"{took.total_seconds():.1f}秒"


def _feed(alarm: FeedAlarm) -> Trouble:
    since = moments.full(alarm.since, "ja")
    if alarm.reason is AlarmReason.QUIET:
        return Trouble(
            f"{alarm.address} に、{since}から新しい電文がありません。",
            "気象庁のホームページで、発表が続いていないか確かめてください。",
        )
    return Trouble(
        f"{alarm.address} が、{since}から応答しません。",
        "回線を確かめ、テレビや気象庁のホームページでも警報を確かめてください。",
    )


def _unreadable(count: int) -> Trouble:
    return Trouble(
        f"読み取れない電文が、24時間に{count}件ありました。",
        "情報システムの担当に知らせてください。電文は記録してあります。",
    )


def _silent(channel: str, text: str) -> Trouble:
    name = {"mail": "メールのサーバー", "push": "通知のサーバー"}[channel]
    return Trouble(
        f"{name}に送れません（{text}）。",
        "つながると続きから送ります。長く続くときは、情報システムの担当に知らせてください。",
    )


def _stuck(page: publishing.Failing) -> Trouble:
    return Trouble(
        f"ページ {page.address} を書き出せません（{page.attempts}回）。",
        "前の内容が出たままです。情報システムの担当に知らせてください。",
    )


def sendings(limit: int) -> tuple[Sending, ...]:
    """The newest dispatches, as the board draws them."""
    return tuple(_sending(sent) for sent in delivery.sent(limit))


def _sending(sent: delivery.Sent) -> Sending:
    status = sent.status
    parts, x = [], 0.0
    for key, word, colour in STATES:
        count = status.states[key]
        width = WIDTH * count / status.targets if status.targets else 0.0
        parts.append(Part(word, count, colour, round(x, 1), round(width, 1)))
        x += width
    reached = sum(count for key, count in status.states.items() if key in REACHED)
    return Sending(
        message=status.message,
        title=sent.title,
        targets=status.targets,
        parts=tuple(parts),
        reached=reached,
        percent=f"{100 * reached / status.targets:.1f}%" if status.targets else "–",
        whole=status.whole,
        stage=status.stage,
        expanding=status.expanding,
        created_at=sent.created_at,
    )
