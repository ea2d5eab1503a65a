"""What one passes on a walk, as staff write it: one a line."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from policity.fields.charm.rules.walking import Point

MOST = 30
LONGEST_NAME = 60


class Sort(StrEnum):
    """What a stop is."""

    SPOT = "spot"
    TOILET = "toilet"
    BENCH = "bench"
    PLACE = "place"


WORDS = {
    "見どころ": Sort.SPOT,
    "トイレ": Sort.TOILET,
    "ベンチ": Sort.BENCH,
    "地点": Sort.PLACE,
}


class BadStops(ValueError):  # noqa: N818  # the thing refused
    """Not a list of stops. The message is one Japanese sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop. `spot` is a spot's number, None for what has no page; `name` may be empty."""

    sort: Sort
    lon: float
    lat: float
    name: str = ""
    spot: int | None = None

    @property
    def at(self) -> Point:
        """Where it is."""
        return self.lon, self.lat


def read(text: str, spots: Mapping[int, Point]) -> tuple[Stop, ...]:
    """Stops from lines: "見どころ 3", or "トイレ 35.7280 139.5390 公園の入口".

    `spots` says where each spot is. Raises BadStops.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not 2 <= len(lines) <= MOST:
        raise BadStops(f"立ち寄るところを、2つから{MOST}までにしてください。")
    return tuple(_stop(number, words, spots) for number, words in enumerate(lines, 1))


def _stop(number: int, words: list[str], spots: Mapping[int, Point]) -> Stop:
    sort = WORDS.get(words[0])
    if sort is None:
        raise BadStops(f"{number}行目は、{'・'.join(WORDS)}のどれかで始めてください。")
    if sort is Sort.SPOT:
        wanted = int(words[1]) if len(words) == 2 and words[1].isdecimal() else 0
        if wanted not in spots:
            raise BadStops(
                f"{number}行目は、「見どころ 3」のように、一覧にある番号を書いてください。"
            )
        lon, lat = spots[wanted]
        return Stop(sort, lon, lat, spot=wanted)
    try:
        lat, lon = float(words[1]), float(words[2])
    except (IndexError, ValueError):
        lat = lon = math.nan
    if not (20 <= lat <= 46 and 122 <= lon <= 154):
        raise BadStops(
            f"{number}行目は、「{words[0]} 35.7280 139.5390 名前」のように、"
            "緯度と経度を書いてください。"
        )
    name = " ".join(words[3:])
    if len(name) > LONGEST_NAME:
        raise BadStops(f"{number}行目の名前は、{LONGEST_NAME}文字までにしてください。")
    return Stop(sort, lon, lat, name)


def write(stops: tuple[Stop, ...]) -> str:
    """The same lines again."""
    said = {sort: word for word, sort in WORDS.items()}
    return "\n".join(
        f"{said[one.sort]} {one.spot}"
        if one.sort is Sort.SPOT
        else f"{said[one.sort]} {one.lat:.5f} {one.lon:.5f} {one.name}".rstrip()
        for one in stops
    )
