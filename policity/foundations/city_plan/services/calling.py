"""A call for comments, from its draft to the answers that everybody reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.city_plan.models import Call, Comment, Plan
from policity.foundations.city_plan.queries.comments import (
    COMMENTS,
    call_key,
    groups,
    numbers,
)
from policity.foundations.city_plan.rules.commenting import Stage, against_publishing, names
from policity.foundations.city_plan.services.drawing import PlanRefused
from policity.foundations.city_plan.services.evaluating import TOPIC
from policity.foundations.publishing.services import mark_stale
from policity.foundations.work import services as work
from policity.kit.eras import fiscal_name

Texts = Mapping[str, Mapping[str, str]]
_BACKWARDS = "終わりの日を、始まりの日よりあとにしてください。"


class MovedOn(PlanRefused):
    """Somebody else has changed it since it was looked at."""

    def __init__(self) -> None:
        super().__init__("ほかの人が、先に変えました。いまの内容を見て、もう一度してください。")


@dataclass(frozen=True, slots=True)
class CallDraft:
    """What is called for; see `models.Call`."""

    plan: int
    year: int | None
    texts: Texts
    first_day: date
    last_day: date


@work.alone(TOPIC)
def draft_call(*, draft: CallDraft, by: User, now: datetime) -> Call:
    """Write a call that nobody sees yet. Raises PlanRefused."""
    _sensible(draft)
    row = Call(changed_at=now)
    _put(row, draft)
    row.save()
    audit.record("comments.made", on=_on(row), by=by, now=now, title=draft.texts["ja"]["title"])
    return row


@work.alone(TOPIC)
def change_call(*, call: int, draft: CallDraft, seen: int, by: User, now: datetime) -> None:
    """Write it anew; of one that has a page its texts alone. Raises PlanRefused."""
    row = _seen(call, seen)
    if row.stage == Stage.DRAFT:
        _sensible(draft)
        _put(row, draft)
    else:
        row.texts = {code: dict(text) for code, text in draft.texts.items()}
    _save(row, now=now)
    audit.record("comments.changed", on=_on(row), by=by, now=now)


def _put(row: Call, draft: CallDraft) -> None:
    row.plan_id, row.year = draft.plan, draft.year
    row.texts = {code: dict(text) for code, text in draft.texts.items()}
    row.first_day, row.last_day = draft.first_day, draft.last_day


def _sensible(draft: CallDraft) -> None:
    plan = Plan.objects.filter(pk=draft.plan).first()
    if plan is None:
        raise PlanRefused("計画を、選びなおしてください。")
    if draft.year is not None and not plan.first_year <= draft.year <= plan.last_year:
        raise PlanRefused(f"{plan.name}に、{fiscal_name(draft.year)}はありません。")
    if draft.last_day < draft.first_day:
        raise PlanRefused(_BACKWARDS)


@work.alone(TOPIC)
def announce(*, call: int, by: User, now: datetime) -> None:
    """Give it a page: from its first day on comments are taken. Raises PlanRefused."""
    row = _found(call)
    if row.stage != Stage.DRAFT:
        raise PlanRefused("もう、公開しています。")
    today = timezone.localdate(now)
    if row.last_day < today:
        raise PlanRefused("終わりの日が過ぎています。日を直してから、公開してください。")
    row.stage = Stage.OPEN if row.first_day <= today else Stage.COMING
    _save(row, now=now)
    audit.record("comments.opened", on=_on(row), by=by, now=now, last_day=str(row.last_day))


@work.alone(TOPIC)
def close(*, call: int, reason: str, by: User, now: datetime) -> None:
    """Take no more comments from now on, before the last day. Raises PlanRefused."""
    row = _found(call)
    if row.stage not in (Stage.COMING, Stage.OPEN):
        raise PlanRefused("いまは、受け付けていません。")
    _why(reason)
    row.stage, row.closed_at = Stage.CLOSED, now
    _save(row, now=now)
    audit.record("comments.closed", on=_on(row), by=by, now=now, reason=reason)


@work.alone(TOPIC)
def extend(*, call: int, last_day: date, reason: str, by: User, now: datetime) -> None:
    """Take comments until a later day, again where it was closed. Raises PlanRefused."""
    row = _found(call)
    if row.stage not in (Stage.COMING, Stage.OPEN, Stage.CLOSED):
        raise PlanRefused("この募集は、もう延ばせません。")
    today = timezone.localdate(now)
    is_later = row.closed_at is not None or last_day > row.last_day
    if not is_later or last_day < max(today, row.first_day):
        raise PlanRefused(
            "新しい終わりの日を、今日からあとで、いまの終わりの日よりあとにしてください。"
        )
    _why(reason)
    row.last_day, row.closed_at = last_day, None
    row.stage = Stage.OPEN if row.first_day <= today else Stage.COMING
    _save(row, now=now)
    audit.record(
        "comments.extended", on=_on(row), by=by, now=now, last_day=str(last_day), reason=reason
    )


def _why(reason: str) -> None:
    if not reason.strip():
        raise PlanRefused("理由を書いてください。監査の記録に残ります。")


@work.alone(TOPIC)
def turn(*, now: datetime) -> int:
    """What the clock does: calls begin on their first day and end with their last; how many."""
    today = timezone.localdate(now)
    due = [
        *Call.objects.filter(stage__in=(Stage.COMING, Stage.OPEN), last_day__lt=today),
        *Call.objects.filter(stage=Stage.COMING, first_day__lte=today, last_day__gte=today),
    ]
    for row in due:
        ends = row.last_day < today
        row.stage = Stage.CLOSED if ends else Stage.OPEN
        row.closed_at = now if ends else None
        _save(row, now=now)
    return len(due)


@work.alone(TOPIC)
def publish_answers(*, call: int, by: User, now: datetime) -> None:
    """Show everybody the groups, the answers and the numbers. Raises PlanRefused."""
    row = _found(call)
    some = [one for one in groups(call) if one.size]
    found = against_publishing(
        Stage(row.stage), numbers(call), [o.texts["ja"]["title"] for o in some if not o.outcome]
    )
    known = particulars(call)
    for one in some:
        if not one.is_checked and names(words(one.texts), known):
            title = one.texts["ja"]["title"]
            found.append(f"「{title}」に、意見を送った人の名前か住所があります。直してください。")
    if found:
        raise PlanRefused("\n".join(found))
    row.stage, row.published_at = Stage.PUBLISHED, now
    _save(row, now=now)
    audit.record("comments.published", on=_on(row), by=by, now=now, count=len(some))


@work.alone(TOPIC)
def take_answers_back(*, call: int, reason: str, by: User, now: datetime) -> None:
    """Show the answers to nobody, until they are published again. Raises PlanRefused."""
    row = _found(call)
    if row.stage != Stage.PUBLISHED:
        raise PlanRefused("結果は、公開していません。")
    _why(reason)
    row.stage, row.published_at = Stage.CLOSED, None
    _save(row, now=now)
    audit.record("comments.withdrawn", on=_on(row), by=by, now=now, reason=reason)


def particulars(call: int) -> set[str]:
    """Names and addresses of who sent comments, which nothing that is published may hold."""
    rows = Comment.objects.filter(call=call).exclude(name="", address="")
    return {text for pair in rows.values_list("name", "address") for text in pair if text}


def words(texts: Texts) -> list[str]:
    """Every text, in every language."""
    return [text for parts in texts.values() for text in parts.values()]


def _found(call: int) -> Call:
    row = Call.objects.filter(pk=call).first()
    if row is None:
        raise PlanRefused("この募集は、ありません。")
    return row


def _seen(call: int, seen: int) -> Call:
    row = _found(call)
    if row.revision != seen:
        raise MovedOn
    return row


def _save(row: Call, *, now: datetime) -> None:
    row.revision, row.changed_at = row.revision + 1, now
    row.save()
    mark_stale([COMMENTS, call_key(row.pk)], now=now)


def _on(row: Call) -> str:
    return f"city_plan.call:{row.pk}"
