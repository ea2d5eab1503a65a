"""Evacuation information: composed, approved by a second person, issued, taken back as an error."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.utils import timezone

from policity.fields.alerts.models import Order, OrderStep
from policity.fields.alerts.queries import ORDERS, order_key
from policity.fields.alerts.queries import orders as queries
from policity.fields.alerts.queries.words import order_texts
from policity.fields.alerts.rules import orders as law
from policity.fields.alerts.rules.orders import Decision, Level
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import audit
from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.models import Message
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.publishing.services import mark_stale
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.work import services as work
from policity.kit.languages import LANGUAGES

log = structlog.get_logger("policity.alerts")

KIND = "evacuation"


class OrderError(ValueError):
    """What was asked for cannot be done. `faults`: Japanese sentences that say what to do."""

    def __init__(self, *faults: str) -> None:
        super().__init__("".join(faults))
        self.faults = faults


class ChangedError(OrderError):
    """Somebody else has changed the order since it was read."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an officer fills in. `level`: None to lift. Notes, and who checked them, by language."""

    level: Level | None
    towns: tuple[int, ...]
    reason: str
    notes: Mapping[str, str]
    notes_checked: Mapping[str, str]


@work.alone("alerts")
def compose(
    *, draft: Draft, by: User, now: datetime, order: int | None = None, seen: int = 0
) -> Order:
    """Begin an order, or change one that was not issued; `seen` is the version that was read.

    What waited for approval waits no longer once it is changed. Raises OrderError, ChangedError.
    """
    _require(by, Act.COMPOSE, now=now)
    if faults := _faults(draft):
        raise OrderError(*faults)
    values = {
        "level": draft.level,
        "towns": sorted(set(draft.towns)),
        "reason": draft.reason if draft.level is not None else "",
        "notes": {code: text for code, text in draft.notes.items() if text},
        "notes_checked": {c: who for c, who in draft.notes_checked.items() if draft.notes.get(c)},
    }
    if order is None:
        found = Order.objects.create(
            stage=Order.Stage.DRAFT, created_at=now, changed_at=now, **values
        )
        _step(found, OrderStep.Act.COMPOSED, by=by, now=now)
        return found
    found = _open(order, seen=seen)
    if all(getattr(found, name) == value for name, value in values.items()):
        return found
    for name, value in values.items():
        setattr(found, name, value)
    found.stage = Order.Stage.DRAFT
    _changed(found, OrderStep.Act.CHANGED, by=by, now=now)
    return found


@work.alone("alerts")
def submit(*, order: int, seen: int, by: User, now: datetime) -> Order:
    """Ask for approval. Raises OrderError, ChangedError."""
    _require(by, Act.COMPOSE, now=now)
    found = _open(order, seen=seen)
    if faults := _faults(_draft(found)):
        raise OrderError(*faults)
    found.stage = Order.Stage.SUBMITTED
    found.save()
    _step(found, OrderStep.Act.SUBMITTED, by=by, now=now)
    return found


@work.alone("alerts")
def turn_down(*, order: int, seen: int, why: str, by: User, now: datetime) -> Order:
    """Give an order back to who composed it, and say why. Raises OrderError, ChangedError."""
    _require(by, Act.APPROVE, now=now)
    found = _open(order, seen=seen, submitted=True)
    if not why.strip():
        raise OrderError("差し戻す理由を書いてください。作った人に見えます。")
    found.stage = Order.Stage.DRAFT
    found.save()
    _step(found, OrderStep.Act.RETURNED, by=by, now=now, words=why)
    return found


@work.alone("alerts")
def discard(*, order: int, seen: int, by: User, now: datetime) -> Order:
    """Give an order up that was not issued; it is kept. Raises OrderError, ChangedError."""
    _require(by, Act.COMPOSE, now=now)
    found = _open(order, seen=seen)
    found.stage = Order.Stage.DISCARDED
    found.save()
    _step(found, OrderStep.Act.DISCARDED, by=by, now=now)
    return found


@work.alone("alerts")
def issue(*, order: int, seen: int, by: User, now: datetime, alone: str = "") -> Order:
    """Approve an order as it was read (`seen`), and issue it: told, sent, shown.

    `alone` is why one person decides alone, where the city allows that person to. Raises
    OrderError, ChangedError.
    """
    _require(by, Act.APPROVE, now=now)
    found = _open(order, seen=seen, submitted=True)
    composers = queries.composers(found.pk)
    may_alone = may(roles(by, on=timezone.localdate(now)), Act.ISSUE_ALONE)
    refused = law.refusal(composers=composers, approver=by.pk, alone=may_alone, reason=alone)
    if refused:
        raise OrderError(refused)
    if faults := _faults(_draft(found)):
        # What stood when it was composed may have been lifted since.
        raise OrderError(*faults)
    before = {town: view.decision for town, view in queries.stands().items()}
    found.stage = Order.Stage.ISSUED
    found.issued_at = now
    found.alone = alone.strip() if by.pk in composers else ""
    replaced = law.replaced(before, found.towns)
    stories = list(
        Order.objects.filter(pk__in=replaced).order_by("pk").values_list("story", flat=True)
    )
    found.story = stories[0] if stories else found.pk
    _tell(found, before, stories=[story for story in stories if story], by=by, now=now)
    _show(found, stories, now=now)
    _step(found, OrderStep.Act.ISSUED, by=by, now=now, words=found.alone)
    log.warning("order_issued", order=found.pk, level=found.level, towns=len(found.towns))
    return found


@work.alone("alerts")
def withdraw(*, order: int, why: str, by: User, now: datetime) -> Order:
    """It was sent in error: what is queued is withdrawn, who was told hears so ahead of all else.

    What stood in its towns before stands again. Raises OrderError.
    """
    _require(by, Act.APPROVE, now=now)
    found = Order.objects.select_for_update().filter(pk=order).first()
    if found is None or found.stage != Order.Stage.ISSUED:
        raise OrderError("発令していないので、取り消せません。")
    if found.withdrawn_at is not None:
        raise OrderError("もう取り消してあります。")
    if not why.strip():
        raise OrderError("取り消す理由を書いてください。記録に残ります。")
    found.withdrawn_at = now
    found.save()
    after = {town: view.decision for town, view in queries.stands().items()}
    again = [town for town in found.towns if town in after]
    stories = list(
        Order.objects.filter(pk__in={after[town].id for town in again}).values_list(
            "story", flat=True
        )
    )
    _tell_error(found, after, by=by, now=now)
    _show(found, stories, now=now)
    _step(found, OrderStep.Act.WITHDRAWN, by=by, now=now, words=why)
    log.warning("order_withdrawn", order=found.pk)
    return found


@work.alone("alerts")
def review(*, order: int, words: str, by: User, now: datetime) -> Order:
    """A second person looks at what one issued alone. Raises OrderError."""
    _require(by, Act.APPROVE, now=now)
    found = Order.objects.select_for_update().filter(pk=order).first()
    if found is None or not found.alone or found.reviewed_at is not None:
        raise OrderError("確かめるのを待っている発令ではありません。")
    if OrderStep.objects.filter(order=found, act=OrderStep.Act.ISSUED, by=by).exists():
        raise OrderError("発令した人は、自分の発令を確かめられません。ほかの人が確かめます。")
    found.reviewed_at = now
    found.save()
    _step(found, OrderStep.Act.REVIEWED, by=by, now=now, words=words)
    return found


def audience(order: queries.OrderView) -> Audience:
    """Whom an order would be sent to if it were issued now."""
    before = {town: view.decision for town, view in queries.stands().items()}
    numbers = law.replaced(before, order.towns)
    stories = Order.objects.filter(pk__in=numbers).values_list("story", flat=True)
    return _audience(order.decision, before, [story for story in stories if story])


def texts(order: queries.OrderView, before: Mapping[int, Decision]) -> dict[str, dict[str, str]]:
    """What an order says where `before` stands: title and body by language, checked notes alone."""
    towns, notes = towns_said(order.towns), order.spoken_notes
    if order.level is not None:
        return order_texts().tell(order.level, order.reason, towns=towns, notes=notes)
    ended = law.worst(before[town] for town in order.towns if town in before)
    return order_texts().tell_lifted(ended or Level.ELDERLY, towns=towns, notes=notes)


def _audience(
    decision: Decision, before: Mapping[int, Decision], stories: Collection[int]
) -> Audience:
    everywhere = decision.towns >= {town.id for town in places_queries.towns()}
    return Audience(
        KIND,
        law.heard_as(before, decision),
        None if everywhere else decision.towns,
        followers_of=tuple(order_key(story) for story in stories),
    )


def _tell(
    order: Order,
    before: Mapping[int, Decision],
    *,
    stories: Sequence[int],
    by: User,
    now: datetime,
) -> None:
    view = queries.view(order)
    severity = law.heard_as(before, view.decision)
    order.message = _message(order, texts(view, before), severity=severity, now=now)
    order.save()
    _send(
        order.message,
        _audience(view.decision, before, stories),
        path=f"evacuation/{order.story}/",
        corrects=bool(stories),
        by=by,
        now=now,
    )
    # Stories that end with this one, besides its own.
    for story in stories[1:]:
        delivery.withdraw_thread(thread=order_key(story), before=order.message, now=now)


def _tell_error(order: Order, after: Mapping[int, Decision], *, by: User, now: datetime) -> None:
    """To the same people; and to all where something stands again, for they may not know of it."""
    again = frozenset(town for town in order.towns if town in after)
    said = order_texts().tell_error(
        Level(order.level) if order.level else None,
        towns=towns_said(order.towns),
        stands=[after[town].level if town in after else None for town in order.towns],
    )
    severity = (Level(order.level) if order.level else Level.ELDERLY).severity
    order.correction = _message(order, said, severity=severity, now=now)
    order.save()
    whom = Audience(
        KIND,
        severity,
        again or None,
        followers_of=(order_key(order.story or order.pk),),
        only_followers=not again,
    )
    path = f"evacuation/{order.story}/"
    _send(order.correction, whom, path=path, corrects=True, by=by, now=now)


def _message(
    order: Order, said: Mapping[str, Mapping[str, str]], *, severity: str, now: datetime
) -> Message:
    return delivery.tell(
        kind=KIND,
        thread=order_key(order.story or order.pk),
        severity=severity,
        level=order.level,
        texts=said,
        told_at=now,
        now=now,
    )


def _send(
    message: Message, whom: Audience, *, path: str, corrects: bool, by: User, now: datetime
) -> None:
    delivery.send(
        messages=[message],
        audience=whom,
        by=by,
        now=now,
        corrects=corrects,
        ahead=True,
        paths={message.pk: path},
    )


def towns_said(numbers: Collection[int]) -> dict[str, str]:
    """Towns as each language lists them; the whole city by that name."""
    known = places_queries.towns()
    chosen = [town for town in known if town.id in set(numbers)]
    if len(chosen) == len(known):
        return {one.code: order_texts().everywhere(one.code) for one in LANGUAGES}
    return {one.code: places.listed(chosen, one.code) for one in LANGUAGES}


def _show(order: Order, stories: Sequence[int | None], *, now: datetime) -> None:
    keys = {ORDERS, *(order_key(story) for story in (order.story, *stories) if story)}
    showing = mark_stale(keys, now=now)
    Order.objects.filter(pk=order.pk).update(showing=showing)


def _draft(order: Order) -> Draft:
    level = Level(order.level) if order.level else None
    return Draft(level, tuple(order.towns), order.reason, order.notes, order.notes_checked)


def _faults(draft: Draft) -> list[str]:
    return law.faults(
        level=draft.level,
        towns=draft.towns,
        known={town.id for town in places_queries.towns()},
        reason=draft.reason,
        reasons=order_texts().plan.reasons,
        notes=draft.notes,
        before={town: view.decision for town, view in queries.stands().items()},
    )


def _open(number: int, *, seen: int, submitted: bool = False) -> Order:
    """An order that was not issued, as somebody read it."""
    found = Order.objects.select_for_update().filter(pk=number).first()
    if found is None:
        raise OrderError("この発令は、ありません。")
    if found.stage in (Order.Stage.ISSUED, Order.Stage.DISCARDED):
        last = queries.steps(order=number)[-1]
        raise ChangedError(
            f"{last.by}が、もう「{last.act.label}」しました。新しい内容を読んでください。"
        )
    if found.version != seen:
        last = queries.steps(order=number)[-1]
        raise ChangedError(
            f"読んだあとで、{last.by}が内容を変えました。新しい内容を読んでから、やり直してください。"
        )
    if submitted and found.stage != Order.Stage.SUBMITTED:
        raise OrderError("承認を依頼していない発令です。先に、承認を依頼してください。")
    return found


def _changed(order: Order, act: OrderStep.Act, *, by: User, now: datetime) -> None:
    order.version += 1
    order.changed_at = now
    order.save()
    _step(order, act, by=by, now=now)


def _step(order: Order, act: OrderStep.Act, *, by: User, now: datetime, words: str = "") -> None:
    OrderStep.objects.create(order=order, act=act, at=now, by=by, words=words.strip()[:300])
    audit.record(
        f"order.{act.value}", on=f"alerts.order:{order.pk}", by=by, now=now,
        version=order.version, level=order.level,
    )  # fmt: skip


def _require(by: User, act: Act, *, now: datetime) -> None:
    """Whatever calls this room: who may not, does not."""
    if not may(roles(by, on=timezone.localdate(now)), act):
        raise OrderError("この仕事をする権限がありません。管理者に相談してください。")
