"""What residents send: under which terms, in which sizes it is shown, and why it is not."""

from enum import StrEnum

TERMS = "2026-11"
"""The version of what a sender agrees to (`presenters.photographs.TERMS`): another text, another
version. It is kept with what they sent.
"""

# At once: what a telephone takes in a day, and what a reader of the form can still look through.
MOST = 5
# Bytes: one file, and all of one form.
LARGEST = 40 * 2**20
LARGEST_TOGETHER = 80 * 2**20
LONGEST_WORDS = 200
LONGEST_NAME = 60
LONGEST_REPORT = 1000
# Waiting for staff. More is a flood, or nobody looks: then it is honest to take no more.
MOST_WAITING = 300

WIDTHS = (480, 960, 1440)
"""Pixels across, of what pages show."""


class Licence(StrEnum):
    """Who may use a photograph, as its sender chose."""

    CC_BY = "cc-by-4.0"
    SITE = "site"


class Reason(StrEnum):
    """Why a photograph is not published; each is told in every language."""

    PEOPLE = "people"
    ELSEWHERE = "elsewhere"
    UNCLEAR = "unclear"
    ANOTHERS = "anothers"
    HARM = "harm"
    OTHER = "other"


def sizes(width: int, height: int) -> tuple[tuple[int, int], ...]:
    """Width and height of each size that is shown: never larger than what there is."""
    across = sorted({min(one, width) for one in WIDTHS})
    return tuple((one, max(1, round(height * one / width))) for one in across)


FOLDER = "photographs"
"""Where photographs lie in the media folder, which no front enters."""


def name(file: str) -> str:
    """What a photograph is called in the media folder."""
    return f"{FOLDER}/{file}.jpg"


def size_name(file: str, width: int, ending: str) -> str:
    """What it is called in one size and format."""
    return f"{FOLDER}/{file}-{width}.{ending}"
