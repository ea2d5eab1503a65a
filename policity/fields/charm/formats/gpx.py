"""Ways as GPX 1.1, in and out."""

import re
from typing import Any

import gpxpy
import gpxpy.gpx
from shapely import LineString

from policity.fields.charm.rules.stops import Stop
from policity.fields.charm.rules.walking import Point

# Bytes and points: a day's walk of a watch that notes each second.
LARGEST = 900_000
MOST_POINTS = 20_000
# Degrees; three metres. A watch notes more than a map shows.
_WITHIN = 0.00003
# What could make a small file large (entities) stands in a document type, which GPX has none of.
_DECLARES = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


class BadWay(ValueError):  # noqa: N818  # the thing refused
    """No way in it. The message is one Japanese sentence that says what to do."""


def read(data: bytes) -> tuple[Point, ...]:
    """The way in a file: its first track, else its first route, with as many points as a map shows.

    Who recorded it, when and how fast stays behind. Raises BadWay.
    """
    if len(data) > LARGEST:
        raise BadWay(f"GPXのファイルは、{LARGEST // 1000}KBまでにしてください。")
    try:
        text = data.decode("utf-8-sig")
        if _DECLARES.search(data):
            raise BadWay(
                "GPXのファイルに、使えない宣言（DOCTYPE）があります。別のアプリで書き出してください。"
            )
        found = gpxpy.parse(text)
    except (UnicodeDecodeError, gpxpy.gpx.GPXException, ValueError) as error:
        if isinstance(error, BadWay):
            raise
        raise BadWay(
            "GPXのファイルとして読めません。地図アプリから、GPXで書き出してください。"
        ) from error
    ways: list[list[Any]] = [
        *(segment.points for track in found.tracks for segment in track.segments),
        *(route.points for route in found.routes),
    ]
    points = next((some for some in ways if len(some) > 1), [])
    if not points:
        raise BadWay("GPXのファイルに、道すじ（トラックかルート）がありません。")
    if len(points) > MOST_POINTS:
        raise BadWay(f"GPXの点が多すぎます。{MOST_POINTS}点までにしてください。")
    line = [(point.longitude, point.latitude) for point in points]
    if not all(122 <= lon <= 154 and 20 <= lat <= 46 for lon, lat in line):
        raise BadWay("GPXの道すじが、日本の外にあります。ファイルを確かめてください。")
    if len(set(line)) < 2:
        raise BadWay("GPXの道すじが、1点だけです。歩いた記録のあるファイルにしてください。")
    simple = LineString(line).simplify(_WITHIN)
    return tuple((round(x, 6), round(y, 6)) for x, y in simple.coords)


def write(name: str, line: tuple[Point, ...], stops: tuple[tuple[Stop, str], ...]) -> bytes:
    """A course as GPX: its stops by name, and the way between them."""
    made = gpxpy.gpx.GPX()
    made.creator, made.name = "Policity", name
    made.waypoints.extend(
        gpxpy.gpx.GPXWaypoint(latitude=stop.lat, longitude=stop.lon, name=said)
        for stop, said in stops
    )
    track = gpxpy.gpx.GPXTrack(name=name)
    points = [gpxpy.gpx.GPXTrackPoint(latitude=lat, longitude=lon) for lon, lat in line]
    track.segments.append(gpxpy.gpx.GPXTrackSegment(points))
    made.tracks.append(track)
    text: str = made.to_xml(version="1.1")
    return text.encode()
