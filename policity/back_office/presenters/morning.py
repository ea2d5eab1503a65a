"""The mail of each morning: how the system stands, and what was sent the day before."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from policity.back_office.presenters.health import Line, lines
from policity.foundations.continuity.rules.health import State
from policity.foundations.delivery.queries import SendingAct, sending_log

PAGE = "back_office:health"
SENT = {SendingAct.SENT, SendingAct.APPROVED}


def morning(*, now: datetime) -> tuple[str, str]:
    """Subject and text. Nothing in it is about a resident."""
    found = lines(now=now)
    bad = [line for line in found if line.state >= State.WEAK]
    good = "、".join(line.name for line in found if line.state == State.GOOD)
    subject = f"きょうの状態：{found[0].word if bad else '正常'}"
    if bad:
        subject += f"（{len(bad)}件）"
    parts = [*map(_told, bad), f"正常：{good}", _sent(now), settings.PUBLIC_URL + reverse(PAGE)]
    return subject, "\n\n".join(parts) + "\n"


def _told(line: Line) -> str:
    said = [f"【{line.word}】{line.name}", line.what]
    said += [f"市民には：{line.residents}"] if line.residents else []
    said += [f"今すること：{line.do}"] if line.do else []
    return "\n".join(said)


def _sent(now: datetime) -> str:
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    told = "\n".join(_messages(today - timedelta(days=1), today))
    return f"きのう送った知らせ：\n{told}" if told else "きのう送った知らせ：ありません"


def _messages(since: datetime, until: datetime) -> Iterator[str]:
    for step in sending_log(since, until):
        if step.act in SENT:
            at = f"{timezone.localtime(step.at):%-H:%M}"
            yield f"・{at} {step.title}：あて先{step.targets:,}人、届いた人{step.reached:,}人"
