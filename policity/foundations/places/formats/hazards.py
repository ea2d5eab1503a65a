"""Areas of a hazard map as cities have them: GeoJSON, or a shapefile in a zip.

https://www.rfc-editor.org/rfc/rfc7946 , https://www.esri.com/content/dam/esrisites/sitecore-archive/Files/Pdfs/library/whitepapers/pdfs/shapefile.pdf ,
国土数値情報 A31a 洪水浸水想定区域（浸水深ランクコード）.
"""  # noqa: E501  # an address

import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import shapefile
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from policity.foundations.places.rules.hazards import DEPTHS, NO_DEPTH, Area

LARGEST = 20 * 2**20
LARGEST_UNPACKED = 100 * 2**20
MOST_POINTS = 500_000
# Latitude and longitude of all of Japan.
_JAPAN = (122.0, 20.0, 154.5, 46.0)
# Geographic systems that agree within what a line may stray: WGS84, JGD2000, JGD2011.
_EPSG = {"4326", "4612", "6668"}
_CRS84 = "urn:ogc:def:crs:ogc:1.3:crs84"
_GEOGRAPHIC = re.compile(
    r'^\s*GEOGCS\s*\[\s*"[^"]*(WGS[_ ]?(19)?84|JGD[_ ]?20(00|11))', re.IGNORECASE
)
_SYSTEMS = "緯度・経度（WGS84、JGD2011、JGD2000）"


class BadHazardFile(ValueError):  # noqa: N818  # the thing refused, in the reader's words
    """The file cannot be taken. One Japanese sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class HazardFile:
    """The areas of a file with what it says of each, and the attributes that may be a depth."""

    shapes: tuple[tuple[BaseGeometry, dict[str, Any]], ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes that have only the codes of `DEPTHS`, wherever they are set."""
        names = dict.fromkeys(name for _, said in self.shapes for name in said)
        return tuple(name for name in names if self._is_depth(name))

    def areas(self, attribute: str) -> tuple[Area, ...]:
        """The areas with the depth that an attribute gives; "" for a map without depths."""
        if attribute and attribute not in self.attributes:
            raise BadHazardFile(
                f"「{attribute}」は、深さの番号（1〜6）ではありません。ほかの属性を選んでください。"
            )
        return tuple(
            Area((attribute and _code(said.get(attribute))) or NO_DEPTH, area)
            for area, said in self.shapes
        )

    def _is_depth(self, name: str) -> bool:
        codes = [_code(value) for _, said in self.shapes if (value := said.get(name)) is not None]
        return bool(codes) and None not in codes


def read(data: bytes) -> HazardFile:
    """A file's areas, all or none. Raises BadHazardFile."""
    if not data:
        raise BadHazardFile("ファイルを選んでください。")
    if len(data) > LARGEST:
        raise BadHazardFile(
            "ファイルが大きすぎます（20MBまで）。市の部分だけを切り出して、選んでください。"
        )
    found = tuple(_shapefile(data) if data.startswith(b"PK") else _geojson(data))
    if not found:
        raise BadHazardFile("面が一つもありません。区域（ポリゴン）のファイルを選んでください。")
    if sum(int(shapely.get_num_coordinates(area)) for area, _ in found) > MOST_POINTS:
        raise BadHazardFile(
            f"線の点が多すぎます（{MOST_POINTS:,}点まで）。"
            "市の部分だけを切り出すか、線を簡単にしてから、選んでください。"
        )
    for area, _ in found:
        _placed(area)
    return HazardFile(found)


def _placed(area: BaseGeometry) -> None:
    if area.geom_type not in ("Polygon", "MultiPolygon"):
        raise BadHazardFile(
            "面ではないもの（点や線）が入っています。区域（ポリゴン）だけのファイルを選んでください。"
        )
    west, south, east, north = area.bounds if not area.is_empty else (math.nan,) * 4
    if not (_JAPAN[0] <= west <= east <= _JAPAN[2] and _JAPAN[1] <= south <= north <= _JAPAN[3]):
        raise BadHazardFile(
            f"位置が日本の外か、緯度・経度ではありません。{_SYSTEMS}に変えて書き出してください。"
        )


def _geojson(data: bytes) -> Iterator[tuple[BaseGeometry, dict[str, Any]]]:
    unread = "GeoJSONとして読めません。GeoJSONか、シェープファイルを入れたZIPを選んでください。"
    try:
        said = json.loads(data.decode("utf-8-sig"))
        features = said["features"]
        system = str(said.get("crs", {}).get("properties", {}).get("name", _CRS84)).lower()
        if said["type"] != "FeatureCollection":
            raise BadHazardFile(unread)
        if system != _CRS84 and system.rpartition(":")[2] not in _EPSG:
            raise BadHazardFile(
                f"座標系が「{system[:60]}」です。{_SYSTEMS}に変えて書き出してください。"
            )
        for one in features:
            # A feature may be at no place at all.
            if one.get("geometry") is not None:
                yield shapely.force_2d(shape(one["geometry"])), dict(one.get("properties") or {})
    except BadHazardFile:
        raise
    except (
        ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError,
        shapely.errors.ShapelyError,
    ) as error:  # fmt: skip
        raise BadHazardFile(unread) from error


def _shapefile(data: bytes) -> Iterator[tuple[BaseGeometry, dict[str, Any]]]:
    unread = "シェープファイルとして読めません。書き出しなおして、一つのZIPに入れてください。"
    try:
        parts = _parts(data)
        system = parts["prj"].decode("utf-8", "replace")
        if not _GEOGRAPHIC.match(system):
            raise BadHazardFile(
                f"座標系（.prj）が、緯度・経度ではありません。{_SYSTEMS}に変えて書き出してください。"
            )
        # What 国土数値情報 and most programs here write, where nothing says otherwise.
        encoding = parts.get("cpg", b"").decode("ascii", "replace").strip().lower()
        with shapefile.Reader(
            shp=io.BytesIO(parts["shp"]),
            dbf=io.BytesIO(parts["dbf"]),
            encoding="utf-8" if encoding in ("utf-8", "utf8") else "cp932",
            encodingErrors="replace",
        ) as found:
            for one in found.iterShapeRecords():
                if one.shape.shapeType != shapefile.NULL:
                    yield shapely.force_2d(shape(one.shape.__geo_interface__)), one.record.as_dict()
    except BadHazardFile:
        raise
    except (
        ValueError, KeyError, TypeError, AttributeError, IndexError, LookupError, OverflowError,
        MemoryError, EOFError, OSError, struct.error, zipfile.BadZipFile, zlib.error,
        NotImplementedError, RuntimeError, shapefile.ShapefileException,
        shapely.errors.ShapelyError,
    ) as error:  # fmt: skip
        raise BadHazardFile(unread) from error


def _parts(data: bytes) -> dict[str, bytes]:
    """The files of the only shapefile in a zip, by their kind. Never unpacked beyond the limit."""
    found: dict[str, bytes] = {}
    left = LARGEST_UNPACKED
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        for one in pack.infolist():
            kind = PurePosixPath(one.filename).suffix.lower().removeprefix(".")
            if one.filename.startswith("__MACOSX/") or kind not in ("shp", "dbf", "prj", "cpg"):
                continue
            if kind in found:
                raise BadHazardFile(
                    "ZIPの中に、シェープファイルが二つ以上あります。一つだけを入れてください。"
                )
            with pack.open(one) as stream:
                found[kind] = stream.read(left + 1)
            left -= len(found[kind])
            if left < 0:
                raise BadHazardFile(
                    "ZIPの中が大きすぎます（開いて100MBまで）。市の部分だけを切り出してください。"
                )
    for kind in ("shp", "dbf", "prj"):
        if kind not in found:
            raise BadHazardFile(
                f"ZIPの中に .{kind} がありません。.shp、.dbf、.prj を一つのZIPに入れてください。"
            )
    return found


def _code(value: Any) -> int | None:
    """A depth's code, written as a number or as text; None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number in DEPTHS and not isinstance(value, bool) else None
