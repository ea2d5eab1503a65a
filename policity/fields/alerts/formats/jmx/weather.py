"""Warnings, river floods, and what else the weather side of JMA sends in codes."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from policity.fields.alerts.formats.guard import one_line, words
from policity.fields.alerts.formats.jmx.content import Content, Head
from policity.fields.alerts.rules import codes
from policity.fields.alerts.rules.bulletin import Change, Event, Generation, Refused

_NS = "{http://xml.kishou.go.jp/jmaxml1/body/meteorology1/}"
_HEAD = "{http://xml.kishou.go.jp/jmaxml1/informationBasis1/}"
_WARNING = f"{_NS}Warning"
_ITEM = f"{_NS}Item"
_KIND = f"{_NS}Kind"
_AREA = f"{_NS}Area"
_NAME = f"{_NS}Name"
_CODE = f"{_NS}Code"
_STATUS = f"{_NS}Status"
_LAST_KIND = f"{_NS}LastKind"
# What may stand between Status and LastKind.
_BETWEEN = {f"{_NS}ClassName", f"{_NS}Condition"}

_CHANGES = {"発表": Change.ISSUED, "継続": Change.CONTINUED, "解除": Change.CANCELLED}
_TIERS = ("注意報", "警報", "危険警報", "特別警報")
_NOTHING = {"発表警報・注意報はなし", "なし"}
_ENDED = "00"
_MUNICIPALITIES = "気象・地震・火山情報／市町村等"


@lru_cache(maxsize=64)
def _change(status: str) -> Change:
    """A Kind/Status: a word of its own, or "X から Y" between two tiers."""
    before, turned, after = status.partition("から")
    if turned and before in _TIERS and after in _TIERS:
        higher = _TIERS.index(after) > _TIERS.index(before)
        return Change.RAISED if higher else Change.LOWERED
    # A word that nobody knows yet still tells of something in force.
    return _CHANGES.get(status, Change.ISSUED)


def _items(body: Any) -> Any:
    """Every Item of every layer of warnings."""
    if body is None:
        return
    for warning in body.iterchildren(_WARNING):
        yield from warning.iterchildren(_ITEM)


def _kind(kind: Any) -> tuple[str, str, str, str]:
    """Name, code, status and the code before, of a Kind element, in the order of the schema."""
    name = code = status = last = ""
    for child in kind:
        tag = child.tag
        if tag == _NAME:
            name = words(child.text)
        elif tag == _CODE:
            code = words(child.text)
        elif tag == _STATUS:
            status = words(child.text)
        elif tag == _LAST_KIND:
            last = words(child.findtext(_CODE))
            break
        elif tag not in _BETWEEN:
            break
    return name, code, status, last


def _item(item: Any) -> tuple[list[Any], str, str]:
    """The Kind elements of an Item, and the code and name of its Area ("" without one)."""
    kinds = []
    code = name = ""
    for child in item:
        tag = child.tag
        if tag == _KIND:
            kinds.append(child)
        elif tag == _AREA:
            for part in child:
                tag = part.tag
                if tag == _NAME:
                    name = words(part.text)
                elif tag == _CODE:
                    code = words(part.text)
                    break
            break
    return kinds, code, name


def warnings(head: Head, body: Any, kind: codes.Kind) -> Content:
    """VPWW53–61: 警報・注意報, per area and phenomenon."""
    content = Content(valid_until=head.valid_until)
    for item in _items(body):
        kinds, area, area_name = _item(item)
        if not area:
            continue
        content.stated.append(area)
        for element in kinds:
            name, code, status, last = _kind(element)
            if status in _NOTHING and not code:
                continue
            event = _warning(kind.generation, name, code, status, last)
            if event:
                told, change = event
                content.events.append(Event(*told, change, code, name, area, "", area_name))
    return content


@lru_cache(maxsize=512)
def _warning(
    generation: Generation, name: str, code: str, status: str, last: str
) -> tuple[codes.Told, Change] | None:
    table = codes.WARNINGS[generation]
    if code == _ENDED:
        ended = table.get(last)
        return (ended, Change.CANCELLED) if ended else None
    told = table.get(code)
    if told is None:
        if not code and not name:
            return None
        told = codes.unknown_warning(name)
    change = _change(status)
    before = table.get(last)
    if (
        change is Change.ISSUED
        and before
        and before.phenomenon is told.phenomenon
        and (before.severity.rank, before.level or 0) < (told.severity.rank, told.level or 0)
    ):
        change = Change.RAISED
    return told, change


def notices(head: Head, body: Any, kind: codes.Kind) -> Content:
    """Telegrams of one grade: 土砂災害警戒情報, 竜巻注意情報, 記録的短時間大雨情報."""
    content = Content(valid_until=head.valid_until)
    name = _named(head)
    for item in _items(body):
        kinds, area, area_name = _item(item)
        if not area or not kinds:
            continue
        content.stated.append(area)
        _, code, status, _ = _kind(kinds[0])
        if status and status not in _NOTHING:
            content.events.append(
                Event(*kind.told, _change(status), code, name, area, "", area_name)
            )
    return content


def _named(head: Head) -> str:
    """What such a telegram calls itself: the name with a level in its newer titles (Kind/Name
    says only 警戒), else the title of its kind."""
    at = head.title.find("レベル")
    return head.title[at:] if at >= 0 else head.control_title.partition("（")[0]


def rivers(head: Head, body: Any, of: codes.Kind) -> Content:
    """VXKO and VXSU: the flood forecast of one river section, for the municipalities named."""
    items = [] if head.headline is None else list(head.headline.iter(f"{_HEAD}Item"))
    if not items:
        raise Refused("a river telegram without a headline")
    kind = items[0].find(f"{_HEAD}Kind")
    name = words(kind.findtext(f"{_HEAD}Name")) if kind is not None else ""
    code = words(kind.findtext(f"{_HEAD}Code")) if kind is not None else ""
    condition = words(kind.findtext(f"{_HEAD}Condition")) if kind is not None else ""
    if not name:
        raise Refused("a river telegram without a kind")
    generation = Generation.NEW if "レベル" in name else Generation.OLD
    told = codes.river(code, name)
    change = _river_change(of.code, generation, code, name, condition)
    areas: dict[str, str] = {}
    for item in items:
        for area in item.iter(f"{_HEAD}Area"):
            areas.setdefault(
                words(area.findtext(f"{_HEAD}Code")), words(area.findtext(f"{_HEAD}Name"))
            )
    section = next(iter(areas), "") or head.event_id
    for item in _items(body):
        for group in item.iterchildren(f"{_NS}Areas"):
            for area in group.iterchildren(_AREA):
                if group.get("codeType") == _MUNICIPALITIES:
                    areas.setdefault(words(area.findtext(_CODE)), words(area.findtext(_NAME)))
                areas.setdefault(
                    words(area.findtext(f"{_NS}CityCode")), words(area.findtext(f"{_NS}City"))
                )
    areas.pop("", None)
    events = [
        Event(*told, change, code, name, area, section, area_name)
        for area, area_name in areas.items()
    ]
    return Content(events, list(areas), head.valid_until, generation)


def _river_change(
    kind: str, generation: Generation, code: str, name: str, condition: str
) -> Change:
    """By the words of the Condition: 洪水警報（発表）, 洪水注意報（警報解除）, 洪水注意報解除."""
    if "警報解除" in condition or "警戒情報解除" in name:
        return Change.LOWERED
    if condition.endswith("解除") or name.endswith("解除"):
        return Change.CANCELLED
    if "発表" not in condition and codes.river_holds(kind, generation, code):
        return Change.CONTINUED
    return Change.ISSUED


def flashes(head: Head, _body: Any, _kind: codes.Kind) -> Content:
    """VPBS50 気象防災速報: what happens now, by the tags of its headline."""
    content = Content(valid_until=head.valid_until)
    items = () if head.headline is None else head.headline.iter(f"{_HEAD}Item")
    for item in items:
        for tag in (item.findtext(f"{_HEAD}Kind/{_HEAD}Condition") or "").split():
            flash = codes.FLASHES.get(tag)
            told = flash.told if flash else codes.unknown_warning(tag)
            subject = flash.subject if flash else tag
            for area in item.iter(f"{_HEAD}Area"):
                code = words(area.findtext(f"{_HEAD}Code"))
                name = words(area.findtext(f"{_HEAD}Name"))
                if code:
                    content.stated.append(code)
                    content.events.append(Event(*told, Change.ISSUED, "", tag, code, subject, name))
    return content


def heat(head: Head, body: Any, _: codes.Kind) -> Content:
    """VPFT50 熱中症警戒アラート: one region, named in the title, for today or tomorrow."""
    region = codes.heat_region(head.title)
    if region is None:
        raise Refused(one_line(f"a heat alert for a region we do not know: {head.title}"))
    name, code = region
    day = head.target_at or head.reported_at
    text = "" if body is None else "".join(body.itertext())
    # Sent at five for the day, or at seventeen for the next.
    if "明日（" in text and day.date() == head.reported_at.date():
        day += timedelta(days=1)
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    event = Event(*codes.HEAT, Change.ISSUED, "", head.control_title, code, "", name)
    return Content([event], [code], midnight)
