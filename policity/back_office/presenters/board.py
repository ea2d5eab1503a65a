"""What the board shows, ready to be read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from policity.back_office.presenters.board_map import TownMap, town_map
from policity.back_office.presenters.orders import ForBoard, for_board
from policity.back_office.presenters.reach import Reach, Sending, reach, sending
from policity.fields.alerts import queries as alerts
from policity.fields.alerts.queries import AlarmReason, FeedAlarm, InForce
from policity.fields.alerts.queries.words import texts
from policity.foundations.accounts import queries as accounts
from policity.foundations.continuity import queries as continuity
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


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody who needs help, and who sees to it. Without their particulars."""

    town: str
    minutes: int
    owner: str
    escalated: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board."""

    now: datetime
    orders: ForBoard
    in_force: tuple[tuple[InForce, str], ...]
    drills: tuple[alerts.Drill, ...]
    told: tuple[Row, ...]
    waiting: int
    troubles: tuple[Trouble, ...]
    reach: Reach | None
    towns: TownMap | None
    newest: bool
    earlier: tuple[Sending, ...]
    calls: tuple[Call, ...]
    unowned: int
    escalated: int
    awaiting: tuple[delivery.Awaiting, ...]
    residents: residents.Totals
    kept: bool


def board(*, now: datetime, message: int | None = None) -> Board:
    """What is in force, how far a message came (the newest, or the chosen one), what is wrong.

    Raises LookupError where the chosen message was not sent.
    """
    say = texts()
    sent = delivery.sent(SENT, now=now, chosen=message)
    shown = next((one for one in sent if message in (None, one.count.message)), None)
    if message is not None and shown is None:
        raise LookupError(message)
    alarms = delivery.open_alarms()
    shown_reach = reach(shown, now=now) if shown else None
    unreadable = alerts.unreadable(since=now - timedelta(days=1))
    return Board(
        now=now,
        orders=for_board(),
        in_force=tuple(
            (event, say.plain_severity("ja", event.severity)) for event in alerts.in_force()
        ),
        drills=alerts.drills(),
        told=tuple(_row(told) for told in alerts.told(TOLD)),
        waiting=publishing.waiting(now=now),
        troubles=(
            *_glass(),
            *(_feed(alarm) for alarm in alerts.feed_alarms(now)),
            *([_unreadable(unreadable)] if unreadable else []),
            *(_stuck(page) for page in publishing.failing()),
            *([_uncopied()] if continuity.behind(now=now) else []),
            *_kept(),
            *(
                _silent(channel, text)
                for channels in delivery.troubles().values()
                for channel, text in channels.items()
            ),
        ),
        reach=shown_reach,
        towns=town_map(shown_reach, alarms) if shown_reach else None,
        newest=shown is None or shown is sent[0],
        earlier=tuple(sending(one, now=now) for one in sent if one is not shown),
        calls=tuple(_call(alarm, now=now) for alarm in alarms),
        unowned=sum(not alarm.owner for alarm in alarms),
        escalated=sum(alarm.escalated for alarm in alarms),
        awaiting=delivery.awaiting(),
        residents=residents.totals(),
        kept=not settings.EMAIL_URL,
    )


def _call(alarm: delivery.AlarmView, *, now: datetime) -> Call:
    minutes = int((now - alarm.raised_at).total_seconds() // 60)
    return Call(alarm.town or "町が分かりません", minutes, alarm.owner, alarm.escalated)


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


def _uncopied() -> Trouble:
    return Trouble(
        "データの写し（バックアップ）が、5分より前で止まっています。",
        "情報システムの担当に知らせてください。写しの置き場所が外れていないか、確かめます。",
    )


def _kept() -> list[Trouble]:
    """Somebody answered while the database was away, believes that they were heard, and was not.

    Those that wait come in within moments, if nothing more is wrong.
    """
    home, found = Path(settings.HOME), []
    for kept, what in (
        (continuity.spooled(home), "まだ受け付けの途中です。"),
        (continuity.set_aside(home), "受け付けられませんでした。"),
    ):
        calls = continuity.calls_among(kept)
        among = f"（うち、助けを求める返事が{calls:,}件）" if calls else ""
        if kept:
            found.append(
                Trouble(
                    f"データベースが使えない間に預かった登録や返事{len(kept):,}件{among}は、{what}",
                    "「状態」のページに、今することがあります。",
                )
            )
    return found


def _glass() -> list[Trouble]:
    """Somebody opened the envelope, and it was not sealed anew."""
    found = accounts.glass()
    if found is None or found.opened_at is None:
        return []
    return [
        Trouble(
            f"非常用アカウントの封が、{moments.full(timezone.localtime(found.opened_at), 'ja')}に"
            "開けられました。",
            "だれが開けたかを確かめてください。管理者が、封をし直します。",
        )
    ]


def _stuck(page: publishing.Failing) -> Trouble:
    return Trouble(
        f"ページ {page.address} を書き出せません（{page.attempts}回）。",
        "前の内容が出たままです。情報システムの担当に知らせてください。",
    )
