"""Whose events somebody may keep at a desk. Pure.

Who keeps events at all says `accounts.policies` (KEEP_EVENTS); here, of whose. A grant that names
departments is for theirs; one that names none is for the whole city, and its owner may do all.
"""

from enum import StrEnum


class Deed(StrEnum):
    """What somebody may or may not do with an event, or with a calendar that is read."""

    LOOK = "look"
    KEEP = "keep"
    SEE_PEOPLE = "see_people"


class Whose(StrEnum):
    """Whose it is, seen from who asks: their department's, or another's or the whole city's."""

    OWN = "own"
    OTHERS = "others"


MAY: dict[Deed, frozenset[Whose]] = {
    # What takes place, where, when and how full it is: so that no two plan for the same day.
    Deed.LOOK: frozenset(Whose),
    # Write, publish, change, call off; of a calendar: have it read, bring its file, end it.
    Deed.KEEP: frozenset({Whose.OWN}),
    # Names and telephone numbers of residents, what they thought, who came.
    Deed.SEE_PEOPLE: frozenset({Whose.OWN}),
}


def may(own: frozenset[str] | None, deed: Deed, department: str) -> bool:
    """Whether somebody for these departments (slugs; None: the whole city) may do it.

    `department` is whose it is, empty for the whole city's.
    """
    if own is None:
        return True
    return (Whose.OWN if department in own else Whose.OTHERS) in MAY[deed]
