"""The city's own evacuation information: what stands, what waits, and how it came about."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from policity.fields.alerts.models import Order, OrderStep
from policity.fields.alerts.rules.orders import Decision, Level, standing
from policity.kit.languages import LANGUAGES

ORDERS = "alerts:orders"
"""The dependency key of what stands."""


def order_key(story: int) -> str:
    """The dependency key of a story of orders, and the thread of its messages."""
    return f"alerts:order:{story}"


def page(story: int) -> str:
    """The page of a story, without its language."""
    return f"evacuation/{story}/"


@dataclass(frozen=True, slots=True)
class OrderView:
    """One decision. `towns` are numbers; `people` are who composed or changed it, by number."""

    id: int
    version: int
    stage: str
    level: Level | None
    towns: tuple[int, ...]
    reason: str
    notes: Mapping[str, str]
    notes_checked: Mapping[str, str]
    changed_at: datetime
    issued_at: datetime | None
    alone: str
    reviewed_at: datetime | None
    withdrawn_at: datetime | None
    story: int | None
    message: int | None
    correction: int | None

    @property
    def decision(self) -> Decision:
        """As the law reads it."""
        return Decision(
            self.id,
            self.level,
            frozenset(self.towns),
            self.reason,
            self.issued_at or self.changed_at,
        )

    @property
    def spoken_notes(self) -> dict[str, str]:
        """What is added by hand and was checked: this alone is sent and shown.

        Whoever approves reads Japanese, and so checks that; of others somebody must be named.
        """
        return {
            code: text
            for code, text in self.notes.items()
            if code == LANGUAGES[0].code or self.notes_checked.get(code)
        }


@dataclass(frozen=True, slots=True)
class StepView:
    """Who did what to an order."""

    order: int
    act: OrderStep.Act
    at: datetime
    by: str
    by_id: int
    words: str


def order(number: int) -> OrderView | None:
    """One order, at whatever stage."""
    row = Order.objects.filter(pk=number).first()
    return view(row) if row else None


def issued() -> tuple[OrderView, ...]:
    """Every order that was issued and not taken back as an error, in order. One query."""
    return tuple(view(row) for row in Order.objects.issued())


def history() -> tuple[OrderView, ...]:
    """Every order that was issued, those sent in error among them, in order. One query."""
    rows = Order.objects.filter(stage=Order.Stage.ISSUED).order_by("issued_at", "pk")
    return tuple(view(row) for row in rows)


def stands() -> dict[int, OrderView]:
    """What stands in each town, by the town's number. One query."""
    return standing_of(issued())


def standing_of(orders: Iterable[OrderView]) -> dict[int, OrderView]:
    """What stands in each town, of orders in the order in which they were issued."""
    by_id = {order.id: order for order in orders}
    found = standing(order.decision for order in by_id.values())
    return {town: by_id[decision.id] for town, decision in found.items()}


def stories(numbers: Collection[int] | None = None) -> dict[int, tuple[OrderView, ...]]:
    """Orders by story, those that were sent in error among them, in order. One query."""
    rows = Order.objects.filter(stage=Order.Stage.ISSUED, story__isnull=False)
    if numbers is not None:
        rows = rows.filter(story__in=list(numbers))
    found: dict[int, list[OrderView]] = {}
    for row in rows.order_by("issued_at", "pk"):
        found.setdefault(row.story or row.pk, []).append(view(row))
    return {story: tuple(orders) for story, orders in found.items()}


def open_orders() -> tuple[OrderView, ...]:
    """Drafts, and what waits for approval: the latter first, the newest first."""
    rows = Order.objects.filter(stage__in=[Order.Stage.DRAFT, Order.Stage.SUBMITTED])
    return tuple(view(row) for row in rows.order_by("-stage", "-changed_at"))


def unreviewed() -> tuple[OrderView, ...]:
    """What one person issued alone and nobody else has looked at yet, the oldest first."""
    rows = Order.objects.filter(stage=Order.Stage.ISSUED, reviewed_at=None).exclude(alone="")
    return tuple(view(row) for row in rows.order_by("issued_at"))


def past(limit: int) -> tuple[OrderView, ...]:
    """What was issued, the newest first; errors among it."""
    rows = Order.objects.filter(stage=Order.Stage.ISSUED).order_by("-issued_at", "-pk")[:limit]
    return tuple(view(row) for row in rows)


def steps(
    *, order: int | None = None, since: datetime | None = None, until: datetime | None = None
) -> tuple[StepView, ...]:
    """Who did what, the oldest first: to one order, or to all in a period. One query."""
    rows = OrderStep.objects.select_related("by")
    if order is not None:
        rows = rows.filter(order=order)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return tuple(
        StepView(row.order_id, OrderStep.Act(row.act), row.at, str(row.by), row.by_id, row.words)
        for row in rows
    )


def by_number(numbers: Collection[int]) -> dict[int, tuple[OrderView, datetime]]:
    """Orders by number, each with the moment from which it reads as it does now. Two queries."""
    changed = OrderStep.objects.filter(order__in=list(numbers), act=OrderStep.Act.CHANGED)
    since = dict(changed.order_by("pk").values_list("order", "at"))
    rows = Order.objects.filter(pk__in=list(numbers))
    return {row.pk: (view(row), since.get(row.pk, row.created_at)) for row in rows}


def composers(number: int) -> frozenset[int]:
    """Who composed or changed an order, by number."""
    acts = [OrderStep.Act.COMPOSED, OrderStep.Act.CHANGED]
    rows = OrderStep.objects.filter(order=number, act__in=acts)
    return frozenset(rows.values_list("by", flat=True))


def view(row: Order) -> OrderView:
    """An order as a value."""
    return OrderView(
        id=row.pk,
        version=row.version,
        stage=row.stage,
        level=Level(row.level) if row.level else None,
        towns=tuple(row.towns),
        reason=row.reason,
        notes=row.notes,
        notes_checked=row.notes_checked,
        changed_at=row.changed_at,
        issued_at=row.issued_at,
        alone=row.alone,
        reviewed_at=row.reviewed_at,
        withdrawn_at=row.withdrawn_at,
        story=row.story,
        message=row.message_id,
        correction=row.correction_id,
    )
