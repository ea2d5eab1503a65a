"""Whom a message is for, among many residents, beside PostGIS, with identical answers.

Concave polygons of 500 corners over the real towns of a city, for every kind and severity. The
peer has what helps it: rows lying by town and place, a GiST index, a partial index for each
choice, pieces by ST_Subdivide where they win, both cores, no compiling, and its numbers as a file
in memory instead of through a socket. Numbers are made distinct by numpy for both.
"""

import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import shapely

from policity.foundations.residents.rules import choices
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.columns import Columns, Row
from policity.kit import geometry
from policity.kit.severity import Severity

SIZES = (200_000, 2_000_000)
SHARES = (0.01, 0.2, 0.8)
CORNERS = 500
ROUNDS = 5
GOAL = 5
CHANGED = 0.01
LEFT = 0.001
MEMORY = Path("/dev/shm")  # noqa: S108  # where a file needs no disk
CITIES = Path(__file__).parent.parent / "policity/foundations/places/facts/cities"
# Of the cities that ship the one with the most towns.
FACTS = max(CITIES.iterdir(), key=lambda city: (city / "towns.csv").stat().st_size)
SERVER = Path("/usr/lib/postgresql/15/bin")
PACKAGES = {
    str(SERVER / "initdb"): "postgresql-15",
    "/usr/share/postgresql/15/extension/postgis.control": "postgresql-15-postgis-3",
}
OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "effective_cache_size": "8GB",
    "random_page_cost": "1.1",
    "max_wal_size": "16GB",
    "autovacuum": "off",
    "fsync": "off",
    "jit": "off",
}
PEER = "PostGIS 3.3 on PostgreSQL 15, GiST, the better of whole polygon and ST_Subdivide"
CASES = [(kind, severity) for kind, severity in product(choices.kinds(), Severity)]


def measure() -> list[dict[str, object]]:
    """Milliseconds for one question, means over kinds and severities, medians of the rounds."""
    lines = []
    _install()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o777)
        _loading(folder / "home")
        with _postgis(folder) as peer:
            for size in SIZES:
                lines += _size(peer, size)
    return lines


def _size(peer: "Peer", size: int) -> Iterator[dict[str, object]]:
    people = People(size)
    rows = people.rows(people.numbers)
    peer.fill(rows)
    columns = Columns(choices.unpack)
    seconds = _seconds(lambda: columns.update(rows, (), version=1))
    _say(f"{size:,} residents, {len(columns):,} places: columns filled in {seconds:.2f} s")
    asked = {share: people.polygon(share) for share in SHARES}
    for share, polygon in asked.items():
        yield {"name": f"audience {size:,} {share:.0%}"} | _measured(peer, columns, polygon)
    changed, gone = people.changes()
    seconds = _seconds(lambda: columns.update(changed, gone, version=2))
    _say(f"{size:,} residents: {len(changed):,} rows changed in {seconds * 1000:.0f} ms")
    peer.change(changed, gone)
    for polygon in asked.values():
        peer.cut(polygon)
        for case in CASES:
            _same(_ours(columns, polygon, *case), peer.ask(polygon, *case))
    _say(f"{size:,} residents: identical answers after the changes as well")


def _measured(peer: "Peer", columns: Columns, polygon: "Polygon") -> dict[str, object]:
    peer.choose(polygon)
    found = [_same(_ours(columns, polygon, *case), peer.ask(polygon, *case)) for case in CASES]
    turns = []
    for turn in range(ROUNDS):
        spent = np.zeros((2, len(CASES)))
        for number, case in enumerate(CASES):
            # Who comes first changes, so that a drift of the machine favours nobody.
            for who in ((0, 1), (1, 0))[turn % 2]:
                start = time.perf_counter()
                peer.ask(polygon, *case) if who else _ours(columns, polygon, *case)
                spent[who, number] = time.perf_counter() - start
        turns.append(spent)
    ours, theirs = (median(turn[who].mean() * 1000 for turn in turns) for who in (0, 1))
    ratios = [turn[1].sum() / turn[0].sum() for turn in turns]
    each = np.median([turn[1] / turn[0] for turn in turns], axis=0)
    _say(
        f"{polygon.name}: {min(found):,} to {max(found):,} found, {peer.plan} polygon for PostGIS, "
        f"ratios of single questions {each.min():.1f} to {each.max():.1f}"
    )
    return {
        "figure": round(ours, 2),
        "unit": "ms",
        "peer": PEER,
        "peer_figure": round(theirs, 2),
        "ratio": round(median(ratios), 2),
        "spread": round((max(ratios) - min(ratios)) / median(ratios), 3),
        "goal": GOAL,
    }


def _ours(columns: Columns, polygon: "Polygon", kind: str, severity: Severity) -> Any:
    """From bytes that are known to be a polygon, as the peer gets them, to numbers."""
    audience = Audience(kind, severity, polygon.towns, (polygon.ring,))
    return columns.find(audience, shapely.from_wkb(polygon.wkb)).persons


def _same(ours: Any, theirs: Any) -> int:
    assert np.array_equal(ours, theirs), (len(ours), len(theirs))
    return len(ours)


@dataclass(frozen=True)
class Polygon:
    name: str
    ring: geometry.Ring
    wkb: bytes
    towns: frozenset[int]


@dataclass
class People:
    """Residents of a real city. One in seven has no point, one in seven a second place.

    One in a hundred gave a point that lies in another town.
    """

    size: int
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(20261123))

    def __post_init__(self) -> None:
        self.city = geometry.from_geojson((FACTS / "boundary.geojson").read_text())
        lines = (FACTS / "towns.csv").read_text().splitlines()
        columns = lines[0].split(",")
        towns = [dict(zip(columns, line.split(","), strict=True)) for line in lines[1:]]
        points = [(float(town["lon"]), float(town["lat"])) for town in towns]
        self.cells = geometry.Cells.divide(self.city, points)
        # Some numbers are missing, as where people have left.
        self.numbers = np.cumsum(self.rng.integers(1, 4, self.size))
        self.choices = ["", "-", *sorted(set(self._choices()))]

    def _choices(self) -> Iterator[str]:
        options = [None, *Severity]
        for one in product(options, repeat=len(choices.kinds())):
            wanted = {k: least for k, least in zip(choices.kinds(), one, strict=True) if least}
            yield choices.pack(wanted)

    def rows(self, numbers: Any) -> list[Row]:
        """The places of these residents, in no particular order."""
        count = len(numbers)
        second = self.rng.random(count) < 1 / 7
        chosen = np.where(
            self.rng.random(count) < 0.4, 0, self.rng.integers(0, len(self.choices), count)
        )
        quiet = self.rng.random(count) < 0.5
        owner = np.concatenate([np.arange(count), np.flatnonzero(second)])
        lon, lat, town = self._points(len(owner))
        elsewhere = self.rng.random(len(owner)) < 0.01
        town[elsewhere] = self.rng.integers(1, len(self.cells.areas) + 1, elsewhere.sum())
        unknown = self.rng.random(len(owner)) < 1 / 7
        columns = (
            numbers[owner],
            town,
            np.where(unknown, None, lat),
            np.where(unknown, None, lon),
            np.array(self.choices, dtype=object)[chosen[owner]],
            np.where(quiet, 1320, None)[owner],
            np.where(quiet, 360, None)[owner],
        )
        return list(map(Row._make, zip(*(one.tolist() for one in columns), strict=True)))

    def _points(self, count: int) -> tuple[Any, Any, Any]:
        """Points all over the city, and the towns they lie in."""
        west, south, east, north = self.city.bounds
        shapely.prepare(self.city)
        lon = self.rng.uniform(west, east, 3 * count).round(6)
        lat = self.rng.uniform(south, north, 3 * count).round(6)
        inside = np.flatnonzero(shapely.contains_xy(self.city, lon, lat))[:count]
        lon, lat = lon[inside], lat[inside]
        point, cell = self.cells.tree.query(shapely.points(lon, lat), predicate="intersects")
        town = np.ones(len(inside), dtype=np.int64)
        town[point] = cell + 1
        assert len(inside) == count
        return lon, lat, town

    def changes(self) -> tuple[list[Row], list[int]]:
        """What becomes of some, and who leaves."""
        some = self.rng.permutation(self.numbers)[: int(self.size * (CHANGED + LEFT))]
        gone = int(self.size * LEFT)
        newer = self.numbers[-1] + 1 + np.arange(gone)
        return self.rows(np.concatenate([some[gone:], newer])), some[:gone].tolist()

    def polygon(self, share: float) -> Polygon:
        """A lobed, ragged polygon that so many of the points lie in."""
        angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
        ragged = np.random.default_rng(7).uniform(-0.08, 0.08, CORNERS)
        radius = 1 + 0.35 * np.sin(5 * angle) + 0.15 * np.sin(13 * angle) + ragged
        at = self.city.representative_point()
        lon, lat, _ = self._points(20_000)
        low, high = 0.0, 0.2
        for _ in range(30):
            scale = (low + high) / 2
            x = at.x + scale * radius * np.cos(angle) / math.cos(math.radians(at.y))
            y = at.y + scale * radius * np.sin(angle)
            area = shapely.Polygon(np.c_[x, y])
            shapely.prepare(area)
            inside = shapely.contains_xy(area, lon, lat).mean()
            low, high = (scale, high) if inside < share else (low, scale)
        towns = frozenset(index + 1 for index in self.cells.touched(area))
        ring = tuple(zip(x.tolist(), y.tolist(), strict=True))
        wkb = shapely.to_wkb(shapely.set_srid(geometry.polygon(ring), 4326), include_srid=True)
        return Polygon(f"{self.size:,} {share:.0%} ({len(towns)} towns)", ring, wkb, towns)


class Peer:
    """One connection to PostGIS that stays, by psql; answers come as a file."""

    def __init__(self, folder: Path) -> None:
        self.plan = "whole"
        self._answer, self._given = folder / "answer", folder / "rows"
        self._psql = subprocess.Popen(
            [*_as_postgres(), SERVER / "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PGDATABASE": "postgres"},
        )  # fmt: skip
        self.run("CREATE EXTENSION postgis;")

    def run(self, text: str) -> None:
        self._psql.stdin.write(f"{text}\n\\echo done\n")
        self._psql.stdin.flush()
        assert self._psql.stdout.readline() == "done\n", text[:200]

    def fill(self, rows: Sequence[Row]) -> None:
        flags = ", ".join(f"{_flag(*case)} boolean" for case in CASES)
        self.run(
            "DROP TABLE IF EXISTS place, stage, choice, piece;"
            "CREATE TABLE stage (person bigint, town int, lat float8, lon float8, wants text);"
            f"CREATE TABLE choice (wants text PRIMARY KEY, {flags});"
            f"CREATE TABLE place (person bigint, town int, at geometry(Point, 4326), {flags});"
            "CREATE TABLE piece (area geometry);"
        )
        self._insert(rows)
        self.run("CREATE INDEX ON place USING gist (at); CREATE INDEX ON place (person);")
        self.run(
            "CREATE INDEX ON place (town) INCLUDE (person);"
            "CREATE INDEX ON place (town) WHERE at IS NULL;"
        )
        for case in CASES:
            self.run(f"CREATE INDEX ON place (town) WHERE {_flag(*case)};")
        self.run("VACUUM ANALYZE place;")

    def change(self, rows: Sequence[Row], gone: Sequence[int]) -> None:
        numbers = ",".join(map(str, {*gone, *(row.resident for row in rows)}))
        self.run(f"DELETE FROM place WHERE person IN ({numbers});")  # noqa: S608  # numbers of our own
        self._insert(rows)
        self.run("VACUUM ANALYZE place;")

    def _insert(self, rows: Sequence[Row]) -> None:
        with self._given.open("w") as file:
            for row in rows:
                lat, lon = ("\\N", "\\N") if row.lat is None else (repr(row.lat), repr(row.lon))
                file.write(f"{row.resident}\t{row.town}\t{lat}\t{lon}\t{row.wants}\n")
        with self._given.with_name("choices").open("w") as file:
            for text in {row.wants for row in rows}:
                wanted = choices.unpack(text)
                flags = (kind in wanted and wanted[kind].rank <= s.rank for kind, s in CASES)
                file.write("\t".join([text, *("ft"[flag] for flag in flags)]) + "\n")
        named = ", ".join(_flag(*case) for case in CASES)
        self.run(
            f"TRUNCATE stage, choice; COPY stage FROM '{self._given}';"  # noqa: S608  # our own names
            f"COPY choice FROM '{self._given.with_name('choices')}'; ANALYZE stage, choice;"
            "INSERT INTO place SELECT person, town, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS at,"
            f" {named} FROM stage JOIN choice USING (wants) ORDER BY town, at;"
        )

    def cut(self, polygon: Polygon) -> None:
        self.run(
            f"TRUNCATE piece; INSERT INTO piece SELECT ST_Subdivide({_geometry(polygon)}, 32);"
            "ANALYZE piece;"
        )

    def choose(self, polygon: Polygon) -> None:
        """Whichever plan is faster for this polygon."""
        self.cut(polygon)
        spent = {}
        for self.plan in ("whole", "subdivided"):
            tries = [
                _seconds(lambda case=case: self.ask(polygon, *case))
                for case in CASES[::5]
                for _ in range(2)
            ]
            spent[self.plan] = sum(map(min, zip(tries[::2], tries[1::2], strict=True)))
        self.plan = min(spent, key=spent.__getitem__)

    def ask(self, polygon: Polygon, kind: str, severity: Severity) -> Any:
        towns = f"town = ANY('{{{','.join(map(str, sorted(polygon.towns)))}}}')"
        wanted = f"{towns} AND {_flag(kind, severity)}"
        if self.plan == "whole":
            inside = f"ST_Intersects({_geometry(polygon)}, at)"
            query = f"SELECT person FROM place WHERE {wanted} AND (at IS NULL OR {inside})"  # noqa: S608  # our own names
        else:
            query = (
                f"SELECT person FROM piece JOIN place ON ST_Intersects(area, at) WHERE {wanted}"  # noqa: S608  # our own names
                f" UNION ALL SELECT person FROM place WHERE {wanted} AND at IS NULL"
            )
        self.run(f"COPY ({query}) TO '{self._answer}' (FORMAT binary);")
        # A header of 19 bytes, each number after its length, an end of two.
        row = np.dtype([("columns", ">i2"), ("length", ">i4"), ("person", ">i8")])
        return np.unique(
            np.frombuffer(self._answer.read_bytes()[19:-2], row)["person"].astype(np.int64)
        )

    def end(self) -> None:
        self._psql.stdin.close()
        self._psql.wait()


def _flag(kind: str, severity: Severity) -> str:
    return f"{kind}_{severity.value}"


def _geometry(polygon: Polygon) -> str:
    return f"'{polygon.wkb.hex()}'::geometry"


def _install() -> None:
    missing = [package for file, package in PACKAGES.items() if not Path(file).exists()]
    if missing:
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        # Installing must not start a database here.
        quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            subprocess.run([*root, *quiet, "apt-get", "-qq", *words], check=True, stdout=sys.stderr)


def _as_postgres() -> list[str]:
    """The server refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextmanager
def _postgis(folder: Path) -> Iterator[Peer]:
    data = folder / "data"
    control = [*_as_postgres(), SERVER / "pg_ctl", "--silent", "-D", data, "--wait"]
    options = " ".join(f"-c {name}='{value}'" for name, value in OPTIONS.items())
    initialise = "-A trust -E UTF8 --no-sync"
    subprocess.run([*control, "-o", initialise, "init"], check=True, stdout=sys.stderr, cwd="/")
    subprocess.run(
        [*control, "-l", data / "log", "-o", f"{options} -k {folder}", "start"], check=True, cwd="/"
    )
    peer = Peer(folder)
    try:
        yield peer
    finally:
        peer.end()
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd="/")


def _loading(home: Path) -> None:
    """Says what reading everybody from the database costs; the other figures are without it."""
    os.environ |= {
        "POLICITY_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "policity.project.settings.embedded",
    }
    import django

    from policity.project import home as homes

    homes.make_folders(home)
    shutil.copyfile(homes.template(), home / "policity.sqlite3")
    django.setup()

    from policity.foundations.places.services import load_city
    from policity.foundations.residents import queries
    from policity.foundations.residents.services import import_list

    now = datetime(2026, 11, 23, tzinfo=UTC)
    load_city(FACTS, by=None, now=now)
    lists = _lists(SIZES[0])
    took = [_seconds(lambda: import_list(lists[0], now=now)), _seconds(queries.columns)]
    took += [_seconds(lambda: import_list(lists[1], now=now)), _seconds(queries.columns)]
    _say(
        f"{SIZES[0]:,} residents: imported in {took[0]:.1f} s, columns read from SQLite in "
        f"{took[1]:.2f} s; 1 % changed by a list: imported in {took[2]:.1f} s, "
        f"columns brought up to date in {took[3] * 1000:.0f} ms"
    )


def _lists(count: int) -> tuple[bytes, bytes]:
    """A list of so many residents, and the same with one line in a hundred changed."""
    rng = random.Random(1)
    towns = [line.split(",")[0] for line in (FACTS / "towns.csv").read_text().splitlines()[1:]]
    header = "external_id,email,push,town,lat,lon,language,kinds,quiet_from,quiet_to\n"
    push = {"endpoint": "", "keys": {"p256dh": "BA" + "A" * 85, "auth": "A" * 22}}

    def line(number: int, changed: bool) -> str:
        keys = json.dumps(push | {"endpoint": f"https://push.example/{number}"}).replace('"', '""')
        lat, lon = rng.uniform(35.71, 35.76), rng.uniform(139.51, 139.57)
        kinds = rng.choice(["", "weather:3;evacuation:3", "weather:4"])
        town = towns[(number + changed) % len(towns)]
        told = f'"{keys}"' if number % 3 == 0 else ""
        who = f"p{number},p{number}@example.jp,{told}"
        return f"{who},{town},{lat:.6f},{lon:.6f},ja,{kinds},22:00,6:00\n"

    lines = [line(number, changed=False) for number in range(count)]
    newer = [line(n, changed=True) if n % 100 == 0 else one for n, one in enumerate(lines)]
    return (header + "".join(lines)).encode(), (header + "".join(newer)).encode()


def _seconds(do: Any) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
