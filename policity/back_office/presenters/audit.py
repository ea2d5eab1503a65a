"""The audit trail as the administrator reads it. The words are the trail's own, put plainly."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from policity.back_office.presenters.chronology import safe
from policity.back_office.presenters.exports import BOM
from policity.foundations.accounts import queries
from policity.foundations.accounts.models import AuditEntry

SHOWN = 100
HEAD = ("番号", "時刻", "だれが", "何を", "何に", "くわしく", "要約値")
# By what an act is about; what was done to it is said by `DONE`.
ABOUT = {
    "accounts": "職員の登録",
    "answer": "イベントの感想",
    "audit": "監査の記録",
    "call": "助けが必要な人",
    "calls": "助けが必要な人の連絡先",
    "city": "市のデータ",
    "comment": "計画への意見",
    "comments": "計画への意見の募集",
    "content": "市のページ",
    "course": "散歩コース",
    "crossing": "設置のあいだの受け渡し",
    "data": "まちのデータ",
    "drill": "訓練",
    "edit": "きまりと文面",
    "emergency": "緊急時の体制",
    "event": "イベント",
    "event_source": "ほかのカレンダー",
    "facilities": "施設の一覧",
    "facility": "施設",
    "glass": "非常用アカウント",
    "hand_over": "引き継ぎ",
    "hazard": "ハザードマップ",
    "keys": "サインインのキー",
    "link": "短いアドレス",
    "message": "知らせの送信",
    "note": "クロノロジー",
    "order": "避難情報",
    "outbox": "送信箱のメール",
    "plan": "計画の評価",
    "photograph": "住民の写真",
    "registration": "イベントの申込み",
    "residents": "住民の名簿",
    "site": "避難場所・避難所",
    "spot": "見どころ",
    "staff": "サインイン",
    "status": "毎朝の状態のメール",
    "synonyms": "検索の同じ意味のことば",
    "takeover": "前のサイトの取り込み",
}
DONE = {
    "added": "足した",
    "answered": "答えを書いた",
    "approved": "承認",
    "assessed": "委員会が評価した",
    "begun": "開始",
    "broken": "封を開けた",
    "changed": "直した",
    "checked": "確かめた",
    "closed": "終わりにした",
    "composed": "作成",
    "days_set": "期限を決めた",
    "decided": "決めた",
    "declared": "切り替え",
    "declined": "公開しないと決めた",
    "discarded": "取りやめ",
    "edited": "直した",
    "entered": "二つめの確かめを終えた",
    "ended": "終わり",
    "exported": "すべて書き出し",
    "extended": "延ばした",
    "faded": "期限が過ぎて消えた",
    "figure_set": "実績を入れた",
    "grouped": "まとめた",
    "heard": "意見をまとめた",
    "imported": "取り込み",
    "issued": "発令",
    "link_made": "登録のリンクを作った",
    "loaded": "読み込み",
    "made": "作った",
    "mailed": "送った",
    "moved": "移した",
    "opened": "開いた",
    "orders": "避難情報の文面を変えた",
    "password_set": "パスワードを決めた",
    "planned": "公開を予約",
    "printed": "回復コードを作った",
    "published": "公開",
    "rated": "自己評価をした",
    "read": "読んだ",
    "received": "受けた",
    "refused": "断った",
    "removed": "消した",
    "reset": "リセット",
    "resumed": "また使えるようにした",
    "returned": "差し戻し",
    "reviewed": "あとで確認",
    "target_set": "目標を決めた",
    "role_ended": "役割の終わりを決めた",
    "role_given": "役割を与えた",
    "rules": "きまりを変えた",
    "sealed": "封をした",
    "sent": "送信",
    "sessions_ended": "端末でサインアウトさせた",
    "set": "様子を記録",
    "settled": "知らされたことを見た",
    "signed_in": "入った",
    "signed_out": "出た",
    "stopped": "止めた",
    "submitted": "承認を依頼",
    "turned_down": "差し戻し",
    "taken": "受け持った",
    "taken_along": "ファイルにした",
    "texts": "文面を変えた",
    "told_by_hand": "手で送ったと記録",
    "withdrawn": "取り消し",
    "withheld": "公開しないと決めた",
    "written": "書いた",
}

FIELDS = {
    "added": "新しい人",
    "calls": "件数",
    "count": "件数",
    "digest": "要約値",
    "changed": "変わった人",
    "corrects": "訂正した記録",
    "ends": "終わりの日",
    "evacuees": "避難者",
    "fields": "項目",
    "how": "入り方",
    "kind": "種類",
    "last_day": "最後の日",
    "level": "レベル",
    "missed": "抜けた件数",
    "name": "職員ID",
    "number": "番号",
    "outlet": "送り先",
    "reason": "理由",
    "people": "見本の人数",
    "refusal": "受け取らないわけ",
    "role": "役割",
    "size": "大きさ",
    "sites": "避難場所・避難所",
    "starts": "始まりの日",
    "state": "様子",
    "step": "段階",
    "subject": "対象",
    "departments": "課",
    "title": "題名",
    "towns": "町",
    "version": "版",
    "year": "年度",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `more` is its detail as words."""

    number: int
    at: datetime
    by: str
    what: str
    on: str
    more: str
    digest: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the trail, the newest first; `older` is where the next part begins, 0: none."""

    lines: tuple[Line, ...]
    older: int
    total: int
    kept_outside: bool
    behind: int


def page(asked: queries.Asked, *, before: int) -> Page:
    """What was asked for, from an entry on backwards. Three queries."""
    rows = list(queries.trail(asked, before=before)[: SHOWN + 1])
    return Page(
        lines=tuple(map(_line, rows[:SHOWN])),
        older=rows[SHOWN - 1].number if len(rows) > SHOWN else 0,
        total=queries.trail(asked).count(),
        kept_outside=bool(settings.AUDIT_HEADS or settings.SYSLOG),
        behind=queries.not_shipped(),
    )


def said(act: str) -> str:
    """An act in words: "避難情報：発令"."""
    about, _, done = act.partition(".")
    return f"{ABOUT.get(about, about)}：{DONE.get(done, done)}"


def _line(row: AuditEntry) -> Line:
    detail = json.loads(row.detail)
    more = "　".join(
        f"{FIELDS.get(key, key)} {value}"
        for key, value in detail.items()
        if value not in (None, "")
    )
    return Line(row.number, row.at, row.by, said(row.act), row.on, more, row.digest)


def table(rows: Iterable[AuditEntry]) -> Iterator[str]:
    """CSV for a spreadsheet, line by line, however long the trail is."""
    yield BOM + _written(HEAD)
    for line in map(_line, rows):
        at = timezone.localtime(line.at).isoformat(sep=" ", timespec="seconds")[:19]
        cells = (line.by, line.what, line.on, line.more)
        yield _written((line.number, at, *map(safe, cells), line.digest))


def _written(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
