"""States of a city, made by hand: what the queries would answer."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from policity.fields.alerts import queries as alert_queries
from policity.fields.alerts.queries import EventHistory, HistoryStep, InForce, records
from policity.fields.alerts.queries import orders as order_queries
from policity.fields.alerts.queries.orders import OrderView, order_key
from policity.fields.alerts.queries.records import EmergencyView
from policity.fields.alerts.rules.bulletin import CAP, Change, Phenomenon, Severity
from policity.fields.alerts.rules.orders import Level
from policity.foundations import places
from policity.foundations.delivery import queries as delivery_queries
from policity.foundations.delivery.queries import MessageView, Thread
from policity.foundations.events import queries as events_queries
from policity.foundations.places import queries as place_queries
from policity.foundations.places.queries import CityView, OpeningView, SiteView, TownView
from policity.foundations.places.rules.openings import Openness
from policity.foundations.places.rules.sites import Kind
from policity.kit.languages import LANGUAGES
from policity.public_site import queries as tree_queries
from policity.public_site.presenters import content

EVENING = datetime(2026, 9, 18, 10, 20, tzinfo=UTC)  # 19時20分 in the city
STEP = timedelta(minutes=35)
MINOR, MODERATE, SEVERE, EXTREME = Severity

CITY = CityView(
    code="13229",
    name="西東京市",
    kana="にしとうきょうし",
    names={
        "ja": "西東京市",
        "ja-easy": "{西東京市|にしとうきょうし}",
        "en": "Nishitokyo City",
        "zh-hans": "西东京市",
        "ko": "니시토쿄시",
    },
    prefecture="東京都",
    jma_code="1322900",
    lineage=("1322900",),
    lat=35.7,
    lon=139.5,
    boundary=(),
)


def towns() -> tuple[TownView, ...]:
    """The city's real towns, numbered from 1 in the order of their table."""
    table = Path(places.__path__[0]) / "facts" / "cities" / "nishitokyo" / "towns.csv"
    with table.open(encoding="utf-8") as lines:
        return tuple(
            TownView(
                id=n,
                name=row["name"],
                base=row["base"],
                chome=int(row["chome"]) if row["chome"] else None,
                kana=row["kana"],
                lat=float(row["lat"]),
                lon=float(row["lon"]),
                postal_code=row["postal_code"],
                code=row["code"],
            )
            for n, row in enumerate(csv.DictReader(lines), 1)
        )


def outlines():
    """An area for each town: a square around its point."""
    side = 0.002
    return {
        town.id: (
            tuple(
                (town.lon + x * side, town.lat + y * side)
                for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
            ),
        )
        for town in towns()
    }


def sites() -> tuple[SiteView, ...]:
    """The city's real sites, from our own fact table."""
    table = Path(places.__path__[0]) / "facts" / "cities" / "nishitokyo" / "sites.csv"
    with table.open(encoding="utf-8") as lines:
        return tuple(
            SiteView(
                id=n,
                source_id=row["source_id"],
                kind=Kind(row["kind"]),
                name=row["name"],
                kana=row["kana"],
                address=row["address"],
                town=None,
                lat=float(row["lat"]),
                lon=float(row["lon"]),
                hazards=frozenset(row["hazards"].split()),
                same_address=row["same_address"] == "1",
                receives=row["receives"],
                notes="",
            )
            for n, row in enumerate(csv.DictReader(lines))
        )


def history(
    number, phenomenon, *grades, hours=0, over=False, withdrawn=False, kind="VPWW54", name=""
):
    """An alert through its grades: (severity, level) one after the other."""
    start = EVENING - timedelta(hours=hours)
    steps, before = [], (None, None)
    for n, grade in enumerate((*grades, (None, None)) if over or withdrawn else grades):
        change = Change.CANCELLED if grade[0] is None else Change.RAISED if n else Change.ISSUED
        steps.append(
            HistoryStep(
                at=start + n * STEP,
                change=change,
                level_from=before[1],
                level_to=grade[1],
                severity_from=before[0],
                severity_to=grade[0],
                name=name,
                office="気象庁",
                withdrawal=withdrawn and grade[0] is None,
                message_id=1,
            )
        )
        before = grade
    severity, level = grades[-1]
    event = InForce(
        id=number,
        place="1322900",
        phenomenon=phenomenon,
        severity=severity,
        level=level,
        kind=kind,
        code="03",
        name=name,
        area_name="西東京市",
        subject="",
        started_at=start,
        changed_at=steps[-1].at,
        reported_at=steps[-1].at,
        office="気象庁" if kind != CAP else "Example Weather Office",
        headline="東京地方では、<低い土地>の浸水に警戒してください。",
        generation=2,
        valid_until=None,
        ended_at=steps[-1].at if over or withdrawn else None,
        withdrawn=withdrawn,
    )
    return EventHistory(event, tuple(steps))


RAIN_2 = history(1, Phenomenon.HEAVY_RAIN, (MINOR, 2))
RAIN_3 = history(1, Phenomenon.HEAVY_RAIN, (MINOR, 2), (MODERATE, 3))
RAIN_4 = history(1, Phenomenon.HEAVY_RAIN, (MINOR, 2), (MODERATE, 3), (SEVERE, 4))
RAIN_5 = history(1, Phenomenon.HEAVY_RAIN, (SEVERE, 4), (EXTREME, 5))
FLOOD_3 = history(2, Phenomenon.FLOOD, (MODERATE, 3))
THUNDER = history(3, Phenomenon.THUNDER, (MINOR, None), hours=1)
STORM = history(4, Phenomenon.STORM, (MODERATE, None), (EXTREME, None))
QUAKE = history(5, Phenomenon.EARTHQUAKE, (EXTREME, None))
SENDERS = history(7, Phenomenon.HEAVY_RAIN, (SEVERE, None), (EXTREME, None), kind=CAP, name="Rain")
DRY = history(6, Phenomenon.DRY, (MINOR, None))
SNOW_OVER = history(8, Phenomenon.HEAVY_SNOW, (MINOR, None), (MODERATE, None), hours=200, over=True)
WITHDRAWN = history(9, Phenomenon.TORNADO, (MODERATE, None), hours=300, withdrawn=True)
PAST = (SNOW_OVER, WITHDRAWN)

STATES = {
    "new": ((), ()),
    "calm": ((), PAST),
    "dry": ((DRY,), PAST),
    "caution": ((RAIN_2, THUNDER), PAST),
    "advisory": ((THUNDER,), PAST),
    "warning": ((RAIN_3, FLOOD_3, THUNDER), PAST),
    "danger": ((RAIN_4, FLOOD_3, THUNDER), PAST),
    "extreme": ((RAIN_5, FLOOD_3, THUNDER), PAST),
    "storm": ((STORM, THUNDER), PAST),
    "storm and rain": ((STORM, RAIN_3), PAST),
    "quake": ((QUAKE,), PAST),
    "another sender": ((SENDERS,), PAST),
    "order 3": ((RAIN_3,), PAST),
    "order 4": ((RAIN_4, FLOOD_3, THUNDER), PAST),
    "order 5": ((RAIN_4,), PAST),
    "two levels": ((RAIN_4, FLOOD_3, THUNDER), PAST),
    "two places": ((), ()),
    "everywhere": ((RAIN_4, FLOOD_3, THUNDER), PAST),
    "order for another danger": ((), PAST),
    "lifted": ((RAIN_2,), PAST),
    "an error": ((), PAST),
    "an error above": ((RAIN_3,), PAST),
    "an error of lifting": ((), PAST),
}


def order(
    number, level, numbers, *, story=0, minutes=60, reason="flood", notes=None, checked=None, **more
) -> OrderView:
    """An order that was issued some minutes after the evening began."""
    at = EVENING + timedelta(minutes=minutes)
    return OrderView(
        id=number,
        version=1,
        stage="issued",
        level=Level(level) if level else None,
        towns=tuple(numbers),
        reason=reason if level else "",
        notes=notes or {},
        notes_checked=checked or {},
        changed_at=at,
        issued_at=at,
        alone="",
        reviewed_at=None,
        withdrawn_at=more.get("withdrawn_at"),
        story=story or number,
        message=1,
        correction=None,
    )


def wrong(number, level, numbers, *, minutes=60, after=10, **more) -> OrderView:
    """One that was sent in error, and taken back some minutes after."""
    at = EVENING + timedelta(minutes=minutes + after)
    return order(number, level, numbers, minutes=minutes, withdrawn_at=at, **more)


EIGHT, FIVE = range(1, 9), range(11, 16)
RAISED = (order(1, 3, [*EIGHT, *FIVE]), order(2, 4, EIGHT, minutes=100))
# What the city itself decided, by the state's name.
ORDERS = {
    "order 3": (order(1, 3, EIGHT),),
    "order 4": (order(1, 4, EIGHT, notes={"ja": "橋は<通れません>"}),),
    "order 5": (order(1, 5, EIGHT),),
    "two levels": RAISED,
    "two places": (order(1, 4, EIGHT), order(2, 4, FIVE, reason="landslide", minutes=70)),
    "everywhere": tuple(order(n, 3 + n % 2, [n], minutes=n) for n in range(1, 41)),
    "order for another danger": (order(1, 4, EIGHT, reason="other", notes={"ja": "ガスもれ"}),),
    "lifted": (*RAISED, order(3, None, [*EIGHT, *FIVE], story=1, minutes=200)),
    "an error": (wrong(1, 4, EIGHT),),
    "an error above": (order(1, 3, EIGHT), wrong(2, 5, EIGHT, story=1, minutes=90)),
    "an error of lifting": (order(1, 4, EIGHT), wrong(2, None, EIGHT, story=1, minutes=90)),
}


def told_of(orders) -> list[Thread]:
    """The stories of orders, as they were told."""
    texts = {language.code: {"title": "title <b>", "body": "body"} for language in LANGUAGES}
    found: dict[str, Thread] = {}
    for one in orders:
        at = one.withdrawn_at or one.issued_at
        key = order_key(one.story)
        view = MessageView(100 + one.id, key, "severe", one.level, at, at, texts)
        found[key] = Thread(view, found[key].began_at if key in found else one.issued_at)
    return list(found.values())


def told(history: EventHistory) -> Thread:
    """The story of an alert, as it was told."""
    event = history.event
    texts = {language.code: {"title": "title <b>", "body": "body"} for language in LANGUAGES}
    message = MessageView(
        id=event.id,
        thread=alert_queries.event_key(event.id),
        severity=event.severity,
        level=event.level,
        told_at=event.changed_at,
        created_at=event.changed_at,
        texts=texts,
    )
    return Thread(message, event.started_at)


# The states in which the city has opened sites.
WITH_OPENED = frozenset({"danger", "extreme", "quake", "order 4", "order 5", "two levels"})


def opened(states, *, evacuees=None, at=EVENING):
    """How sites stand, by their names: {"向台小学校": "full"}; every site of that name."""
    return {
        site.id: OpeningView(
            id=site.id + 1,
            site=site.id,
            state=Openness(states[site.name]),
            before=Openness.UNOPENED,
            evacuees=evacuees,
            note="for staff alone",
            by="見本 避難所の担当",
            by_id=1,
            at=at,
        )
        for site in sites()
        if site.name in states
    }


# In the flood's states the city has opened some of everything: a park that is only for earthquakes,
# schools that are on both lists, and a welfare shelter.
OPENED = {
    "向台小学校": "open",
    "田無小学校": "crowded",
    "谷戸第二小学校": "full",
    "向台公園": "open",
    "ひばりが丘保育園": "open",
}


EMERGENCY = EmergencyView(1, EVENING, "見本 本部長", "石神井川の水位", None, "")


def stand(
    monkeypatch, name, *, city=CITY, with_sites=None, with_openings=None, with_emergency=None
):
    """Let the queries answer with a state, without a database."""
    in_force, past = STATES[name]
    known = {history.event.id: history for history in (*in_force, *past)}

    def histories(ids=None):
        return {n: h for n, h in known.items() if ids is None or n in set(ids)}

    monkeypatch.setattr(alert_queries, "in_force", lambda: tuple(h.event for h in in_force))
    monkeypatch.setattr(alert_queries, "histories", histories)
    monkeypatch.setattr(alert_queries, "event_ids", lambda: tuple(known))
    monkeypatch.setattr(alert_queries, "recent", lambda limit: past[:limit])
    orders = ORDERS.get(name, ())
    monkeypatch.setattr(order_queries, "history", lambda: orders)
    monkeypatch.setattr(place_queries, "towns", towns)
    monkeypatch.setattr(place_queries, "outlines", outlines)
    threads = [*(told(h) for h in known.values()), *told_of(orders)]
    threads.sort(key=lambda thread: thread.newest.told_at, reverse=True)
    monkeypatch.setattr(delivery_queries, "threads", lambda kind, limit: tuple(threads[:limit]))
    monkeypatch.setattr(place_queries, "city", lambda: city)
    monkeypatch.setattr(place_queries, "sites", sites if with_sites is None else with_sites)
    if with_openings is None:
        with_openings = opened(OPENED, evacuees=84) if name in WITH_OPENED else {}
    monkeypatch.setattr(place_queries, "openings", lambda: with_openings)
    monkeypatch.setattr(records, "emergency", lambda: with_emergency)
    # Nobody has written a page or an event yet.
    monkeypatch.setattr(events_queries, "to_come", tuple)
    monkeypatch.setattr(content, "home", dict)
    monkeypatch.setattr(tree_queries, "addresses", list)
    monkeypatch.setattr(tree_queries, "readings", dict)
    monkeypatch.setattr(tree_queries, "shown_pictures", frozenset)
    monkeypatch.setattr(tree_queries, "files", dict)
    monkeypatch.setattr(tree_queries, "old_addresses", list)


def renamed(name: str) -> CityView:
    """The same city under another name."""
    return replace(CITY, names=dict.fromkeys(CITY.names, name))
