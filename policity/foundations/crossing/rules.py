"""When a file from the other side is taken. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policity.kit.sides import Side

# Two clocks that nobody set to each other: further ahead, one of them is wrong.
AHEAD = timedelta(minutes=5)
# Bytes. Whoever sends more sends something else.
LARGEST = 16 * 1024 * 1024


class Refusal(StrEnum):
    """Why a file was not taken."""

    CUT = "cut"
    LARGE = "large"
    KEY = "key"
    FORGED = "forged"
    SIDE = "side"
    KIND = "kind"
    REPLAY = "replay"
    GAP = "gap"
    OLD = "old"
    FUTURE = "future"
    SCHEMA = "schema"


SAID = {
    Refusal.CUT: "とちゅうで切れているか、受け渡しのファイルではありません。"
    "送る側から、もう一度写してください。",
    Refusal.LARGE: "大きすぎます。受け渡しのファイルかどうか、送る側に確かめてください。",
    Refusal.KEY: "知らない鍵で署名されています。送る側で policity crossing keys を動かし、"
    "出てきた公開鍵を人の手で確かめてから、"
    "こちらで policity crossing keys --trust に渡してください。",
    Refusal.FORGED: "署名が合いません。知らない鍵か、中身が変わっています。鍵を替えたのでなければ、"
    "使わずに、情報セキュリティの担当に知らせてください。",
    Refusal.SIDE: "こちらに宛てたファイルではありません。"
    "置く場所を取りちがえていないか確かめてください。",
    Refusal.KIND: "こちらの版が知らない種類です。両方の設置を同じ版にしてください。",
    Refusal.REPLAY: "すでに受け取った番号です。何もしなくてかまいません。"
    "送る側を写しからもどしたあとなら、送る側で policity crossing send に --after をつけ、"
    "こちらの最後の番号から続けてください。",
    Refusal.GAP: "前の番号が届いていません。届いていないファイルを先に置いてください。"
    "見つからないときは、抜けを認めて policity crossing receive --accept-gap で"
    "受け取ります（記録に残ります）。",
    Refusal.OLD: "作られてから時間がたちすぎています。送る側で新しく作ってください。",
    Refusal.FUTURE: "先の時刻に作られています。"
    "両方の設置の時計を確かめてから、もう一度置いてください。",
    Refusal.SCHEMA: "決められた項目と合いません。"
    "両方の設置を同じ版にしてから、もう一度置いてください。",
}


class RefusedError(Exception):
    """A file is not taken. It has a `header` only where its signature held."""

    def __init__(self, refusal: Refusal, header: "Header | None" = None) -> None:
        super().__init__(SAID[refusal])
        self.refusal, self.header = refusal, header


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before what is in a file. `digest` is the SHA-256 of the latter."""

    kind: str
    sender: Side
    receiver: Side
    number: int
    made_at: datetime
    digest: str


def judge(
    header: Header, *, last: int, oldest: timedelta, now: datetime, accept_gap: bool = False
) -> int:
    """How many files before this one are missing; RefusedError where it is not to be taken.

    `last` is the number of the last one of its kind that is done with. Whether it came too late is
    asked last: such a one is done with, and the next may follow.
    """
    if header.number <= last:
        raise RefusedError(Refusal.REPLAY, header)
    if header.number > last + 1 and not accept_gap:
        raise RefusedError(Refusal.GAP, header)
    if header.made_at > now + AHEAD:
        raise RefusedError(Refusal.FUTURE, header)
    if header.made_at < now - oldest:
        raise RefusedError(Refusal.OLD, header)
    return header.number - last - 1
