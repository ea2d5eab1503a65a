"""Hazard maps as the public page says them, in one language. Call it with that language active."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.utils.translation import gettext, gettext_noop

from policity.foundations.places.presenters.facilities import outline
from policity.foundations.places.presenters.sites import listed
from policity.foundations.places.queries import CityView, TownView
from policity.foundations.places.queries.hazards import HazardView
from policity.foundations.places.rules.hazards import Area, Then, TownHit, then
from policity.kit import geometry, moments, ruby

HAZARD_NAMES = {
    "flood": gettext_noop("洪水"),
    "inland_flood": gettext_noop("内水氾濫"),
    "storm_surge": gettext_noop("高潮"),
    "tsunami": gettext_noop("津波"),
    "landslide": gettext_noop("土砂災害"),
    "volcano": gettext_noop("火山"),
}
DEPTH_NAMES = (
    gettext_noop("区域の中（深さは、地図にありません）"),
    gettext_noop("深さ 0.5メートルより浅い"),
    gettext_noop("深さ 0.5〜3メートル"),
    gettext_noop("深さ 3〜5メートル"),
    gettext_noop("深さ 5〜10メートル"),
    gettext_noop("深さ 10〜20メートル"),
    gettext_noop("深さ 20メートルより深い"),
)
_NOT_WATER = gettext_noop("区域の中")
# 内閣府「避難情報に関するガイドライン」: who leaves at level 3 and 4, and who may stay indoors.
_THEN = {
    Then.AT_ONCE: gettext_noop(
        "強いゆれや、¦長いゆれを感じたら、¦知らせを待たずに、¦すぐに高い所へ¦にげてください。"
    ),
    Then.LEAVE: gettext_noop(
        "家にいると危ない所です。¦避難の知らせが出たら、¦早めに、¦この災害で使える避難場所か、¦区域の外の安全な所へ¦行ってください。"
    ),
    Then.UP_OR_LEAVE: gettext_noop(
        "1階は、¦水につかるおそれがあります。¦早めに、¦区域の外へ行ってください。¦2階より上の部屋があり、¦家が流されない所で、¦水と食べ物があれば、¦上の階にいることもできます。"
    ),
    Then.SHALLOW: gettext_noop(
        "ゆかの近くまで、¦水が来るおそれがあります。¦地下や、¦低い所にいないでください。¦出るなら、¦水が来る前に¦出てください。"
    ),
    Then.UNKNOWN_DEPTH: gettext_noop(
        "水につかるおそれがあります。¦深さがわからないので、¦早めに、¦区域の外か、¦高い階へ¦行けるようにしてください。"
    ),
}
# Degrees, a metre: what the script's file counts in.
_UNIT = 100_000


@dataclass(frozen=True, slots=True)
class DepthRow:
    """One class of a map, deepest first: the towns whose deepest it is, and what to do there."""

    depth: int
    name: str
    whole: str
    part: str
    then: str


@dataclass(frozen=True, slots=True)
class LayerView:
    """A map on the page. Title and source are Japanese. `paths` are for SVG."""

    id: int
    hazard: str
    name: str
    title: str
    source: str
    day: str
    within: int
    rows: tuple[DepthRow, ...]
    paths: tuple[str, ...]


def depth_name(hazard: str, depth: int) -> str:
    """A class in words."""
    if not depth and hazard in ("landslide", "volcano"):
        return gettext(_NOT_WATER)
    return gettext(DEPTH_NAMES[depth])


def layer(
    one: HazardView,
    hits: Sequence[TownHit],
    towns: Mapping[int, TownView],
    city: CityView,
    code: str,
) -> LayerView:
    """A map with its towns. `hits` are `rules.hits` of it."""

    def said(depth: int, *, whole: bool) -> str:
        found = [towns[hit.town] for hit in hits if (hit.deepest, hit.whole) == (depth, whole)]
        return listed(found, code) if found else ""

    depths = sorted({area.depth for area in one.areas}, reverse=True)
    return LayerView(
        id=one.id,
        hazard=one.hazard,
        name=gettext(HAZARD_NAMES[one.hazard]),
        title=ruby.foreign(one.title),
        source=ruby.foreign(one.source),
        day=moments.day(datetime.combine(one.as_of, time()), code),
        within=one.within,
        rows=tuple(
            DepthRow(
                depth=depth,
                name=depth_name(one.hazard, depth),
                whole=said(depth, whole=True),
                part=said(depth, whole=False),
                then=gettext(_THEN[then(one.hazard, depth)]),
            )
            for depth in depths
        ),
        paths=paths(one.areas, city),
    )


def paths(areas: Iterable[Area], city: CityView) -> tuple[str, ...]:
    """Each area as a path of the city's drawing; a deeper one lies on one that is less deep."""
    sheet, _ = outline(city.boundary)
    return tuple(sheet.path(geometry.rings(area.surface)) for area in areas)


def around(city: CityView) -> str:
    """Where a map that moves begins: the corners of the city, (latitude, longitude)."""
    points = [point for ring in city.boundary for point in ring]
    lons, lats = [x for x, _ in points], [y for _, y in points]
    return json.dumps({"around": [[min(lats), min(lons)], [max(lats), max(lons)]]})


def shapes(layers: Iterable[HazardView], city: CityView) -> dict[str, Any]:
    """What the page's script reckons with: lines in hundred-thousandths of a degree.

    Each line is latitude and longitude of its first point, then what is added for each next one:
    a third of the size. Even-odd, as they are drawn.
    """
    return {
        "city": [_steps(ring) for ring in geometry.sketch([city.boundary], within=0.00005)],
        "layers": [
            {
                "id": one.id,
                "areas": [
                    [area.depth, [_steps(ring) for ring in geometry.rings(area.surface)]]
                    for area in one.areas
                ],
            }
            for one in layers
        ],
    }


def _steps(ring: geometry.Ring) -> list[int]:
    found: list[int] = []
    before = (0, 0)
    for lon, lat in ring[:-1]:
        here = round(lat * _UNIT), round(lon * _UNIT)
        found += (here[0] - before[0], here[1] - before[1])
        before = here
    return found
