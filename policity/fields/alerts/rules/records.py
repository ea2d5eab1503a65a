"""What may be written down for the record. Pure; the faults are Japanese sentences."""

from datetime import datetime, timedelta

LONGEST_NOTE = 500
LONGEST_HAND_OVER = 4000
LONGEST_WHY = 300
# Clocks of two machines differ by less.
AHEAD = timedelta(minutes=2)


def note_fault(text: str, *, at: datetime, now: datetime) -> str:
    """Why this is no note, and what to do; empty when it is one."""
    if not text.strip():
        return "何があったかを書いてください。"
    if len(text) > LONGEST_NOTE:
        return (
            f"記録は{LONGEST_NOTE}字までです（{len(text)}字あります）。二つに分けて書いてください。"
        )
    if at > now + AHEAD:
        return "これからの時刻になっています。起きた時刻を入れてください。"
    return ""


def hand_over_fault(text: str) -> str:
    """Why this is no hand-over; empty when it is one."""
    if not text.strip():
        return "次の人が知っておくことを書いてください。なければ「特になし」と書いてください。"
    if len(text) > LONGEST_HAND_OVER:
        return f"引き継ぎは{LONGEST_HAND_OVER}字までです（{len(text)}字あります）。"
    return ""


def why_fault(why: str) -> str:
    """Why the state of emergency cannot be declared like this; empty when it can."""
    if not why.strip():
        return "切り替える理由を書いてください。クロノロジーに残ります。"
    if len(why) > LONGEST_WHY:
        return f"理由は{LONGEST_WHY}字までです（{len(why)}字あります）。"
    return ""
