"""Our own CAP 1.2 alerts as bytes, valid against the schema of OASIS."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from policity.fields.alerts.rules.bulletin import Ring

_NS = "urn:oasis:names:tc:emergency:cap:1.2"
# What XML 1.0 cannot carry at all.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# CAP 1.2, 3.2.1: no spaces, commas or restricted characters in what others will refer to.
_REFERABLE = re.compile(r"[^\s,<&]+")


@dataclass(frozen=True, slots=True)
class CapArea:
    """Where. `geocodes` are (system, code), `polygons` closed rings of (lon, lat)."""

    description: str
    geocodes: tuple[tuple[str, str], ...] = ()
    polygons: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True)
class CapInfo:
    """What is said in one language (BCP 47). The rest are CAP's own words ("Met", "Severe")."""

    language: str
    categories: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    headline: str
    description: str
    instruction: str = ""
    response_types: tuple[str, ...] = ()
    event_codes: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    web: str = ""
    areas: tuple[CapArea, ...] = ()


@dataclass(frozen=True, slots=True)
class CapAlert:
    """An alert for the public. `references` are (sender, identifier, sent) of earlier ones."""

    identifier: str
    sender: str
    sent: datetime
    status: str
    msg_type: str
    infos: tuple[CapInfo, ...]
    references: tuple[tuple[str, str, datetime], ...] = ()
    note: str = ""


def write_cap(alert: CapAlert) -> bytes:
    """The alert in UTF-8, the same bytes for the same value.

    Raises ValueError for an identifier or sender that nobody could refer to, and for a moment
    without a time zone. Characters that XML cannot carry are dropped.
    """
    for name in (alert.identifier, alert.sender):
        if not _REFERABLE.fullmatch(name):
            raise ValueError(f"not fit to be referred to: {name!r}")
    # The stubs know no default namespace.
    names: Any = {None: _NS}
    root = etree.Element(f"{{{_NS}}}alert", nsmap=names)
    _put(root, "identifier", alert.identifier)
    _put(root, "sender", alert.sender)
    _put(root, "sent", _moment(alert.sent))
    _put(root, "status", alert.status)
    _put(root, "msgType", alert.msg_type)
    _put(root, "scope", "Public")
    _maybe(root, "note", alert.note)
    _maybe(
        root,
        "references",
        " ".join(f"{sender},{name},{_moment(sent)}" for sender, name, sent in alert.references),
    )
    for info in alert.infos:
        _info(_put(root, "info"), info)
    etree.indent(root)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written + b"\n"


def _info(at: etree._Element, info: CapInfo) -> None:
    """In the order of the schema."""
    _put(at, "language", info.language)
    for category in info.categories:
        _put(at, "category", category)
    _put(at, "event", info.event)
    for response in info.response_types:
        _put(at, "responseType", response)
    _put(at, "urgency", info.urgency)
    _put(at, "severity", info.severity)
    _put(at, "certainty", info.certainty)
    _pairs(at, "eventCode", info.event_codes)
    for name, when in (
        ("effective", info.effective),
        ("onset", info.onset),
        ("expires", info.expires),
    ):
        if when:
            _put(at, name, _moment(when))
    _maybe(at, "senderName", info.sender_name)
    _put(at, "headline", info.headline)
    _put(at, "description", info.description)
    _maybe(at, "instruction", info.instruction)
    _maybe(at, "web", info.web)
    _pairs(at, "parameter", info.parameters)
    for area in info.areas:
        place = _put(at, "area")
        _put(place, "areaDesc", area.description)
        for ring in area.polygons:
            _put(place, "polygon", " ".join(f"{lat:.6g},{lon:.7g}" for lon, lat in ring))
        _pairs(place, "geocode", area.geocodes)


def _put(at: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(at, f"{{{_NS}}}{name}")
    if text is not None:
        child.text = _FORBIDDEN.sub("", text)
    return child


def _maybe(at: etree._Element, name: str, text: str) -> None:
    if text:
        _put(at, name, text)


def _pairs(at: etree._Element, name: str, pairs: tuple[tuple[str, str], ...]) -> None:
    for key, value in pairs:
        pair = _put(at, name)
        _put(pair, "valueName", key)
        _put(pair, "value", value)


def _moment(when: datetime) -> str:
    """With seconds and a numeric offset, never Z: what the schema asks for."""
    if when.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return when.replace(microsecond=0).isoformat()
