"""CAP alerts (OASIS, 1.0 to 1.2) into bulletins."""

import math
from dataclasses import replace
from datetime import datetime
from typing import Any

from policity.fields.alerts.formats.guard import moment, one_line, words
from policity.fields.alerts.rules import codes
from policity.fields.alerts.rules.bulletin import (
    CAP,
    Bulletin,
    Change,
    Event,
    Format,
    Generation,
    Ignored,
    InfoType,
    Phenomenon,
    Refused,
    Ring,
    Status,
)

NAMESPACES = (
    "urn:oasis:names:tc:emergency:cap:1.2",
    "urn:oasis:names:tc:emergency:cap:1.1",
    "http://www.incident.com/cap/1.0",
)
ALERTS = {f"{{{namespace}}}alert" for namespace in NAMESPACES}


# Systems talking to each other, and drafts, are as little for the public as tests.
_STATUS = {
    "Actual": Status.ACTUAL,
    "Exercise": Status.EXERCISE,
    "Test": Status.TEST,
    "System": Status.TEST,
    "Draft": Status.TEST,
}
_INFO_TYPE = {
    "Alert": InfoType.ISSUE,
    "Update": InfoType.CORRECT,
    "Cancel": InfoType.CANCEL,
    "Error": InfoType.CANCEL,
}
_CORNERS = 32
_KM_A_DEGREE = 111.2


def read(alert: Any) -> Bulletin:
    """A bulletin from an alert element; raises Refused or Ignored. Signatures are not verified.

    Info blocks in several languages are one: the Japanese one, else the first, gives the events;
    another adds only areas which that one does not name.
    """
    ns = alert.tag.removesuffix("alert")
    head = _head(alert, ns)
    if words(alert.findtext(f"{ns}msgType")) == "Ack":
        raise Ignored("an acknowledgement between systems", head)
    if words(alert.findtext(f"{ns}scope")) in ("Private", "Restricted"):
        raise Ignored("not for the public (scope)", head)
    infos = alert.findall(f"{ns}info")
    if head.info_type is InfoType.CANCEL:
        return head
    if not infos:
        raise Ignored("an alert without an info block says nothing", head)
    events = _events(infos, ns, head)
    return Bulletin(
        head.format, head.kind, head.generation, head.title, head.status, head.info_type,
        head.reported_at, head.identity, head.serial, head.office, head.headline,
        events=events,
        stated=frozenset(event.area for event in events if event.area),
        references=head.references,
        valid_until=_valid_until(infos, ns),
    )  # fmt: skip


def _head(alert: Any, ns: str) -> Bulletin:
    status = _STATUS.get(words(alert.findtext(f"{ns}status")))
    kind = words(alert.findtext(f"{ns}msgType"))
    info_type = _INFO_TYPE.get(kind, InfoType.ISSUE if kind == "Ack" else None)
    identity = words(alert.findtext(f"{ns}identifier"))
    sender = words(alert.findtext(f"{ns}sender"))
    if status is None:
        raise Refused("status is none of CAP's")
    if info_type is None:
        raise Refused("msgType is none of CAP's")
    if not identity or not sender:
        raise Refused("no identifier or no sender")
    values = alert.iterfind(f"{ns}info/{ns}eventCode/{ns}value")
    if any(words(value.text) in codes.CAP_TESTS for value in values):
        # Tests of the American system travel as "Actual".
        status = Status.TEST
    info = _chosen(alert.findall(f"{ns}info"), ns)
    said = {
        name: "" if info is None else words(info.findtext(f"{ns}{name}"))
        for name in ("event", "headline", "senderName")
    }
    note = words(alert.findtext(f"{ns}note"))
    return Bulletin(
        format=Format.CAP,
        kind=CAP,
        generation=Generation.NEW,
        title=said["headline"] or said["event"] or note or identity,
        status=status,
        info_type=info_type,
        reported_at=moment(alert.findtext(f"{ns}sent"), "sent"),
        identity=f"{sender},{identity}",
        serial="",
        office=said["senderName"] or sender,
        headline=said["headline"] or note,
        events=(),
        references=_references(words(alert.findtext(f"{ns}references"))),
    )


def _references(text: str) -> tuple[str, ...]:
    """The identities in "sender,identifier,sent" triples."""
    triples = (triple.split(",") for triple in text.split())
    return tuple(",".join(parts[:2]) for parts in triples if len(parts) == 3)


def _language(info: Any, ns: str) -> str:
    return words(info.findtext(f"{ns}language")) or "en-US"


def _chosen(infos: list[Any], ns: str) -> Any:
    japanese = (info for info in infos if _language(info, ns).startswith("ja"))
    return next(japanese, infos[0] if infos else None)


def _events(infos: list[Any], ns: str, head: Bulletin) -> tuple[Event, ...]:
    language = _language(_chosen(infos, ns), ns)
    mine = [info for info in infos if _language(info, ns) == language]
    others = [info for info in infos if _language(info, ns) != language]
    found: dict[tuple[Phenomenon, str], Event] = {}
    for event in (event for info in mine for event in _of_info(info, ns, head)):
        key = (event.phenomenon, event.area or event.area_name)
        other = found.get(key, event)
        worse = event if event.severity.rank > other.severity.rank else other
        rings = tuple(dict.fromkeys((*other.rings, *event.rings)))
        found[key] = replace(worse, rings=rings)
    named = {event.area for event in found.values()}
    for event in (event for info in others for event in _of_info(info, ns, head)):
        if event.area not in named:
            found.setdefault((event.phenomenon, event.area or event.area_name), event)
    return tuple(found.values())


def _of_info(info: Any, ns: str, head: Bulletin) -> list[Event]:
    event = words(info.findtext(f"{ns}event"))
    told = words(info.findtext(f"{ns}severity"))
    severity = codes.CAP_SEVERITIES.get(told)
    if severity is None:
        raise Refused(one_line(f"severity {told!r} is none of CAP's"))
    if not event:
        raise Refused("an info block without an event")
    values = tuple(words(e.findtext(f"{ns}value")) for e in info.iterchildren(f"{ns}eventCode"))
    phenomenon = codes.cap_phenomenon(values, event)
    responses = {words(e.text) for e in info.iterchildren(f"{ns}responseType")}
    change = Change.CONTINUED if head.info_type is InfoType.CORRECT else Change.ISSUED
    if "AllClear" in responses:
        change = Change.CANCELLED
    areas = [
        (words(code.findtext(f"{ns}value")), words(area.findtext(f"{ns}areaDesc")), rings)
        for area in info.iterchildren(f"{ns}area")
        for rings in [_rings(area, ns)]
        for code in (area.findall(f"{ns}geocode") or [area])
    ]
    return [
        Event(
            phenomenon, severity, None, change, next(iter(values), ""), event, code,
            head.identity, name, rings,
        )
        for code, name, rings in areas or [("", "", ())]
    ]  # fmt: skip


def _valid_until(infos: list[Any], ns: str) -> datetime | None:
    """The last of the ends, if every info block has one."""
    ends = [info.findtext(f"{ns}expires") for info in infos]
    if not all(words(end) for end in ends):
        return None
    return max(moment(end, "expires") for end in ends)


def _rings(area: Any, ns: str) -> tuple[Ring, ...]:
    """Every polygon and circle of an area once."""
    polygons = (words(polygon.text) for polygon in area.iterchildren(f"{ns}polygon"))
    circles = (_circle(words(circle.text)) for circle in area.iterchildren(f"{ns}circle"))
    found = [*(_ring(text) for text in polygons if text), *filter(None, circles)]
    return tuple(dict.fromkeys(found))


def _pair(text: str) -> tuple[float, float]:
    """ "lat,lon" as (lon, lat)."""
    try:
        lat, lon = (float(number) for number in text.split(","))
    except ValueError:
        raise Refused(one_line(f"not a coordinate: {text!r}")) from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Refused(one_line(f"a coordinate outside the world: {text!r}"))
    return lon, lat


def _ring(text: str) -> Ring:
    ring = tuple(_pair(pair) for pair in text.split())
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise Refused("a polygon that does not close")
    return ring


def _circle(text: str) -> Ring | None:
    """A circle as a ring; a radius of zero is a point, which touches no town."""
    if not text:
        return None
    centre, _, radius = text.partition(" ")
    lon, lat = _pair(centre)
    try:
        km = float(radius)
    except ValueError:
        raise Refused(one_line(f"not a circle: {text!r}")) from None
    if not math.isfinite(km) or km < 0:
        raise Refused(one_line(f"not a circle: {text!r}"))
    if km == 0:
        return None
    high = km / _KM_A_DEGREE
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    turns = [2 * math.pi * (step % _CORNERS) / _CORNERS for step in range(_CORNERS + 1)]
    return tuple((lon + wide * math.cos(turn), lat + high * math.sin(turn)) for turn in turns)
