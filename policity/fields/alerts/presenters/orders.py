"""The city's own evacuation information as a page says it. The queries are made once, by `read`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from policity.fields.alerts.presenters.entries import Entry, moment
from policity.fields.alerts.queries import orders as queries
from policity.fields.alerts.queries.orders import OrderView
from policity.fields.alerts.queries.words import order_texts
from policity.fields.alerts.rules.orders import Course, Level, Move, Turn, course
from policity.fields.alerts.rules.texts import Step
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.queries import CityView, TownView
from policity.kit import ruby
from policity.kit.geometry import Ring

# The languages in which a number does not follow a name directly.
_COLON = frozenset({"en", "ko"})


@dataclass(frozen=True, slots=True)
class Orders:
    """What the city decided, in order, and how it came about.

    `told` holds errors too; `course` knows only what was not taken back. `towns` and `outlines`,
    the towns' areas by number, are empty where nothing was told, and where nothing stands.
    """

    told: tuple[OrderView, ...]
    course: Course
    towns: tuple[TownView, ...]
    outlines: Mapping[int, tuple[Ring, ...]]

    @property
    def standing(self) -> list[OrderView]:
        """What stands anywhere, worst level first, then newest first."""
        found = {decision.id for decision in self.course.stands.values()}
        return sorted(
            (order for order in self.told if order.id in found),
            key=lambda one: (-(one.level or 0), -_at(one).timestamp(), -one.id),
        )

    @property
    def levels(self) -> list[Level]:
        """The levels that stand, the worst first."""
        return list(dict.fromkeys(order.level for order in self.standing if order.level))

    @property
    def reasons(self) -> list[str]:
        """Why they were given, the worst order's first."""
        return list(dict.fromkeys(order.reason for order in self.standing))

    @property
    def since(self) -> datetime | None:
        """When anything was last decided or taken back."""
        return max((o.withdrawn_at or _at(o) for o in self.told), default=None)

    def towns_of(self, order: OrderView) -> frozenset[int]:
        """Where an order stands now, by the towns' numbers."""
        stands = self.course.stands.items()
        return frozenset(town for town, decision in stands if decision.id == order.id)

    def story(self, number: int) -> list[OrderView]:
        """The orders of a story, errors among them."""
        return [order for order in self.told if order.story == number]

    def ended_by(self, number: int) -> OrderView | None:
        """What took the last town of a story; None while it stands, and where all was an error."""
        mine = [o.id for o in self.story(number) if o.level and not o.withdrawn_at]
        if not all(one in self.course.ended for one in mine):
            return None
        last = max(
            (self.course.ended[one] for one in mine), key=lambda d: (d.at, d.id), default=None
        )
        return next((o for o in self.told if last and o.id == last.id), None)


@dataclass(frozen=True, slots=True)
class OrderBlock:
    """An order that stands, in a page's language. Texts carry readings where the language does.

    `level_words` stand before and after the level's number; `note` is what was added by hand and
    checked; `towns` are those where it still stands. `checked`: a person has checked the words.
    """

    story: int
    level: int
    level_words: tuple[str, str]
    name: str
    headline: str
    towns: str
    count: int
    reason: str
    note: str
    steps: tuple[Step, ...]
    source: str
    at: datetime
    since: str
    checked: bool

    @property
    def title(self) -> str:
        """The name without readings."""
        return ruby.plain(self.name)

    @property
    def page(self) -> str:
        """The page of its story, without the language."""
        return queries.page(self.story)


@dataclass(frozen=True, slots=True)
class LevelBlock:
    """A level that stands, with the orders that brought it about. `count`: in how many towns."""

    level: int
    label: str
    headline: str
    orders: tuple[OrderBlock, ...]
    count: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """That something was sent in error, and what stands in its towns instead."""

    title: str
    lines: tuple[str, ...]


def read() -> Orders:
    """What the city decided: at most five queries, however much it was."""
    told = queries.history()
    played = course(order.decision for order in told if not order.withdrawn_at)
    return Orders(
        told,
        played,
        places_queries.towns() if told else (),
        places_queries.outlines() if played.stands else {},
    )


def blocks(orders: Orders, code: str, *, city: CityView) -> list[OrderBlock]:
    """What stands anywhere, worst level first, then newest first."""
    return [_block(order, orders, code, city) for order in orders.standing]


def by_level(found: Iterable[OrderBlock], code: str) -> list[LevelBlock]:
    """The same, level by level."""
    levels: dict[int, list[OrderBlock]] = {}
    for block in found:
        levels.setdefault(block.level, []).append(block)
    return [
        LevelBlock(
            level,
            f"{order_texts().level(code, Level(level))} {same[0].name}",
            same[0].headline,
            tuple(same),
            order_texts().counted(code, sum(block.count for block in same)),
        )
        for level, same in levels.items()
    ]


def summary(orders: Orders, code: str) -> str:
    """What stands, in one line: 避難指示 8町・高齢者等避難 13町."""
    joint = {"ja": "・", "ja-easy": "、 ", "zh-hans": "、"}.get(code, ", ")
    found: dict[Level, set[int]] = {}
    for order in orders.standing:
        if order.level:
            found.setdefault(order.level, set()).update(orders.towns_of(order))
    return joint.join(
        _where(order_texts().name(code, level), towns, orders, code)
        for level, towns in found.items()
    )


def entries(orders: Orders, code: str) -> list[Entry]:
    """What was decided, and what was taken back, in no order: a line for each kind of change."""
    by_id = {order.id: order for order in orders.told}
    told = [_turned(turn, by_id[turn.decision], orders, code) for turn in orders.course.turns]
    return [*told, *_errors(orders.told, orders, code)]


def own_entries(orders: Orders, story: int, code: str) -> list[Entry]:
    """The lines of one story for its own page, newest first."""
    mine = orders.story(story)
    numbers = {order.id for order in mine}
    by_id = {order.id: order for order in orders.told}
    found = [
        _turned(turn, by_id[turn.decision], orders, code, own=by_id[turn.decision].story == story)
        for turn in orders.course.turns
        # What changed it may belong to another story.
        if turn.decision in numbers or turn.stood & numbers
    ]
    found += _errors(mine, orders, code, own=True)
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def over(orders: Orders, code: str) -> list[Entry]:
    """A line for each story that is over, called by the worst it was; newest first, then worst."""
    standing = {order.story for order in orders.standing}
    found: list[tuple[datetime, Level, Entry]] = []
    for story in dict.fromkeys(order.story for order in orders.told):
        if story is None or story in standing:
            continue
        mine = [order for order in orders.story(story) if order.level]
        true = [order for order in mine if not order.withdrawn_at]
        worst = max((order.level for order in true or mine if order.level), default=Level.ELDERLY)
        end = orders.ended_by(story)
        at = _at(end) if end else max(o.withdrawn_at or _at(o) for o in mine)
        name = order_texts().name(code, worst)
        change = order_texts().move_name(code, _ending(worst, end) if end else None)
        found.append((at, worst, Entry(at, queries.page(story), name, change, None)))
    return [entry for *_, entry in sorted(found, key=lambda one: one[:2], reverse=True)]


def mistake(orders: Orders, story: int, code: str) -> Mistake | None:
    """That the last thing said in a story was an error, and what stands instead."""
    mine = orders.story(story)
    wrong = max(
        (order for order in mine if order.withdrawn_at),
        key=lambda order: order.withdrawn_at or _at(order),
        default=None,
    )
    if wrong is None or wrong.withdrawn_at is None:
        return None
    if any(_at(o) > wrong.withdrawn_at for o in mine if not o.withdrawn_at):
        return None
    stands = orders.course.stands
    told = order_texts().tell_error(
        wrong.level,
        towns={one: _towns(wrong.towns, orders, one) for one in order_texts().words},
        stands=[stands[town].level if town in stands else None for town in wrong.towns],
    )[code]
    return Mistake(told["title"], tuple(told["body"].splitlines()))


def lifted(orders: Orders, story: int, code: str) -> tuple[str, str] | None:
    """That a story is over and what to mind, where a lifting was its end."""
    end = orders.ended_by(story)
    if end is None or end.level is not None:
        return None
    mine = {order.id for order in orders.story(story)}
    turns = (t for t in orders.course.turns if t.decision == end.id and t.stood & mine)
    return order_texts().lifted(code, max((t.level for t in turns), default=Level.ELDERLY))


def _block(order: OrderView, orders: Orders, code: str, city: CityView) -> OrderBlock:
    level = order.level or Level.ELDERLY
    towns = orders.towns_of(order)
    text = order_texts().say(code, level, order.reason)
    before, _, after = text.level.partition(str(level.value))
    return OrderBlock(
        story=order.story or order.id,
        level=level.value,
        level_words=(before.strip(), after.strip()),
        name=text.name,
        headline=text.headline,
        towns=_towns(towns, orders, code),
        count=len(towns),
        reason=text.reason,
        note=order.spoken_notes.get(code, ""),
        steps=text.steps,
        source=order_texts().source(code, places.city_name(city, code)),
        at=_at(order),
        since=moment(_at(order), code),
        checked=bool(text.checked_by),
    )


def _towns(numbers: Collection[int], orders: Orders, code: str) -> str:
    chosen = [town for town in orders.towns if town.id in set(numbers)]
    if len(chosen) == len(orders.towns):
        return order_texts().everywhere(code)
    # A line ends between towns; beside readings it ends at spaces.
    return places.listed(chosen, code).replace("、", "、 " if code == "ja-easy" else "、¦")


def _where(name: str, numbers: Collection[int], orders: Orders, code: str) -> str:
    """What, and in how many towns: 避難指示 8町."""
    texts = order_texts()
    everywhere = set(numbers) >= {town.id for town in orders.towns}
    count = texts.everywhere(code) if everywhere else texts.counted(code, len(numbers))
    return f"{name}{': ' if code in _COLON else ' '}{count}"


def _turned(turn: Turn, order: OrderView, orders: Orders, code: str, *, own: bool = False) -> Entry:
    name = _where(order_texts().name(code, turn.level), turn.towns, orders, code)
    page = "" if own else queries.page(order.story or order.id)
    level = None if turn.move is Move.LIFTED else turn.level.value
    return Entry(_at(order), page, name, order_texts().move_name(code, turn.move), level)


def _errors(
    told: Sequence[OrderView], orders: Orders, code: str, *, own: bool = False
) -> list[Entry]:
    return [
        Entry(
            order.withdrawn_at,
            "" if own else queries.page(order.story or order.id),
            _where(_name(order, code), order.towns, orders, code),
            order_texts().move_name(code, None),
            None,
        )
        for order in told
        if order.withdrawn_at
    ]


def _name(order: OrderView, code: str) -> str:
    """What was sent in error; a lifting by that word."""
    if order.level:
        return order_texts().name(code, order.level)
    return order_texts().move_name(code, Move.LIFTED)


def _ending(worst: Level, end: OrderView) -> Move:
    if end.level is None:
        return Move.LIFTED
    if end.level == worst:
        return Move.REPEATED
    return Move.RAISED if end.level > worst else Move.LOWERED


def _at(order: OrderView) -> datetime:
    return order.issued_at or order.changed_at
