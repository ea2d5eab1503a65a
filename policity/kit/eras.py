"""Years and fiscal years as Japan counts them (和暦) and as the West does. Pure."""

import re
import unicodedata
from datetime import date

# Each era's first Western year, and how many years it had; None for the one that lasts.
ERAS = {
    "明治": (1868, 45),
    "大正": (1912, 15),
    "昭和": (1926, 64),
    "平成": (1989, 31),
    "令和": (2019, None),
}
_LETTERS = dict(zip("MTSHR", ERAS, strict=True))
_YEAR = re.compile(rf"({'|'.join(ERAS)}|[MTSHR])?\.?([0-9]{{1,4}}|元)年?(?:生まれ)?")


class BadYear(ValueError):  # noqa: N818  # the thing refused
    """Not a year."""


def western(text: str) -> int:
    """A year as somebody writes it: "1950", "昭和25年", "S25", "平成元". Raises BadYear.

    An era's years are only those it had: 昭和65 is none.
    """
    found = _YEAR.fullmatch("".join(unicodedata.normalize("NFKC", text).upper().split()))
    if found is None:
        raise BadYear(text)
    era, digits = _LETTERS.get(found[1], found[1]), found[2]
    if era is None:
        if len(digits) != 4:
            raise BadYear(text)
        return int(digits)
    first, years = ERAS[era]
    number = 1 if digits == "元" else int(digits)
    if number < 1 or (years is not None and number > years):
        raise BadYear(text)
    return first + number - 1


_FISCAL = re.compile(rf"(?:({'|'.join(ERAS)}|[MTSHR])\.?([0-9]{{1,2}}|元)|([0-9]{{4}}))年?度?")
APRIL = 4


def fiscal_year(day: date) -> int:
    """The Western year in which the fiscal year of a day began: on the first of April."""
    return day.year if day.month >= APRIL else day.year - 1


def read_fiscal(text: str) -> int:
    """A fiscal year as somebody writes it: "2019", "平成31年度", "R1". Raises BadYear.

    Plans count on in the era in which they were written: 平成32年度 is 2020.
    """
    found = _FISCAL.fullmatch("".join(unicodedata.normalize("NFKC", text).upper().split()))
    if found is None:
        raise BadYear(text)
    if found[3]:
        return int(found[3])
    number = 1 if found[2] == "元" else int(found[2])
    if number < 1:
        raise BadYear(text)
    return ERAS[_LETTERS.get(found[1], found[1])][0] + number - 1


def fiscal_name(year: int) -> str:
    """A fiscal year as it is written today: 2018 → "平成30年度", 2019 → "令和元年度".

    Of a year in which an era began it is that era's. Raises BadYear before 明治.
    """
    for era, (first, _) in reversed(ERAS.items()):
        if year >= first:
            return f"{era}{'元' if year == first else year - first + 1}年度"
    raise BadYear(str(year))
