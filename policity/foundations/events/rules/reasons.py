"""Why something does not take place. Pure."""

from enum import StrEnum

LONGEST = 200
"""Signs of staff's own words."""


class Reason(StrEnum):
    """What pages say in every language; more stands in staff's own words, if at all."""

    WEATHER = "weather"
    DISASTER = "disaster"
    HOST = "host"
    VENUE = "venue"
    FEW = "few"
    OTHER = "other"


def problem(reason: Reason, words: str) -> str:
    """Why that is no reason, in one Japanese sentence for staff; empty when it is one."""
    if reason is Reason.OTHER and not words.strip():
        return "「そのほか」のときは、わけを言葉で書いてください。"
    return f"わけは、{LONGEST}文字までにしてください。" if len(words) > LONGEST else ""
