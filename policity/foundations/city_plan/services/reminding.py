"""The days of a year, and telling whoever holds a turn: by the road that all that is told takes."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.city_plan.models import Deadline, Plan, Reminder
from policity.foundations.city_plan.policies import holders
from policity.foundations.city_plan.queries.deadlines import Due, deadlines, due
from policity.foundations.city_plan.rules.cycle import Turn
from policity.foundations.city_plan.rules.deadlines import out_of_order
from policity.foundations.city_plan.services.drawing import PlanRefused
from policity.foundations.city_plan.services.evaluating import TOPIC, WORDS
from policity.foundations.delivery import queries as ledger
from policity.foundations.delivery import services as delivery
from policity.foundations.residents.rules.choices import STAFF
from policity.foundations.work import services as work
from policity.kit.eras import fiscal_name
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

MOST_NAMED = 20
PAGE = "staff/plan/"


@work.alone(TOPIC)
def set_deadlines(
    *, plan: Plan, fiscal: int, days: Mapping[Turn, date], by: User | None, now: datetime
) -> None:
    """Set the last day of each turn of a year; a turn without one has none. PlanRefused."""
    if not plan.first_year <= fiscal <= plan.last_year:
        raise PlanRefused(f"{plan.name}に、{fiscal_name(fiscal)}はありません。")
    if turns := out_of_order(days):
        before, after = turns
        raise PlanRefused(
            f"「{WORDS[after]}」の期限が、その前の「{WORDS[before]}」の期限より早くなっています。"
        )
    if days == deadlines(plan, fiscal):
        return
    Deadline.objects.filter(plan=plan, year=fiscal).exclude(turn__in=days).delete()
    for turn, day in days.items():
        Deadline.objects.update_or_create(plan=plan, year=fiscal, turn=turn, defaults={"day": day})
    audit.record(
        "plan.days_set", on=f"city_plan.plan:{plan.pk}", by=by, now=now, year=fiscal,
        count=len(days),
    )  # fmt: skip


@work.alone(TOPIC)
def remind(*, now: datetime) -> int:
    """Remind whoever holds a turn that is late or ends soon; of how many sheets that was.

    Each person gets one message with all of theirs, and on one day no second one, whatever
    restarts. What nobody can take is left for another day: the overview says so.
    """
    today = timezone.localdate(now)
    if ledger.told(thread(today)):
        return 0
    found = due(today)
    held = holders([one.sheet for one in found], on=today)
    theirs: dict[int, list[Due]] = defaultdict(list)
    for one in found:
        for user in held[one.sheet.pk]:
            theirs[user].append(one)
    # Who has the same to do gets the same message.
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for user, some in theirs.items():
        alike[tuple(one.sheet.pk for one in some)].append(user)
    for users in alike.values():
        _tell(theirs[users[0]], users, today, now=now)
    told = [one for one in found if held[one.sheet.pk]]
    Reminder.objects.bulk_create(
        Reminder(sheet=one.sheet, turn=one.sheet.turn, day=today) for one in told
    )
    return len(told)


def thread(day: date) -> str:
    """The story that a day's reminders belong to."""
    return f"city_plan:reminders:{day.isoformat()}"


def _tell(some: list[Due], users: Collection[int], today: date, *, now: datetime) -> None:
    lines = []
    about = ""
    for one in some[:MOST_NAMED]:
        measure = one.sheet.measure
        heading = f"{measure.plan.name}　{fiscal_name(one.sheet.year)}"
        if heading != about:
            about = heading
            lines.append(heading)
        turn = WORDS[Turn(one.sheet.turn)]
        lines.append(f"・{measure.code} {measure.name}　{turn}　{until(one.last_day, today)}")
    if len(some) > MOST_NAMED:
        lines.append(f"ほかに{len(some) - MOST_NAMED}件")
    late = sum(one.last_day < today for one in some)
    title = f"計画の評価で、あなたの番のシートが{len(some)}件あります"
    title += f"（期限を過ぎたもの {late}件）" if late else ""
    message = delivery.tell(
        kind=STAFF,
        thread=thread(today),
        severity=Severity.MINOR,
        level=None,
        # Staff read Japanese; the road asks for every language.
        texts={one.code: {"title": title, "body": "\n".join(lines)} for one in LANGUAGES},
        told_at=now,
        now=now,
    )
    delivery.send(
        messages=[message],
        audience=delivery.to_staff(users),
        by=None,
        now=now,
        paths={message.pk: PAGE},
        leads_to="",
    )


def until(last_day: date, today: date) -> str:
    """A last day as somebody is told of it: "期限 12月5日（あと7日）"."""
    left = (last_day - today).days
    said = f"あと{left}日" if left > 0 else "今日まで" if left == 0 else f"{-left}日過ぎました"
    return f"期限 {last_day.month}月{last_day.day}日（{said}）"
