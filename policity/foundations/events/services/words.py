"""What people are told about what they signed up for, in every language."""

from collections.abc import Sequence
from enum import StrEnum

from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_noop

from policity.foundations.events.models import Event, Occurrence
from policity.foundations.events.rules.reasons import Reason
from policity.kit import moments, ruby
from policity.kit.languages import LANGUAGES


class News(StrEnum):
    """What is told."""

    ASK = "ask"
    SEAT = "seat"
    WAIT = "wait"
    UP = "up"
    DOWN = "down"
    CHANGED_SEAT = "changed_seat"
    CHANGED_WAIT = "changed_wait"
    OFF = "off"
    REMIND = "remind"
    REMIND_NEXT = "remind_next"
    THANKS = "thanks"


_HAVE = gettext_noop("席があります。")
_WAIT = gettext_noop("いまは満席です。席が空いたら、順番に知らせます。")
_CHANGED = gettext_noop("日時か場所が変わりました。下の内容を確かめてください。")
_CANCEL = gettext_noop("来られないときは、下のアドレスから取り消してください。")
_SOON_TITLE = gettext_noop("もうすぐです：%(event)s")
_CHANGED_TITLE = gettext_noop("内容が変わりました：%(event)s")

TITLES = {
    News.ASK: gettext_noop("申込みの確認：%(event)s"),
    News.SEAT: gettext_noop("申し込みました：%(event)s"),
    News.WAIT: gettext_noop("キャンセル待ちです：%(event)s"),
    News.UP: gettext_noop("席が空きました：%(event)s"),
    News.DOWN: gettext_noop("キャンセル待ちになりました：%(event)s"),
    News.CHANGED_SEAT: _CHANGED_TITLE,
    News.CHANGED_WAIT: _CHANGED_TITLE,
    News.OFF: gettext_noop("中止になりました：%(event)s"),
    News.REMIND: _SOON_TITLE,
    News.REMIND_NEXT: _SOON_TITLE,
    News.THANKS: gettext_noop("ありがとうございました：%(event)s"),
}
BODIES = {
    News.ASK: (
        gettext_noop("下のアドレスを開いて、ボタンを押すと、申込みが終わります。"),
        gettext_noop("24時間たつと使えません。"),
        gettext_noop("心当たりがないときは、何もしないでください。何も届きません。"),
    ),
    News.SEAT: (_HAVE, _CANCEL),
    News.WAIT: (_WAIT,),
    News.UP: (gettext_noop("キャンセル待ちから、席が取れました。"), _CANCEL),
    News.DOWN: (gettext_noop("定員が減ったため、キャンセル待ちになりました。"), _WAIT),
    News.CHANGED_SEAT: (_CHANGED, _HAVE, _CANCEL),
    News.CHANGED_WAIT: (_CHANGED, _WAIT),
    News.OFF: (gettext_noop("このイベントは、中止になりました。"),),
    News.REMIND: (_CANCEL, gettext_noop("待っている人に、席がまわります。")),
    News.REMIND_NEXT: (gettext_noop("申し込んだ講座の、次の回です。"),),
    News.THANKS: (
        gettext_noop("下のアドレスから、感想を聞かせてください。だれの答えかは、残りません。"),
    ),
}

REASONS = {
    Reason.WEATHER: gettext_noop("天気が悪くなるためです。"),
    Reason.DISASTER: gettext_noop("災害や事故のためです。"),
    Reason.HOST: gettext_noop("教える人や担当の都合が悪くなったためです。"),
    Reason.VENUE: gettext_noop("会場が使えなくなったためです。"),
    Reason.FEW: gettext_noop("申し込んだ人が少ないためです。"),
}


def reason(key: str, words: str) -> tuple[str, ...]:
    """Why a time was called off, in the active language, then staff's own words, as written."""
    said = gettext(REASONS[Reason(key)]) if key in REASONS else ""
    return tuple(filter(None, (said, ruby.foreign(words))))


def texts(
    event: Event, times: Sequence[Occurrence], news: News, *, number: int = 0
) -> dict[str, dict[str, str]]:
    """Title and body by language, of these times; `number` is somebody's own in the line, 0: none.

    What was not translated is said as it was written.
    """
    return {one.code: _text(event, times, news, number, one.code) for one in LANGUAGES}


def _text(
    event: Event, times: Sequence[Occurrence], news: News, number: int, code: str
) -> dict[str, str]:
    with translation.override(code):
        said = [gettext(sentence) for sentence in BODIES[news]]
        if news is News.OFF:
            said += reason(times[0].reason, times[0].reason_words)
        if len(times) > 1:
            said.append(gettext("全%(count)s回の講座です。") % {"count": len(times)})
        said += [gettext("日時：%(when)s") % {"when": when(event, one, code)} for one in times]
        if where := place(event, code):
            said.append(gettext("場所：%(place)s") % {"place": where})
        if number:
            said.append(gettext("受付番号：%(number)s") % {"number": number})
        return {
            "title": gettext(TITLES[news]) % {"event": title(event, code)},
            "body": "\n".join(said),
        }


def title(event: Event, code: str) -> str:
    """What it is called, in Japanese where nobody translated it."""
    return ruby.foreign(_own(event, code, "title"))


def place(event: Event, code: str) -> str:
    """Where it is: the city's own place, or what was written."""
    return ruby.foreign(event.venue.name if event.venue else _own(event, code, "place"))


def _own(event: Event, code: str, part: str) -> str:
    own: str = event.texts.get(code, {}).get(part) or event.texts["ja"].get(part, "")
    return own


def when(event: Event, time: Occurrence, code: str) -> str:
    """When it begins, or on which day it is."""
    at = timezone.localtime(time.starts)
    return moments.date(at, code) if event.all_day else moments.full(at, code)
