"""A table's cells, whichever way it came: CSV in any Japanese encoding, or XLSX."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

LARGEST = 5_000_000
"""Bytes. What an XLSX unpacks to may be ten times that."""

MOST_ROWS, MOST_COLUMNS = 5_000, 100

Rows = Iterator[tuple[int, list[str]]]
"""Each row's number as a spreadsheet counts, and its cells."""


class BadTable(ValueError):  # noqa: N818  # the thing refused
    """Not a table that can be taken. `problems` has one Japanese line for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def read(data: bytes) -> tuple[list[str], Rows]:
    """The headings, and the rows that say anything, as wide as these. Raises BadTable."""
    return _xlsx(data) if data[:2] == b"PK" else _csv(data)


def heading(cell: str) -> str:
    """A heading as it is known: one width of letters, one space."""
    return " ".join(unicodedata.normalize("NFKC", cell).split())


def letter(place: int) -> str:
    """A column as spreadsheets call it: A, B, … AA."""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(65 + rest) + text
    return text


def _csv(data: bytes) -> tuple[list[str], Rows]:
    if len(data) > LARGEST:
        raise BadTable([f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです"])
    text = _text(data)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise BadTable(
            [f"{reader.line_num}行目: CSVとして読めません（引用符を確かめてください）"]
        ) from error
    return _split(rows)


def _text(data: bytes) -> str:
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadTable(["文字が読めません。CSVを、UTF-8かShift_JISで保存してください"])


def _xlsx(data: bytes) -> tuple[list[str], Rows]:
    """The first sheet's values. Merged headings are told; below them, a merge is its first cell."""
    if len(data) > LARGEST:
        raise BadTable([f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです"])
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(member.file_size for member in package.infolist()) > 10 * LARGEST:
                raise BadTable(["ファイルの中身が大きすぎます"])
        sheet = load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
    except BadTable:
        raise
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError,
            OSError, TypeError, SyntaxError) as error:  # fmt: skip
        raise BadTable(
            ["Excelのファイルとして読めません。xlsx で保存しなおしてください"]
        ) from error
    merged = [str(area) for area in sheet.merged_cells.ranges if area.min_row == 1]
    if merged:
        raise BadTable(
            [
                f"1行目: 見出しのセルが結合されています（{area}）。結合を解いて、"
                "どの列にも「目標 令和8年度」のように書いてください"
                for area in merged
            ]
        )
    if sheet.max_column > MOST_COLUMNS:
        raise BadTable([f"列が多すぎます。{MOST_COLUMNS}列までです"])
    if sheet.max_row > 2 * MOST_ROWS:
        raise BadTable([f"行が多すぎます。{MOST_ROWS:,}行までです"])
    rows = [
        (line, [_said(cell.value, cell.number_format) for cell in cells])
        for line, cells in enumerate(sheet.iter_rows(), 1)
    ]
    return _split(rows)


def _said(value: object, shape: str) -> str:
    """A cell as it reads: 0.9 shown as a percentage is 90."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = Decimal(str(value)) * (100 if "%" in shape else 1)
        except InvalidOperation:
            return str(value)
        if not number.is_finite():
            return str(value)
        return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
    return str(value).strip()


def _split(rows: Sequence[tuple[int, list[str]]]) -> tuple[list[str], Rows]:
    if not rows:
        raise BadTable(["何も書かれていません"])
    header = rows[0][1]
    body = [(line, cells) for line, cells in rows[1:] if any(cells)]
    if len(body) > MOST_ROWS:
        raise BadTable([f"行が多すぎます。{MOST_ROWS:,}行までです"])
    width = len(header)
    return header, iter([(line, cells + [""] * (width - len(cells))) for line, cells in body])
