"""Earthquakes, tsunamis and volcanoes."""

from typing import Any

from policity.fields.alerts.formats.guard import words
from policity.fields.alerts.formats.jmx.content import Content, Head
from policity.fields.alerts.rules import codes
from policity.fields.alerts.rules.bulletin import Change, Event, Phenomenon, Refused, Severity

_SEIS = "{http://xml.kishou.go.jp/jmaxml1/body/seismology1/}"
_VOLC = "{http://xml.kishou.go.jp/jmaxml1/body/volcanology1/}"
_AREA = f"{_SEIS}Area"
_NAME = f"{_SEIS}Name"
_CODE = f"{_SEIS}Code"
_MAX_INT = f"{_SEIS}MaxInt"
_CONDITION = f"{_SEIS}Condition"
_CITY = f"{_SEIS}City"
_STATION = f"{_SEIS}IntensityStation"
_TSUNAMI_ENDED = {"00", "50", "60"}


def earthquake(head: Head, body: Any, _: codes.Kind) -> Content:
    """VXSE51–53: the intensity of every prefecture, area and municipality it names.

    Without intensities (an epicentre alone, an earthquake abroad) one event for everybody.
    """
    content = Content()
    if body is None:
        return content
    for prefecture in body.iterfind(f"{_SEIS}Intensity/{_SEIS}Observation/{_SEIS}Pref"):
        _shaken(head, prefecture, content)
        for area in prefecture.iterchildren(_AREA):
            _shaken(head, area, content)
            for city in area.iterchildren(_CITY):
                _shaken(head, city, content)
    if content.events:
        return content
    epicentre = body.find(f"{_SEIS}Earthquake/{_SEIS}Hypocenter/{_AREA}")
    if epicentre is None:
        return content
    code = words(epicentre.findtext(_CODE))
    name = words(epicentre.findtext(_NAME))
    event = Event(
        Phenomenon.EARTHQUAKE, Severity.MINOR, None, Change.ISSUED,
        "", head.title, code, head.event_id, name,
    )  # fmt: skip
    return Content([event], [code] if code else [], everywhere=True)


def _shaken(head: Head, place: Any, content: Content) -> None:
    """The event of one place, if an intensity is told for it."""
    code = name = told = ""
    for child in place:
        tag = child.tag
        if tag == _NAME:
            name = words(child.text)
        elif tag == _CODE:
            code = words(child.text)
        elif tag == _MAX_INT:
            told = words(child.text)
        elif tag == _CONDITION:
            told = told or words(child.text)
        elif tag in (_CITY, _STATION, _AREA):
            break
    if not code or not told:
        return
    title, severity = codes.INTENSITIES.get(told, (told, Severity.MINOR))
    content.stated.append(code)
    content.events.append(
        Event(
            Phenomenon.EARTHQUAKE, severity, None, Change.ISSUED,
            told, title, code, head.event_id, name,
        )
    )  # fmt: skip


def tsunami(head: Head, body: Any, _: codes.Kind) -> Content:
    """VTSE41: 津波警報・注意報・予報 per coast."""
    content = Content(valid_until=head.valid_until)
    items = () if body is None else body.iterfind(
        f"{_SEIS}Tsunami/{_SEIS}Forecast/{_SEIS}Item"
    )  # fmt: skip
    for item in items:
        area = words(item.findtext(f"{_AREA}/{_CODE}"))
        kind = item.find(f"{_SEIS}Category/{_SEIS}Kind")
        if not area or kind is None:
            continue
        content.stated.append(area)
        code = words(kind.findtext(_CODE))
        name = words(kind.findtext(_NAME))
        last = words(item.findtext(f"{_SEIS}Category/{_SEIS}LastKind/{_CODE}"))
        found = _wave(code, name, last)
        if found:
            severity, change = found
            content.events.append(
                Event(
                    Phenomenon.TSUNAMI, severity, None, change, code, name, area, "",
                    words(item.findtext(f"{_AREA}/{_NAME}")),
                )
            )  # fmt: skip
    return content


def _wave(code: str, name: str, last: str) -> tuple[Severity, Change] | None:
    before = codes.TSUNAMI.get(last)
    if code in _TSUNAMI_ENDED:
        return (before, Change.CANCELLED) if before else None
    now = codes.TSUNAMI.get(code) or codes.unknown_warning(name).severity
    if before is None:
        return now, Change.ISSUED
    if before is now:
        return now, Change.CONTINUED
    return now, Change.RAISED if now.rank > before.rank else Change.LOWERED


_VOLCANO = "火山名"
_PLAIN = "対象市町村等"
_MEASURES = "対象市町村の防災対応等"
_CHANGES = {
    "継続": Change.CONTINUED,
    "引上げ": Change.RAISED,
    "引下げ": Change.LOWERED,
    "解除": Change.CANCELLED,
}


def volcano(head: Head, body: Any, _: codes.Kind) -> Content:
    """VFVO50 噴火警報・予報 and VFVO56 噴火速報: the volcano, and the municipalities named.

    Where a municipality is named twice, its measures (入山規制等, 避難等) say how grave it is.
    """
    content = Content(valid_until=head.valid_until)
    groups = () if body is None else body.findall(f"{_VOLC}VolcanoInfo")
    subject = ""
    found: dict[str, Event | None] = {}
    for group in sorted(groups, key=lambda g: _MEASURES not in (g.get("type") or "")):
        for item in group.iterchildren(f"{_VOLC}Item"):
            for areas in item.iterchildren(f"{_VOLC}Areas"):
                for area in areas.iterchildren(f"{_VOLC}Area"):
                    code = words(area.findtext(f"{_VOLC}Code"))
                    if areas.get("codeType") == _VOLCANO:
                        subject = subject or code
                    if code and not found.get(code):
                        name = words(area.findtext(f"{_VOLC}Name"))
                        found[code] = _eruption(item, code, name)
    if found and not subject:
        raise Refused("a volcanic telegram without its volcano")
    for code, event in found.items():
        content.stated.append(code)
        if event:
            content.events.append(_of(event, subject))
    return content


def _of(event: Event, subject: str) -> Event:
    return Event(
        event.phenomenon, event.severity, event.level, event.change,
        event.code, event.name, event.area, subject, event.area_name,
    )  # fmt: skip


def _eruption(item: Any, area: str, area_name: str) -> Event | None:
    kind = item.find(f"{_VOLC}Kind")
    if kind is None:
        return None
    name = words(kind.findtext(f"{_VOLC}Name"))
    code = words(kind.findtext(f"{_VOLC}Code"))
    condition = words(kind.findtext(f"{_VOLC}Condition"))
    change = _CHANGES.get(condition, Change.ISSUED)
    severity = codes.volcano(name) if name else None
    if severity is None:
        last = words(item.findtext(f"{_VOLC}LastKind/{_VOLC}Name"))
        severity = codes.volcano(last) if last else None
        change = Change.CANCELLED
    if severity is None:
        return None
    return Event(Phenomenon.VOLCANO, severity, None, change, code, name, area, "", area_name)
