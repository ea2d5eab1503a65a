"""A list of residents as a city's other systems write it: CSV, checked line by line."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from policity.foundations.residents.rules import addresses, ages, choices
from policity.kit.addresses import normalise
from policity.kit.languages import BY_CODE

Value = TypeVar("Value")

COLUMNS = (
    "external_id", "email", "push", "town", "lat", "lon",
    "language", "kinds", "quiet_from", "quiet_to",
)  # fmt: skip
MAY = ("born", "household")
"""Columns that a list may have besides."""
LONGEST_ID = 100
# Degrees; nobody watches a place outside Japan, but columns get swapped.
LATITUDES, LONGITUDES = (20.0, 46.0), (122.0, 154.0)


class BadList(ValueError):  # noqa: N818  # the thing refused
    """Not such a list at all. The message is one Japanese sentence."""


class Refused(NamedTuple):
    """A line that cannot be taken, and why, in Japanese. Lines are counted as editors count."""

    line: int
    reason: str


class Listed(NamedTuple):
    """One line. `wants` is packed (`rules.choices.pack`), empty for the city's defaults.

    `born` is a year, `household` what the function of that name makes of the cell.
    """

    external_id: str
    email: str
    push: addresses.Subscription | None
    town: int
    lat: float | None
    lon: float | None
    language: str
    wants: str
    quiet_from: int | None
    quiet_to: int | None
    born: int | None = None
    household: int | None = None


class Read(NamedTuple):
    """A list: its lines as values, those that cannot be taken, and which of `MAY` it has."""

    lines: list[Listed]
    refused: list[Refused]
    says: frozenset[str]

    def kept(self, line: Listed, *, born: int | None, household: int | None) -> Listed:
        """A line with what the list has no column for as it was before."""
        return line._replace(
            born=line.born if "born" in self.says else born,
            household=line.household if "household" in self.says else household,
        )


def read(data: bytes, towns: Mapping[str, int], *, year: int) -> Read:
    """Every line of a list (UTF-8 or CP932) as a value, and those that cannot be taken.

    `towns` maps names and codes to numbers; `year` is this one. Raises BadList.
    """
    rows = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    spelled = {normalise(name): number for name, number in towns.items()}
    town = lru_cache(maxsize=None)(lambda text: spelled.get(normalise(text)))
    found: list[Listed] = []
    refused: list[Refused] = []
    seen: dict[str, int] = {}
    try:
        order = _order(next(rows, []))
    except csv.Error as error:
        raise BadList(f"1行目をCSVとして読めません（{error}）") from error
    for line, cells in _lines(rows, refused):
        try:
            row = _row(cells, order, town, year)
            if row.external_id in seen:
                raise ValueError(
                    f"external_id「{row.external_id}」は{seen[row.external_id]}行目にもあります"
                )
        except ValueError as error:
            refused.append(Refused(line, str(error)))
        else:
            seen[row.external_id] = line
            found.append(row)
    return Read(found, sorted(refused), frozenset(MAY).intersection(order))


def household(text: str) -> int:
    """A number for a household of a list, the same for the same text; the text is kept nowhere."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True) or 1


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadList("文字コードが UTF-8 でも CP932（Shift_JIS）でもありません")


def _order(header: list[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in header)
    missing = [name for name in COLUMNS if name not in names]
    unknown = [name for name in names if name not in COLUMNS + MAY]
    if missing or unknown or len(names) != len(set(names)):
        said = f"足りない列: {'、'.join(missing)}。" if missing else ""
        said += f"知らない列: {'、'.join(unknown)}。" if unknown else ""
        said += "" if said else "同じ列が2つあります。"
        raise BadList(
            f"1行目は {','.join(COLUMNS)} にしてください（{'、'.join(MAY)} も使えます）。{said}"
        )
    return names


def _lines(rows: Iterator[list[str]], refused: list[Refused]) -> Iterator[tuple[int, list[str]]]:
    begins = 2
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            refused.append(
                Refused(begins, f"CSVとして読めません（{error}）。ここから先は読んでいません")
            )
            return
        if cells:
            yield begins, cells
        begins = rows.line_num + 1  # type: ignore[attr-defined]  # csv.reader has it


def _row(
    cells: list[str], order: tuple[str, ...], town_of: Callable[[str], int | None], year: int
) -> Listed:
    if len(cells) != len(order):
        raise ValueError(f"列が{len(order)}ではなく{len(cells)}あります")
    said = dict(zip(order, map(str.strip, cells), strict=True))
    external_id, email, push, town, lat, lon, language, kinds, quiet_from, quiet_to = (
        said[name] for name in COLUMNS
    )
    born, home = (said.get(name, "") for name in MAY)
    if not 1 <= len(external_id) <= LONGEST_ID or not external_id.isprintable():
        raise ValueError(f"external_id は1文字から{LONGEST_ID}文字にしてください")
    number = town_of(town)
    if number is None:
        raise ValueError(f"町「{town}」は、この市の町の名前にもコードにもありません")
    if language not in BY_CODE:
        raise ValueError(f"言語「{language}」はありません（{'、'.join(BY_CODE)}）")
    if bool(lat) != bool(lon):
        raise ValueError("緯度（lat）と経度（lon）は、両方書くか両方空にしてください")
    if bool(quiet_from) != bool(quiet_to):
        raise ValueError("quiet_from と quiet_to は、両方書くか両方空にしてください")
    return Listed(
        external_id=external_id,
        email=addresses.mail_address(email) if email else "",
        push=addresses.subscription(push) if push else None,
        town=number,
        lat=_maybe(lat, lambda text: _degrees(text, LATITUDES, "緯度")),
        lon=_maybe(lon, lambda text: _degrees(text, LONGITUDES, "経度")),
        language=language,
        wants=_wants(kinds),
        quiet_from=_maybe(quiet_from, _clock),
        quiet_to=_maybe(quiet_to, _clock),
        born=_maybe(born, lambda text: ages.parse_born(text, year)),
        household=_maybe(home, household),
    )


# Lists say the same few things again and again.
_clock = lru_cache(maxsize=choices.DAY)(choices.parse_clock)


@lru_cache(maxsize=1000)
def _wants(kinds: str) -> str:
    return choices.pack(choices.parse_levels(kinds)) if kinds else ""


def _maybe(text: str, read: Callable[[str], Value]) -> Value | None:
    return read(text) if text else None


def _degrees(text: str, limits: tuple[float, float], name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name}「{text}」が数ではありません") from None
    if not limits[0] <= value <= limits[1]:
        raise ValueError(f"{name}「{text}」が日本の中ではありません")
    return value
