"""Facilities as the public pages say them, in one language. Call it with that language active."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from policity.foundations.places.formats.facilities import kinds
from policity.foundations.places.queries import CityView, TownView
from policity.foundations.places.queries.facilities import FacilityView
from policity.foundations.places.rules import hours as rules
from policity.foundations.places.rules.facilities import FEATURES, OTHER
from policity.foundations.places.rules.hours import Hours, OnHoliday
from policity.kit import geometry, holidays, moments, ruby
from policity.kit.drawing import Sheet, apart

FEATURE_NAMES = {
    "wheelchair": gettext_noop("車いすで使える"),
    "wide_toilet": gettext_noop("広いトイレ（車いす）"),
    "ostomate": gettext_noop("オストメイト用の設備"),
    "diapers": gettext_noop("おむつをかえる台"),
    "nursing": gettext_noop("授乳の場所"),
    "lift": gettext_noop("エレベーター"),
    "braille": gettext_noop("点字や音声の案内"),
    "writing": gettext_noop("筆談"),
    "parking": gettext_noop("駐車場"),
    "children": gettext_noop("小さな子にも使える"),
}
_DAYS = (
    gettext_noop("月曜日"), gettext_noop("火曜日"), gettext_noop("水曜日"), gettext_noop("木曜日"),
    gettext_noop("金曜日"), gettext_noop("土曜日"), gettext_noop("日曜日"),
)  # fmt: skip
_ON_HOLIDAY = {
    OnHoliday.AS_USUAL: "",
    OnHoliday.CLOSED: gettext_noop("祝日は休みです。"),
    OnHoliday.DAY_AFTER: gettext_noop("休みの曜日が祝日のときは、開いて、次の日を休みます。"),
}
_WIDTH, _WITHIN = 400.0, 0.0003
# Of a mark with a number, with its edge (places/map.html).
_MARK = 12.0


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """A facility in a list. Its texts are in Japanese, with its reading where that helps."""

    id: int
    page: str
    name: str
    kind: str
    where: str
    address: str
    features: tuple[str, ...]
    is_sample: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Facilities under one heading. `key` names its place on the page."""

    key: str
    name: str
    rows: tuple[FacilityRow, ...]


@dataclass(frozen=True, slots=True)
class PlaceMap:
    """The city's outline with dots, or with numbered marks. The lists beside it carry the facts."""

    width: float
    height: float
    city: str
    dots: tuple[tuple[float, float], ...] = ()
    marks: tuple[tuple[float, float, int], ...] = ()


def page_of(number: int) -> str:
    """The address of a facility's page without its language."""
    return f"places/{number}/"


def kind_name(kind: str, code: str) -> str:
    """A kind in a language."""
    return kinds().get(kind, kinds()[OTHER])[code]


def features(facility: FacilityView) -> tuple[str, ...]:
    """What it is known to offer, in words."""
    return tuple(gettext(FEATURE_NAMES[key]) for key in FEATURES if key in facility.features)


def row(facility: FacilityView, code: str) -> FacilityRow:
    """A facility as one row."""
    return FacilityRow(
        id=facility.id,
        page=page_of(facility.id),
        name=_name(facility, code),
        kind=kind_name(facility.kind, code),
        where=ruby.foreign(facility.where),
        address=ruby.foreign(facility.address),
        features=features(facility),
        is_sample=facility.is_sample,
    )


def by_kind(facilities: Iterable[FacilityView], code: str) -> list[Group]:
    """Facilities by their kind, in the order of the kinds; no kind without one."""
    found: dict[str, list[FacilityRow]] = {key: [] for key in kinds()}
    for one in facilities:
        found[one.kind if one.kind in found else OTHER].append(row(one, code))
    return [
        Group(f"k-{key}", kind_name(key, code), tuple(rows)) for key, rows in found.items() if rows
    ]


def by_town(
    facilities: Iterable[FacilityView], towns: Sequence[TownView], code: str
) -> list[Group]:
    """Facilities by town, in the order of the city's table; those without one last."""
    found: dict[str, list[FacilityRow]] = {}
    for one in facilities:
        found.setdefault(one.town, []).append(row(one, code))
    named = [
        Group(f"t-{town.id}", town.easy_name if code == "ja-easy" else ruby.foreign(town.name),
              tuple(found[town.name]))
        for town in towns
        if town.name in found
    ]  # fmt: skip
    rest = tuple(found.get("", ()))
    return named + ([Group("t-none", gettext("町がわからない所"), rest)] if rest else [])


def place_map(city: CityView, facilities: Iterable[FacilityView]) -> PlaceMap:
    """The drawing, with those that have a position."""
    sheet, drawn = outline(city.boundary)
    places = [(one.lon, one.lat) for one in facilities if one.lon is not None]
    dots = [sheet.at((lon, lat)) for lon, lat in places if lon is not None and lat is not None]
    inside = {dot for dot in dots if _lies_on(sheet, dot)}
    return PlaceMap(_WIDTH, sheet.height, drawn, tuple(sorted(inside)))


def numbered(city: CityView, places: Iterable[geometry.Point]) -> PlaceMap:
    """The drawing with places (longitude, latitude) numbered in their order, from 1.

    No mark covers another: neighbours make room.
    """
    sheet, drawn = outline(city.boundary)
    spread = apart([sheet.at(place) for place in places], 2 * _MARK)
    marks = tuple(
        (_between(x, _WIDTH), _between(y, sheet.height), number)
        for number, (x, y) in enumerate(spread, 1)
    )
    return PlaceMap(_WIDTH, sheet.height, drawn, marks=marks)


def is_on_map(city: CityView, place: geometry.Point) -> bool:
    """Whether the drawing reaches as far as a place (longitude, latitude)."""
    sheet, _ = outline(city.boundary)
    return _lies_on(sheet, sheet.at(place))


def _lies_on(sheet: Sheet, dot: tuple[float, float]) -> bool:
    x, y = dot
    return 0 < x < _WIDTH and 0 < y < sheet.height


def _between(at: float, most: float) -> float:
    """At the edge a mark stands within, whole."""
    return min(max(at, _MARK), most - _MARK)


def moving(facilities: Iterable[FacilityView], prefix: str) -> str:
    """What a map that moves shows (design/moving.html): position, name and page of each.

    `prefix` is the language's part of an address. Empty where none has a position.
    """
    return pressed(
        (one.lat, one.lon, one.name, prefix + page_of(one.id))
        for one in facilities
        if one.lat is not None and one.lon is not None
    )


def pressed(points: Iterable[tuple[float, float, str, str]]) -> str:
    """The same of any places: latitude, longitude, what a press on it says and leads to."""
    found = [(round(lat, 6), round(lon, 6), name, page) for lat, lon, name, page in points]
    return json.dumps({"points": found}, ensure_ascii=False) if found else ""


def land(city: CityView, outlines: Iterable[tuple[geometry.Ring, ...]]) -> dict[str, Any]:
    """The lines of the city and of its towns, (latitude, longitude), for maps without tiles.

    Five digits are a metre.
    """

    def lines(rings: Iterable[geometry.Ring]) -> list[list[tuple[float, float]]]:
        drawn = geometry.sketch([tuple(rings)], within=_WITHIN / 3)
        return [[(round(lat, 5), round(lon, 5)) for lon, lat in ring] for ring in drawn]

    return {
        "city": lines(city.boundary),
        "towns": [line for rings in outlines for line in lines(rings)],
    }


@lru_cache(maxsize=2)
def outline(boundary: tuple[geometry.Ring, ...]) -> tuple[Sheet, str]:
    """The city's drawing and its path: the same for every page and language."""
    tight = Sheet.around(boundary, _WIDTH)
    side, top = (tight.east - tight.west) * 0.03, (tight.north - tight.south) * 0.03
    sheet = Sheet(
        tight.west - side, tight.south - top, tight.east + side, tight.north + top, _WIDTH
    )
    return sheet, sheet.path(geometry.sketch([boundary], within=_WITHIN))


def facility(one: FacilityView, code: str) -> dict[str, Any]:
    """Everything that a facility's own page says."""
    return {
        "one": row(one, code),
        "kana": ruby.foreign(one.kana) if code == "ja" else "",
        "phone": one.phone,
        "url": one.url,
        "note": ruby.foreign(one.hours_note),
        "notes": ruby.foreign(one.notes),
        "source": ruby.foreign(one.source),
        "gsi": gsi(one),
        "week": week(one.hours) if one.hours else (),
        "rules": _rules(one.hours) if one.hours else (),
        "special": _special(one.hours, code) if one.hours else (),
    }


def gsi(one: FacilityView) -> str:
    """Where 地理院地図 shows it; empty without a position."""
    return f"https://maps.gsi.go.jp/#17/{one.lat:.6f}/{one.lon:.6f}/" if one.lat is not None else ""


def week(hours: Hours) -> tuple[tuple[str, str], ...]:
    """Each day of the week with its hours."""
    return tuple((gettext(day), _said(spans)) for day, spans in zip(_DAYS, hours.week, strict=True))


def _said(spans: rules.Spans) -> str:
    if not spans:
        return gettext("休み")
    return gettext("、").join(f"{rules.clock(a.opens)}–{rules.clock(a.closes)}" for a in spans)


def _rules(hours: Hours) -> tuple[str, ...]:
    said = [gettext(text)] if (text := _ON_HOLIDAY[hours.on_holiday]) else []
    if hours.year_end:
        said.append(gettext("12月29日から1月3日までは休みです。"))
    return tuple(said)


def _special(hours: Hours, code: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (moments.day(datetime.combine(day, time()), code), _said(spans))
        for day, spans in sorted(hours.special.items())
    )


def _name(one: FacilityView, code: str) -> str:
    name, kana = ruby.foreign(one.name), ruby.foreign(one.kana)
    return f"{{{name}|{kana}}}" if code == "ja-easy" and kana and kana != name else name


def positions(facilities: Sequence[FacilityView], year: int) -> dict[str, Any]:
    """What the pages' script needs, of this year and the next: places, hours, features.

    Each day that differs from its week is named, so that the script has no rules of its own.
    """
    known: dict[str, str] = {}
    for some in (year - 1, year, year + 1):
        known |= {day.isoformat(): name for day, name in holidays.of_year(some).items()}
    # Hours are a few that many share.
    numbers: dict[str, int] = {}
    different: list[dict[str, Any]] = []
    found = {}
    for one in facilities:
        said: dict[str, Any] = {"f": list(one.features)}
        if one.lat is not None and one.lon is not None:
            said["at"] = [round(one.lat, 5), round(one.lon, 5)]
        if one.hours:
            stored = rules.to_json(one.hours)
            number = numbers.setdefault(repr(stored), len(numbers))
            if number == len(different):
                different.append(_days(one.hours, stored["week"], year, known))
            said["h"] = number
        found[str(one.id)] = said
    return {"holidays": known, "hours": different, "facilities": found}


def _days(
    hours: Hours, stored: Sequence[Any], year: int, known: Mapping[str, str]
) -> dict[str, Any]:
    first, last = date(year, 1, 1).toordinal(), date(year + 1, 12, 31).toordinal()
    days = {}
    for day in map(date.fromordinal, range(first, last + 1)):
        spans = rules.on(hours, day, lambda one: known.get(one.isoformat(), "")).spans
        if spans != hours.week[day.weekday()]:
            days[day.isoformat()] = [[one.opens, one.closes] for one in spans]
    return {"week": stored, "days": days}


def this_year(now: datetime) -> tuple[int, datetime]:
    """The year in the city, and when the next one begins there."""
    year = timezone.localtime(now).year
    return year, timezone.make_aware(datetime(year + 1, 1, 1))  # noqa: DTZ001  # made aware
