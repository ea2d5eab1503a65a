"""Moments as each language says them. やさしい日本語 carries its readings (see `kit.ruby`).

Every function takes a moment in the zone in which it is to be read.
"""

from datetime import datetime

_JA_DAYS = "月火水木金土日"
_EASY_DAYS = ("げつ", "か", "すい", "もく", "きん", "ど", "にち")
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EN_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_ZH_DAYS = "一二三四五六日"
_KO_DAYS = "월화수목금토일"
# Days of the month that are not read number + にち.
_EASY_DATES = {
    1: "ついたち", 2: "ふつか", 3: "みっか", 4: "よっか", 5: "いつか", 6: "むいか", 7: "なのか",
    8: "ようか", 9: "ここのか", 10: "とおか", 14: "じゅうよっか", 20: "はつか",
    24: "にじゅうよっか",
}  # fmt: skip


def full(at: datetime, code: str) -> str:
    """Date, weekday and time: "9月18日(金) 20時40分", "Fri 18 Sep, 20:40"."""
    joint = ", " if code == "en" else " "
    return f"{date(at, code)}{joint}{clock(at, code)}"


def dated(at: datetime, code: str) -> str:
    """With the year, for what may be long ago: "2026年9月18日(金) 20時40分"."""
    return f"{day(at, code)}{', ' if code == 'en' else ' '}{clock(at, code)}"


def day(at: datetime, code: str) -> str:
    """The day alone, with the year: "2026年9月18日(金)", "Fri 18 Sep 2026"."""
    if code == "en":
        return f"{date(at, code)} {at.year}"
    year = {"ja-easy": "{年|ねん}", "zh-hans": "年", "ko": "년 "}.get(code, "年")
    return f"{at.year}{year}{date(at, code)}"


def date(at: datetime, code: str) -> str:
    """Date and weekday: "9月18日(金)", "Fri 18 Sep"."""
    weekday = at.weekday()
    if code == "ja-easy":
        reading = _EASY_DATES.get(at.day)
        day = f"{{{at.day}日|{reading}}}" if reading else f"{at.day}{{日|にち}}"
        return f"{at.month}{{月|がつ}}{day} {{{_JA_DAYS[weekday]}曜日|{_EASY_DAYS[weekday]}ようび}}"
    if code == "en":
        return f"{_EN_DAYS[weekday]} {at.day} {_EN_MONTHS[at.month - 1]}"
    if code == "zh-hans":
        return f"{at.month}月{at.day}日（周{_ZH_DAYS[weekday]}）"
    if code == "ko":
        return f"{at.month}월 {at.day}일({_KO_DAYS[weekday]})"
    return f"{at.month}月{at.day}日({_JA_DAYS[weekday]})"


def clock(at: datetime, code: str) -> str:
    """Time of day: "20時40分", "20:40"."""
    if code == "ja-easy":
        half = "{午後|ごご}" if at.hour >= 12 else "{午前|ごぜん}"
        minute = f"{at.minute}{{分|{_minute(at.minute)}}}" if at.minute else ""
        return f"{half} {at.hour % 12}{{時|じ}}{minute}"
    if code == "ko":
        return f"{at.hour}시 {at.minute:02}분"
    if code in ("en", "zh-hans"):
        return f"{at.hour:02}:{at.minute:02}"
    return f"{at.hour}時{at.minute:02}分"


def _minute(minute: int) -> str:
    return "ふん" if minute % 10 in (2, 5, 7, 9) else "ぷん"
