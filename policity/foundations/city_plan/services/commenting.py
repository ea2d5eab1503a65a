"""Comments as they come in, are put together, answered, and withheld. Nothing deletes one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.city_plan.models import Call, Comment, CommentGroup, Measure
from policity.foundations.city_plan.queries import comments as queries
from policity.foundations.city_plan.rules.commenting import (
    MOST,
    Channel,
    Outcome,
    Reason,
    Stage,
    names,
)
from policity.foundations.city_plan.services.calling import MovedOn, particulars, words
from policity.foundations.city_plan.services.drawing import PlanRefused
from policity.foundations.city_plan.services.evaluating import TOPIC
from policity.foundations.work import services as work

CLOSED = gettext_noop("いまは、意見を受け付けていません。")
FULL = gettext_noop(
    "いまは、意見がたくさん届いていて、ウェブでは受け取れません。メールか紙で送ってください。"
)


class CommentRefused(ValueError):  # noqa: N818  # the thing refused
    """It is not taken. The message is one Japanese sentence, for the catalogues."""


class NamesSomebody(PlanRefused):  # the thing refused
    """An answer holds what reads like the name or address of who sent a comment."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody says, and what they say of themselves; see `models.Comment`."""

    text: str
    measure: int | None = None
    name: str = ""
    address: str = ""


@work.alone(TOPIC)
def receive(*, call: int, sent: Sent, language: str, now: datetime) -> int:
    """Take a comment by web; its number. Raises CommentRefused."""
    view, today = queries.call(call), timezone.localdate(now)
    if view is None or not view.takes(today):
        raise CommentRefused(CLOSED)
    if Comment.objects.filter(call=call, channel=Channel.WEB).count() >= MOST:
        raise CommentRefused(FULL)
    row = Comment(channel=Channel.WEB, language=language, received=today, kept_at=now)
    _put(row, call, view.plan, sent)
    return row.pk


@work.alone(TOPIC)
def type_in(
    *, call: int, sent: Sent, channel: Channel, received: date, by: User, now: datetime
) -> Comment:
    """Keep a comment that came by mail or on paper. Raises PlanRefused."""
    found = _open(call)
    if channel is Channel.WEB:
        raise PlanRefused("メールか紙かを、選んでください。")
    today = timezone.localdate(now)
    if not found.first_day <= received <= min(found.last_day, today):
        raise PlanRefused("届いた日を、受け付けた期間の、今日までの日にしてください。")
    row = Comment(channel=channel, received=received, kept_at=now, by=by)
    _put(row, call, found.plan_id, sent)
    audit.record("comment.added", on=_on(row), by=by, now=now, kind=channel.value)
    return row


def _put(row: Comment, call: int, plan: int, sent: Sent) -> None:
    row.call_id, row.text, row.name, row.address = call, sent.text, sent.name, sent.address
    row.measure = _measure(plan, sent.measure)
    row.save()


def _measure(plan: int, measure: int | None) -> Measure | None:
    return Measure.objects.filter(plan=plan, pk=measure).first() if measure else None


@work.alone(TOPIC)
def place(*, comment: int, measure: int | None, by: User, now: datetime) -> None:
    """Say which measure it is about. Raises PlanRefused."""
    row = _comment(comment)
    row.measure = _measure(row.call.plan_id, measure)
    row.save(update_fields=["measure"])
    audit.record("comment.changed", on=_on(row), by=by, now=now)


@work.alone(TOPIC)
def put_together(
    *, call: int, comments: Collection[int], group: int | None, title: str, by: User, now: datetime
) -> CommentGroup:
    """Put comments into a group that there is, or a new one of this title. Raises PlanRefused."""
    _open(call)
    rows = _ticked(call, comments)
    if rows.exclude(withheld="").exists():
        raise PlanRefused(
            "公開しないことにした意見は、まとめられません。先に、それをやめてください。"
        )
    if group is None:
        if not title.strip():
            raise PlanRefused("まとまりの名前を書くか、いまあるまとまりを選んでください。")
        found = CommentGroup.objects.create(
            call_id=call,
            texts={"ja": {"title": title.strip(), "summary": "", "answer": "", "change": ""}},
            changed_at=now,
        )
    else:
        there = CommentGroup.objects.filter(call=call, pk=group).first()
        if there is None:
            raise PlanRefused("まとまりを、選びなおしてください。")
        found = there
    count = rows.update(group=found)
    audit.record("comment.grouped", on=_group(found), by=by, now=now, count=count)
    return found


@work.alone(TOPIC)
def take_out(*, call: int, comments: Collection[int], by: User, now: datetime) -> int:
    """Take comments out of their groups; how many. Raises PlanRefused."""
    _open(call)
    count = _ticked(call, comments).exclude(group=None).update(group=None)
    audit.record("comment.returned", on=f"city_plan.call:{call}", by=by, now=now, count=count)
    return count


def _ticked(call: int, comments: Collection[int]) -> QuerySet[Comment]:
    rows = Comment.objects.filter(call=call, pk__in=comments)
    if not comments or not rows.exists():
        raise PlanRefused("意見を、一つ以上選んでください。")
    return rows


@work.alone(TOPIC)
def answer(
    *,
    group: int,
    texts: Mapping[str, Mapping[str, str]],
    outcome: Outcome | None,
    is_checked: bool,
    seen: int,
    by: User,
    now: datetime,
) -> None:
    """Write what a group says and what the city answers. Raises PlanRefused, NamesSomebody.

    Without an outcome it is not answered yet. `is_checked`: a name that stands there is nobody's.
    """
    row = CommentGroup.objects.select_related("call").filter(pk=group).first()
    if row is None:
        raise PlanRefused("このまとまりは、ありません。")
    _open(row.call_id)
    if row.revision != seen:
        raise MovedOn
    said = texts["ja"]
    if outcome and not (said["summary"] and said["answer"]):
        raise PlanRefused("意見の概要と、市の考え方を、日本語で書いてください。")
    if outcome is Outcome.REFLECTED and not said["change"]:
        raise PlanRefused("反映したときは、何を変えたかを書いてください。")
    if not is_checked and (found := names(words(texts), particulars(row.call_id))):
        raise NamesSomebody(f"意見を送った人の名前か住所と同じことばがあります: {'、'.join(found)}")
    row.texts = {code: dict(text) for code, text in texts.items()}
    row.outcome, row.is_checked = outcome.value if outcome else "", is_checked
    row.revision, row.changed_at = row.revision + 1, now
    row.save()
    audit.record("comment.answered", on=_group(row), by=by, now=now, state=row.outcome)


@work.alone(TOPIC)
def withhold(*, comment: int, reason: Reason, note: str, by: User, now: datetime) -> None:
    """Leave it out of what is published; it is counted as withheld. Raises PlanRefused."""
    row = _comment(comment)
    if reason is Reason.OTHER and not note.strip():
        raise PlanRefused("理由が「そのほか」のときは、ひとことを書いてください。")
    row.withheld, row.note, row.group = reason, note, None
    row.save(update_fields=["withheld", "note", "group"])
    audit.record("comment.withheld", on=_on(row), by=by, now=now, reason=reason.value)


@work.alone(TOPIC)
def release(*, comment: int, by: User, now: datetime) -> None:
    """Withhold it no longer: it waits to be put together. Raises PlanRefused."""
    row = _comment(comment)
    row.withheld, row.note = "", ""
    row.save(update_fields=["withheld", "note"])
    audit.record("comment.resumed", on=_on(row), by=by, now=now)


@work.alone(TOPIC)
def exported(*, call: int, count: int, by: User, now: datetime) -> None:
    """Somebody took the comments along as a file."""
    audit.record("comments.exported", on=f"city_plan.call:{call}", by=by, now=now, count=count)


def _open(call: int) -> Call:
    """A call whose answers are not published: what is may not change unseen."""
    row = Call.objects.filter(pk=call).exclude(stage=Stage.DRAFT).first()
    if row is None:
        raise PlanRefused("この募集は、まだ公開していないか、ありません。")
    if row.stage == Stage.PUBLISHED:
        raise PlanRefused("結果を公開しています。変えるときは、先に公開をやめてください。")
    return row


def _comment(comment: int) -> Comment:
    row = Comment.objects.select_related("call").filter(pk=comment).first()
    if row is None:
        raise PlanRefused("この意見は、ありません。")
    _open(row.call_id)
    return row


def _on(row: Comment) -> str:
    return f"city_plan.comment:{row.pk}"


def _group(row: CommentGroup) -> str:
    return f"city_plan.commentgroup:{row.pk}"
