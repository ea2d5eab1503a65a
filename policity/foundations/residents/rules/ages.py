"""How old residents are, as far as they say: a year of birth, told as a band of ages. Pure.

Bands are those in which evacuation is planned: 65 and 75 are where 高齢者 and 後期高齢者 begin
(高齢者の医療の確保に関する法律, 32 and 50).
"""

from enum import IntEnum

from policity.foundations.residents.rules.choices import BadChoice
from policity.kit.eras import BadYear, western

OLDEST = 120
"""Years. Nobody has been so old in Japan: an earlier year of birth is a slip of the pen."""


class Band(IntEnum):
    """The least age of each band, in years; nobody's age is known in `UNKNOWN`."""

    UNKNOWN = -1
    CHILD = 0
    YOUNG = 18
    MIDDLE = 40
    SENIOR = 65
    OLD = 75


def band(born: int | None, year: int) -> Band:
    """The band of whoever turns `year - born` years old in this year."""
    if born is None:
        return Band.UNKNOWN
    return max(one for one in Band if one is not Band.UNKNOWN and one <= max(year - born, 0))


def parse_born(text: str, year: int) -> int:
    """A year of birth as somebody writes it, Western or 和暦. Raises BadChoice."""
    try:
        born = western(text)
    except BadYear:
        raise BadChoice(f"生まれた年「{text}」は 1950 か 昭和25 のように書いてください") from None
    if not year - OLDEST <= born <= year:
        raise BadChoice(f"生まれた年「{text}」は {year - OLDEST} から {year} の間ではありません")
    return born
