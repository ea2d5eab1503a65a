"""Years as Japan counts them (和暦) and as the West does. Pure."""

import re
import unicodedata

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
