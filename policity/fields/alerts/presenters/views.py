"""Alerts as a page says them, in one language. The queries are made once, by `read`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from policity.fields.alerts import queries
from policity.fields.alerts.presenters import orders as own
from policity.fields.alerts.presenters.entries import Entry, moment
from policity.fields.alerts.presenters.orders import Orders
from policity.fields.alerts.queries import EventHistory, HistoryStep, InForce
from policity.fields.alerts.queries.words import texts
from policity.fields.alerts.rules import hazards
from policity.fields.alerts.rules.bulletin import CAP, Severity
from policity.fields.alerts.rules.response import FrontState
from policity.fields.alerts.rules.texts import Step
from policity.foundations.places.presenters import city_name
from policity.foundations.places.queries import CityView
from policity.kit import ruby

# JMA's offices by what their names hold; readers of other languages know the agency alone.
_JMA = ("気象", "測候所", "火山監視")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the city stands: what every page with the alert state needs, read once."""

    state: FrontState
    in_force: tuple[InForce, ...]
    histories: tuple[EventHistory, ...]
    orders: Orders

    @property
    def since(self) -> datetime | None:
        """When the state last changed; None where nothing ever happened."""
        steps = [step.at for history in self.histories for step in history.steps]
        decided = self.orders.since
        return max([*steps, decided] if decided else steps, default=None)

    @property
    def hazards(self) -> tuple[str, ...]:
        """What a site has to be designated for: by the city's own orders, and by what JMA says."""
        return hazards.hazards_of((e.phenomenon for e in self.in_force), self.orders.reasons)

    @property
    def may_go(self) -> bool:
        """Whether a page may send people to a site."""
        events = ((e.phenomenon, e.severity, e.level) for e in self.in_force)
        return hazards.may_go(texts().plan, events, self.orders.levels)


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert in a page's language. Texts carry readings where the language does.

    `tone` chooses the colour of its block: a level's number, "act" for what is grave but has no
    level, "calm" for an advisory without one. `telegram` is the office's own words, Japanese only.
    `checked`: a person has checked the words.
    """

    id: int
    name: str
    headline: str
    steps: tuple[Step, ...]
    level: int | None
    severity_name: str
    tone: str
    area: str
    office: str
    telegram: str
    started_at: datetime
    since: str
    changed: str
    ended_at: datetime | None
    until: str
    withdrawn: bool
    checked: bool

    @property
    def title(self) -> str:
        """The name without readings."""
        return ruby.plain(self.name)


def read(limit: int) -> Standing:
    """How the city stands, with the last `limit` alerts that ended."""
    found = queries.in_force()
    open_ones = queries.histories([event.id for event in found]) if found else {}
    orders = own.read()
    return Standing(
        FrontState(queries.front_state(found, orders.levels)),
        found,
        (*open_ones.values(), *queries.recent(limit)),
        orders,
    )


def area_of(event: InForce, city: CityView, code: str) -> str:
    """Where it is: the city, or in Japanese as the telegram says it; elsewhere always so."""
    if event.area_name and (code == "ja" or event.place != city.jma_code):
        return ruby.foreign(event.area_name)
    return city_name(city, code)


def view(event: InForce, code: str, *, city: CityView) -> AlertView:
    """One alert, for a page of the city."""
    text = texts().say(code, event.phenomenon, event.severity, event.level)
    ended = event.ended_at
    return AlertView(
        id=event.id,
        name=_name(event, code, event.severity, event.name),
        headline=text.headline,
        steps=text.steps,
        level=event.level,
        severity_name=texts().plain_severity(code, event.severity),
        tone=_tone(event),
        area=area_of(event, city, code),
        office=_office(event, code),
        telegram=event.headline if code == "ja" else "",
        started_at=event.started_at,
        since=moment(event.started_at, code),
        changed=moment(event.changed_at, code) if event.changed_at > event.started_at else "",
        ended_at=ended,
        until=moment(ended, code) if ended else "",
        withdrawn=event.withdrawn,
        checked=bool(text.checked_by),
    )


def entries(standing: Standing, code: str, *, limit: int) -> list[Entry]:
    """The steps of alerts and of the city's own orders on one thread, newest first."""
    steps = [(step, history.event) for history in standing.histories for step in history.steps]
    steps.sort(key=lambda pair: (pair[0].at, pair[1].id), reverse=True)
    alerts = [_entry(step, event, code, event.id) for step, event in steps[:limit]]
    return _newest([*own.entries(standing.orders, code), *alerts], limit)


def ended_entries(standing: Standing, code: str, *, limit: int) -> list[Entry]:
    """One line for each alert and each story of orders that is over, called by the worst it was."""
    alerts = [
        replace(
            _entry(history.steps[-1], history.event, code, history.event.id),
            name=_worst_name(history, code),
        )
        for history in standing.histories
        if history.event.ended_at
    ]
    return _newest([*own.over(standing.orders, code), *alerts], limit)


def _newest(found: Sequence[Entry], limit: int) -> list[Entry]:
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:limit]


def own_entries(history: EventHistory, code: str) -> list[Entry]:
    """The steps of one alert for its own page, newest first."""
    return [_entry(step, history.event, code, None) for step in reversed(history.steps)]


def summary(standing: Standing, code: str) -> str:
    """The state in one line: the city's own orders, the worst in force, or that there is none."""
    if standing.orders.levels:
        return own.summary(standing.orders, code)
    if standing.state is FrontState.CALM:
        return texts().calm(code).name if not standing.in_force else _names(standing, code)
    return _names(standing, code)


def _names(standing: Standing, code: str) -> str:
    """ "大雨警報・洪水警報": each name once, worst first, three at most."""
    names = dict.fromkeys(
        _name(event, code, event.severity, event.name) for event in standing.in_force
    )
    joint = {"ja": "・", "ja-easy": " ", "zh-hans": "、"}.get(code, ", ")
    more = f" +{len(names) - 3}" if len(names) > 3 else ""
    return joint.join(list(names)[:3]) + more


def _entry(step: HistoryStep, event: InForce, code: str, event_id: int | None) -> Entry:
    severity = step.severity_to or step.severity_from or event.severity
    level = step.level_to if step.severity_to else step.level_from
    change = "withdrawn" if step.withdrawal else step.change.value
    return Entry(
        at=step.at,
        page=f"alerts/{event_id}/" if event_id else "",
        name=_name(event, code, severity, step.name),
        change=texts().change_name(code, change),
        level=level if step.severity_to else None,
    )


def _worst_name(history: EventHistory, code: str) -> str:
    event = history.event
    severity, _, name = max(
        (
            (step.severity_to, step.level_to, step.name)
            for step in history.steps
            if step.severity_to is not None
        ),
        key=lambda worst: (worst[0].rank, worst[1] or 0),
        default=(event.severity, event.level, event.name),
    )
    return _name(event, code, severity, name)


def _tone(event: InForce) -> str:
    if event.level and event.level >= 2:
        return str(event.level)
    return "calm" if event.severity is Severity.MINOR else "act"


def _name(event: InForce, code: str, severity: Severity, told: str) -> str:
    """What the alert is, or was, called when it was so grave and its office called it so."""
    return texts().called(code, event.phenomenon, severity, told=told, kind=event.kind)


def _office(event: InForce, code: str) -> str:
    office = event.office
    jma = event.kind != CAP and (not office or any(part in office for part in _JMA))
    return texts().source(code) if jma and code != "ja" else ruby.foreign(office)
