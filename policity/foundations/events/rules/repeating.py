"""When something takes place that repeats (RRULE, RFC 5545 3.3.10), and what becomes of its days
when it is changed. Pure. All moments are those of the clock on the wall, without a zone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from dateutil.rrule import MONTHLY, WEEKLY, rrule, rrulestr

MOST = 200
"""So many times at most: what repeats longer is announced anew."""

LONGEST = timedelta(days=2 * 366)
"""From the first day to the last."""

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Every(StrEnum):
    """How somebody at a desk says that something repeats."""

    ONCE = "once"
    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH_DATE = "month_date"
    MONTH_WEEKDAY = "month_weekday"


class BadRepeat(ValueError):  # noqa: N818  # the thing refused
    """It cannot repeat so. The message is one Japanese sentence for whoever wrote it."""


def rule(every: Every, starts: datetime, until: date | None) -> str:
    """The RRULE of what begins then, empty for what takes place once. Raises BadRepeat."""
    if every is Every.ONCE:
        return ""
    if until is None:
        raise BadRepeat("くり返すときは、最後の日を入れてください。")
    if until < starts.date():
        raise BadRepeat("くり返しの最後の日を、最初の日より後にしてください。")
    if until - starts.date() > LONGEST:
        raise BadRepeat("くり返しは、2年までです。最後の日を、近くしてください。")
    end = f";UNTIL={datetime.combine(until, time(23, 59, 59)):%Y%m%dT%H%M%S}"
    day = _DAYS[starts.weekday()]
    if every is Every.MONTH_DATE:
        return f"FREQ=MONTHLY;BYMONTHDAY={starts.day}{end}"
    if every is Every.MONTH_WEEKDAY:
        return f"FREQ=MONTHLY;BYDAY={_nth(starts.date())}{day}{end}"
    interval = ";INTERVAL=2" if every is Every.FORTNIGHT else ""
    return f"FREQ=WEEKLY{interval};BYDAY={day}{end}"


def _nth(day: date) -> int:
    """Which of its weekday in the month it is; a fifth one is the last."""
    number = (day.day - 1) // 7 + 1
    return -1 if number == 5 else number


def every(text: str) -> tuple[Every, date | None]:
    """What `rule` was given, for the form in which it is changed."""
    if not text:
        return Every.ONCE, None
    found = rrulestr(text, dtstart=datetime.fromisoformat("2000-01-01"))
    assert isinstance(found, rrule)  # noqa: S101  # for the types: one rule makes no set
    until = found._until.date()
    if found._freq == WEEKLY:
        return (Every.FORTNIGHT if found._interval == 2 else Every.WEEK), until
    assert found._freq == MONTHLY  # noqa: S101  # `rule` makes no other
    return (Every.MONTH_WEEKDAY if "BYDAY" in text else Every.MONTH_DATE), until


def expand(
    starts: datetime, ends: datetime, text: str, skipped: Iterable[date] = ()
) -> tuple[tuple[datetime, datetime], ...]:
    """Every time it takes place, as beginning and end. Raises BadRepeat where that is too often.

    The rule is one of ours (`rule`): it ends.
    """
    lasts = ends - starts
    if not text:
        return ((starts, ends),)
    without = frozenset(skipped)
    begins = [at for at in rrulestr(text, dtstart=starts) if at.date() not in without]
    if not begins:
        raise BadRepeat("開く日が、1日もありません。休みの日と最後の日を、確かめてください。")
    if len(begins) > MOST:
        raise BadRepeat(f"くり返しは、{MOST}回までです。最後の日を、近くしてください。")
    return tuple((at, at + lasts) for at in begins)


@dataclass(frozen=True, slots=True)
class Matched:
    """Which of the times before is which of those now, which are gone, and which are new."""

    kept: tuple[tuple[datetime, datetime], ...]
    gone: tuple[datetime, ...]
    added: tuple[datetime, ...]


def match(before: Sequence[datetime], now: Sequence[datetime], *, whole: bool = False) -> Matched:
    """What becomes of each time: the same moment is the same, then the same day; one is one.

    Of a course (`whole`) the others then follow each other in their order. Whoever signed up for a
    time that is kept stays signed up, whatever hour it now has.
    """
    old, new = sorted(set(before)), sorted(set(now))
    same = set(old) & set(new)
    pairs = {at: at for at in same}
    left = [at for at in new if at not in same]
    for at in old:
        if at not in pairs and (found := next((n for n in left if n.date() == at.date()), None)):
            pairs[at] = found
            left.remove(found)
    if whole or len(old) == len(new) == 1:
        rest = dict(zip([at for at in old if at not in pairs], left, strict=False))
        pairs |= rest
        del left[: len(rest)]
    return Matched(
        tuple(sorted(pairs.items())), tuple(at for at in old if at not in pairs), tuple(left)
    )
