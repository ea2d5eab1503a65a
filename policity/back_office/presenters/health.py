"""How the city's system stands, in plain words: what it means for residents, and what to do now.

Everything that does not need the database is said without it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error
from django.utils import timezone

from policity.back_office.presenters.crossings import arrived
from policity.fields.alerts import queries as alerts
from policity.foundations.continuity import queries
from policity.foundations.continuity.rules import health as rules
from policity.foundations.continuity.rules.health import State
from policity.foundations.continuity.rules.retention import periods
from policity.foundations.delivery import queries as delivery
from policity.foundations.publishing import queries as publishing
from policity.kit import moments
from policity.kit.sides import Role

STATES = {
    State.GOOD: "正常",
    State.UNKNOWN: "分かりません",
    State.WEAK: "注意",
    State.BROKEN: "異常",
}
# Each day, and a day for an outage.
FADES_WITHIN = timedelta(days=2)
CALL = "情報システムの担当に知らせてください。"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing: how it stands, what that means for residents, what to do now (empty: nothing)."""

    key: str
    name: str
    state: State
    what: str
    residents: str = ""
    do: str = ""

    @property
    def word(self) -> str:
        """The state in a word."""
        return STATES[self.state]


def lines(*, now: datetime) -> tuple[Line, ...]:
    """Everything, the worst first."""
    home = Path(settings.HOME)
    fault = queries.database_fault()
    found = [
        _database(fault),
        *_processes(home, now=now),
        *(_telling(home, now=now) if settings.ROLE != Role.INTERNAL else _told(now=now)),
        _disk(home),
        _copies(home, now=now),
        *_slot(),
        _clock(home, now=now),
        _fading(home, now=now),
        *_certificate(home, now=now),
    ]
    return tuple(sorted(found, key=lambda line: -line.state))


def _telling(home: Path, *, now: datetime) -> Iterator[Line]:
    """What comes in and what goes to residents: nothing of it inside."""
    yield _asked("feeds", "気象庁などの電文", lambda: _feeds(now=now))
    yield from _senders()
    yield from _kept(home)
    yield _asked("pages", "市民のページ", _pages)


def _told(*, now: datetime) -> Iterator[Line]:
    """Inside: how old is what the other installation says of the situation."""
    yield _asked("crossings", "受け取った避難情報", lambda: _crossed(now=now))


def _crossed(*, now: datetime) -> Line:
    key, name, found = "crossings", "受け取った避難情報", arrived(now=now)
    if found and not found.old:
        return Line(key, name, State.GOOD, f"{_when(found.made_at)}の様子です。")
    return Line(
        key, name, State.WEAK,
        f"{_when(found.made_at)}の様子のままです。" if found else "まだ何も届いていません。",
        "支援が要る人のところへ、いま行くべきかどうかが、ここからは分かりません。",
        "「受け渡し」を見て、断ったものがあれば書いてあるとおりに直し、"
        "避難情報は防災の当直に電話で確かめてください。",
    )  # fmt: skip


def worst(found: tuple[Line, ...]) -> State:
    """How all of it stands."""
    return max((line.state for line in found), default=State.GOOD)


def _asked(key: str, name: str, ask: Callable[[], Line]) -> Line:
    """What only the database knows."""
    try:
        return ask()
    except Error:
        return Line(key, name, State.UNKNOWN, "データベースが使えないので、分かりません。")


def _database(fault: str) -> Line:
    key, name = "database", "データベース"
    if not fault:
        return Line(key, name, State.GOOD, "応答しています。")
    return Line(
        key, name, State.BROKEN, f"使えません（{fault}）。",
        "市民のページは、今のまま読めます。登録・変更・返事は預かり、データベースが直れば届きます。"
        "新しい電文の取り込みと、知らせの送信は止まっています。",
        "急ぐ知らせは、防災行政無線・広報車・電話・放送で伝えてください。"
        "情報システムの担当は、ディスクの空きと権限を確かめ、直らなければ写しからもどします"
        "（policity continuity restore）。",
    )  # fmt: skip


PROCESSES = {
    "worker": (
        "ページを作る係",
        "新しい情報が市民のページに出ず、知らせのあて先も決まりません。前の内容は読めます。",
    ),
    "watcher": (
        "電文を受け取る係",
        "気象庁の警報などが、ページにも知らせにも出ません。",
    ),
    "sender-urgent": ("緊急の知らせを送る係", "緊急の知らせが、メールでも通知でも届きません。"),
    "sender-routine": (
        "ふだんの知らせを送る係",
        "急がない知らせと、登録の確認メールが届きません。",
    ),
    "live": ("ボードを動かす係", "市民には影響しません。ボードは、読み直すと新しくなります。"),
}


def _processes(home: Path, *, now: datetime) -> Iterator[Line]:
    silent = queries.silent(home, now=now)
    if len(silent) == len(queries.children()):
        yield Line(
            "processes", "動いているはずの係", State.BROKEN, "どれも動いていません。",
            "市民のページは読めますが、新しくなりません。知らせも送られません。",
            f"{CALL}担当は policity serve（systemctl start policity）で始めます。",
        )  # fmt: skip
        return
    for key in silent:
        name, residents = PROCESSES[key]
        yield Line(
            key, name, State.WEAK if key == "live" else State.BROKEN,
            f"{queries.HEARTBEAT_SECONDS}秒より長く、応答がありません。", residents,
            f"自動で始め直しています。1分待っても変わらなければ、{CALL}",
        )  # fmt: skip
    if not silent:
        yield Line("processes", "動いているはずの係", State.GOOD, "すべて動いています。")


def _feeds(*, now: datetime) -> Line:
    alarms = alerts.feed_alarms(now)
    key, name = "feeds", "気象庁などの電文"
    if not alarms:
        return Line(key, name, State.GOOD, "届いています。")
    said = "、".join(f"{one.address}（{moments.full(one.since, 'ja')}から）" for one in alarms)
    return Line(
        key, name, State.BROKEN, f"届いていません：{said}",
        "警報・注意報・地震などが、ページにも知らせにも出ないおそれがあります。",
        "テレビ・ラジオ・気象庁のホームページで確かめ、"
        "必要な情報は職員が「避難情報」から出してください。回線も確かめてください。",
    )  # fmt: skip


CHANNELS = {
    "mail": ("メールの送信", "メールで登録した人に、知らせが届いていません。"),
    "push": ("通知の送信", "通知で登録した人に、知らせが届いていません。"),
}


def _senders() -> Iterator[Line]:
    said: dict[str, str] = {}
    for channels in delivery.troubles().values():
        said.update(channels)
    for key, (name, residents) in CHANNELS.items():
        if key in said:
            yield Line(
                key, name, State.BROKEN, f"送り先のサーバーに送れません（{said[key]}）。",
                f"{residents}つながると、続きから送ります。",
                f"急ぐ知らせは、ほかの方法でも伝えてください。{CALL}",
            )  # fmt: skip
        elif key == "mail" and not settings.EMAIL_URL:
            yield Line(
                key, name, State.WEAK, "メールのサーバーがありません（POLICITY_EMAIL_URL）。",
                "メールはだれにも届かず、送信箱にたまります。", "訓練や見本でなければ、" + CALL,
            )  # fmt: skip
        else:
            yield Line(key, name, State.GOOD, "送れないという知らせは、ありません。")


def _kept(home: Path) -> Iterator[Line]:
    """What residents sent while the database was away; nothing where nothing was."""
    waiting = queries.spooled(home)
    if waiting:
        calls = queries.calls_among(waiting)
        # Said where it is read also while nobody can be known.
        kept = f"登録や返事を{len(waiting):,}件、預かっています。"
        if calls:
            kept += f"そのうち{calls:,}件は、助けを求める返事です。"
        yield Line(
            "kept", "預かっている登録と返事", State.BROKEN,
            "データベースが使えない間に送られたものが、まだ入っていません。",
            kept + "送った人には、預かったことと、命があぶないときは119へ、と出ています。",
            f"データベースが直れば、自動で届きます。1分待っても減らなければ、{CALL}",
        )  # fmt: skip
    if aside := queries.set_aside(home):
        calls = queries.calls_among(aside)
        what = f"預かったものの、受け付けられなかったものが{len(aside):,}件あります。"
        if calls:
            what += f"そのうち{calls:,}件は、助けを求める返事です。"
        yield Line(
            "aside", "受け付けられなかった登録と返事", State.BROKEN if calls else State.WEAK, what,
            "送った人は、受け付けられたと思っています。",
            f"{CALL}担当は policity continuity refused で中身を見て、本人に伝え、"
            "すんだものを spool/refused から消します。",
        )  # fmt: skip


def _pages() -> Line:
    key, name, failing = "pages", "市民のページ", publishing.failing()
    if not failing:
        return Line(key, name, State.GOOD, "書き出せています。")
    said = "、".join(page.address for page in failing[:3])
    return Line(
        key, name, State.BROKEN, f"{len(failing)}ページを書き出せません（{said}）。",
        "そのページには、前の内容が出たままです。",
        f"そのページの内容を信じて動かないよう、ほかの方法でも伝えてください。{CALL}",
    )  # fmt: skip


def _disk(home: Path) -> Line:
    found = queries.disk(home)
    state = rules.disk(free=found.free, database=found.database)
    what = f"{found.free / rules.GIB:.1f}GBあいています。"
    if state == State.GOOD:
        return Line("disk", "ディスク", state, what)
    return Line(
        "disk", "ディスク", state, what,
        "いっぱいになると、登録も、新しい情報も、知らせも止まります。ページは読めます。",
        f"{CALL}担当は、古い drills/ と upgrades/ とログを片づけるか、ディスクを増やします。",
    )  # fmt: skip


def _copies(home: Path, *, now: datetime) -> Line:
    key, name = "copies", "データの写し（バックアップ）"
    residents = "今は影響しません。機械が失われると、写しのあとの登録や返事が失われます。"
    if not settings.BACKUP:
        return Line(
            key, name, State.WEAK, "写しを取る設定がありません（POLICITY_BACKUP）。",
            "今は影響しません。機械が失われると、登録も記録もすべて失われます。",
            "訓練や見本でなければ、" + CALL,
        )  # fmt: skip
    found = queries.synced(home)
    what = f"{_when(found.at)}までの写しがあります。" if found else "写しが、まだありません。"
    if queries.behind(now=now):
        fault = queries.copy_fault(home)
        return Line(
            key, name, State.BROKEN,
            what + "5分より前で止まっています。" + (f"{fault}。" if fault else ""), residents,
            f"{CALL}担当は、置き場所が外れていないか、いっぱいでないかを確かめます。",
        )  # fmt: skip
    if queries.counterfoils_behind(home):
        return Line(
            key, name, State.WEAK, what + "だれに送ったかの控えを、置き場所に書けません。",
            "今は影響しません。いま機械が失われると、同じ知らせが2回届く人が増えます。",
            f"{CALL}担当は、置き場所が外れていないか、遅くないかを確かめます。",
        )  # fmt: skip
    tried = queries.drilled(home)
    what += f"もどす練習は{_when(tried)}。" if tried else "もどす練習を、まだしていません。"
    state = rules.drilled(tried, now=now)
    if state == State.GOOD:
        return Line(key, name, state, what)
    return Line(
        key, name, state, what, "今は影響しません。もどせるかどうかを、だれも確かめていません。",
        "情報システムの担当は、秘密鍵を持ってきて policity continuity drill を動かしてください。",
    )  # fmt: skip


SLOTS = {
    rules.Slot.NONE: (
        State.WEAK, "PostgreSQL に、写しのための記録の取り置き（スロット）がありません。",
        "写しを取り始めると作られます。変わらなければ、写しのログ（copies）を確かめてください。",
    ),
    rules.Slot.LOST: (
        State.BROKEN, "写しが長く止まり、PostgreSQL が取り置いた記録（スロット）が失われました。",
        "置き場所がもどれば、自動で全部を写し直します。置き場所を確かめてください。",
    ),
    rules.Slot.ENDLESS: (
        State.WEAK, "写しが何日も止まると、PostgreSQL のディスクがいっぱいになります。",
        "max_slot_wal_keep_size を設定してください（docs/operations.ja.md の「PostgreSQL」）。",
    ),
}  # fmt: skip


def _slot() -> Iterator[Line]:
    """Only where the data is in PostgreSQL, and is copied."""
    if not settings.BACKUP or not settings.SECRET_DATABASE:
        return
    key, name = "slot", "写しのための記録の取り置き"

    def asked() -> Line:
        if (found := queries.slot()) not in SLOTS:
            return Line(key, name, State.GOOD, "PostgreSQL が、写し終えるまで取り置いています。")
        state, what, do = SLOTS[found]
        return Line(key, name, state, what, "今は影響しません。", do)

    yield _asked(key, name, asked)


def _clock(home: Path, *, now: datetime) -> Line:
    key, name = "clock", "時計"
    ahead = queries.clock_ahead(home, now=now)
    state = rules.clock(ahead)
    if ahead is None:
        return Line(
            key, name, state,
            "この1時間、比べる相手がありません（電文を配るサーバーの時刻と比べています）。",
        )  # fmt: skip
    seconds = abs(ahead.total_seconds())
    if state == State.GOOD:
        return Line(key, name, state, "電文を配るサーバーの時刻と合っています。")
    way = "進んで" if ahead.total_seconds() > 0 else "遅れて"
    return Line(
        key, name, state, f"電文を配るサーバーより、{seconds:.0f}秒{way}います。",
        "発表や知らせの時刻がちがって見え、期限のある情報が早く消えたり残ったりします。",
        f"{CALL}担当は、時刻合わせ（NTP）が動いているか確かめます。",
    )  # fmt: skip


def _fading(home: Path, *, now: datetime) -> Line:
    """Whether what is known of persons fades as the city has decided."""
    key, name, found = "fading", "個人の記録の期限", queries.faded(home)
    kept = "、".join(f"{one.what}は{one.keeps.days}日" for one in periods().values())
    if found is None:
        what = "まだ一度も調べていません（ページを作る係が、手のあいたときに調べます）。"
        return Line(key, name, State.UNKNOWN, what)
    gone = sum(found.counts.values())
    what = f"{_when(found.at)}に調べ、期限の過ぎた{gone:,}件を消しました。残す期限：{kept}。"
    if now - found.at < FADES_WITHIN:
        return Line(key, name, State.GOOD, what)
    return Line(
        key, name, State.WEAK, what,
        "市が決めた期限より長く、個人の記録が残っています。",
        f"{CALL}担当は、ページを作る係を確かめ、policity retention --now を動かします。",
    )  # fmt: skip


def _certificate(home: Path, *, now: datetime) -> Iterator[Line]:
    """Only where residents come by https."""
    if not settings.PUBLIC_URL.startswith("https:"):
        return
    key, name, found = "certificate", "証明書（https）", queries.certificate(home)
    if found is None:
        yield Line(
            key, name, State.UNKNOWN, "まだ調べていません（1日に1回、ページを作る係が調べます）。",
            do="ここから市のアドレスへ https で行けるかを、policity doctor で確かめてください。",
        )  # fmt: skip
        return
    seen = f"（{_when(found.at)}に調べました）"
    state = State.BROKEN if found.until is None else rules.certificate(found.until, now=now)
    what = found.fault or f"{_when(found.until or now)}まで有効です"
    if state == State.GOOD:
        yield Line(key, name, state, f"{what}。{seen}")
        return
    yield Line(
        key, name, state, f"{what}。{seen}",
        "期限が切れると、市民のブラウザーが警告を出し、登録も通知もできなくなります。",
        f"{CALL}担当は、証明書の自動更新を確かめます。",
    )  # fmt: skip


def _when(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y年%-m月%-d日 %H:%M}"
