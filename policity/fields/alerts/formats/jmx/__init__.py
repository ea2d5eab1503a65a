"""気象庁防災情報XML, both generations."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from policity.fields.alerts.formats.guard import moment, one_line, words
from policity.fields.alerts.formats.jmx import earth, weather
from policity.fields.alerts.formats.jmx.content import Content, Head
from policity.fields.alerts.rules import codes
from policity.fields.alerts.rules.bulletin import (
    Bulletin,
    Format,
    Generation,
    Ignored,
    InfoType,
    Refused,
    Status,
)

_ROOT = "{http://xml.kishou.go.jp/jmaxml1/}"
_HEAD = "{http://xml.kishou.go.jp/jmaxml1/informationBasis1/}"
REPORT = f"{_ROOT}Report"

_STATUS = {"通常": Status.ACTUAL, "訓練": Status.EXERCISE, "試験": Status.TEST}
_INFO_TYPE = {"発表": InfoType.ISSUE, "訂正": InfoType.CORRECT, "取消": InfoType.CANCEL}

_READERS: Mapping[str, Callable[[Head, Any, codes.Kind], Content]] = {
    "warning": weather.warnings,
    "notice": weather.notices,
    "river": weather.rivers,
    "flash": weather.flashes,
    "heat": weather.heat,
    "earthquake": earth.earthquake,
    "tsunami": earth.tsunami,
    "volcano": earth.volcano,
}


def read(root: Any) -> Bulletin:
    """A bulletin from a Report element; raises Refused or Ignored."""
    control: dict[str, str | None] = {}
    head: dict[str, str | None] = {}
    headline = body = None
    for part in root:
        tag = part.tag
        if tag == f"{_ROOT}Control":
            control = {child.tag: child.text for child in part}
        elif tag == f"{_HEAD}Head":
            for child in part:
                head.setdefault(child.tag, child.text)
            headline = part.find(f"{_HEAD}Headline")
        elif tag.endswith("}Body"):
            body = part
    about = _about(control, head, headline)
    kind = codes.KINDS.get(about.control_title)
    if kind is None:
        code, reason = codes.IGNORED.get(about.control_title, ("", ""))
        if not reason:
            reason = one_line(f"a kind we do not know: {about.control_title}")
        raise Ignored(reason, _bulletin(about, code, Generation.NEW))
    bulletin = _bulletin(about, kind.code, kind.generation)
    if about.info_type is InfoType.CANCEL:
        # What is withdrawn is found by its identity; the body only says so in words.
        return bulletin
    content = _READERS[kind.family](about, body, kind)
    if not content.events and not content.stated:
        raise Refused(f"a {kind.code} that names no area")
    return replace(
        bulletin,
        generation=content.generation or kind.generation,
        events=tuple(content.events),
        scope=kind.scope,
        stated=frozenset(content.stated),
        valid_until=content.valid_until,
        everywhere=content.everywhere,
    )


def _about(
    control: Mapping[str, str | None], head: Mapping[str, str | None], headline: Any
) -> Head:
    title = words(control.get(f"{_ROOT}Title"))
    status = _STATUS.get(words(control.get(f"{_ROOT}Status")))
    info_type = _INFO_TYPE.get(words(head.get(f"{_HEAD}InfoType")))
    if not title:
        raise Refused("no Control/Title")
    if status is None:
        raise Refused("Control/Status is none of 通常, 訓練, 試験")
    if info_type is None:
        raise Refused("Head/InfoType is none of 発表, 訂正, 取消")
    valid = head.get(f"{_HEAD}ValidDateTime")
    target = head.get(f"{_HEAD}TargetDateTime")
    return Head(
        control_title=title,
        title=words(head.get(f"{_HEAD}Title")) or title,
        status=status,
        info_type=info_type,
        reported_at=moment(head.get(f"{_HEAD}ReportDateTime"), "Head/ReportDateTime"),
        target_at=moment(target, "Head/TargetDateTime") if words(target) else None,
        valid_until=moment(valid, "Head/ValidDateTime") if words(valid) else None,
        event_id=words(head.get(f"{_HEAD}EventID")),
        serial=words(head.get(f"{_HEAD}Serial")),
        editor=words(control.get(f"{_ROOT}EditorialOffice")),
        office=words(control.get(f"{_ROOT}PublishingOffice")),
        headline=headline,
    )


def _bulletin(about: Head, kind: str, generation: Generation) -> Bulletin:
    identity = about.event_id or f"{kind} {about.editor}"
    text = None if about.headline is None else about.headline.findtext(f"{_HEAD}Text")
    return Bulletin(
        format=Format.JMX,
        kind=kind,
        generation=generation,
        title=about.title,
        status=about.status,
        info_type=about.info_type,
        reported_at=about.reported_at,
        identity=identity,
        serial=about.serial,
        office=about.office or about.editor,
        headline=words(text),
        events=(),
        references=() if about.info_type is InfoType.ISSUE else (identity,),
    )
