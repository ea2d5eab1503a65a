"""Two installations: which slices stand on which side, and where each of them works.

A city runs one installation that the Internet reaches and one inside, which holds the support
register (避難行動要支援者名簿) and which nothing leads into. Pure.
"""

from enum import StrEnum


class Side(StrEnum):
    """Where a slice works; said once, as `SIDE`, in the slice's `__init__`."""

    INTERNET = "internet"
    INTERNAL = "internal"
    BOTH = "both"


class Role(StrEnum):
    """What an installation is. `ALL`: both in one process, for the demo and for tests alone."""

    INTERNET = "internet"
    INTERNAL = "internal"
    ALL = "all"


SIDE_NAMES = {Side.INTERNET: "インターネット側", Side.INTERNAL: "内部側"}


def stands(side: Side, role: Role) -> bool:
    """Whether a slice is installed: its code is found and its tables are there.

    Nothing internal is where the Internet reaches. The other way round tables do no harm: staff's
    pages read them, and inside they stay empty.
    """
    return side is not Side.INTERNAL or role is not Role.INTERNET


def works(side: Side, role: Role) -> bool:
    """Whether a slice does anything: pages, tasks, commands."""
    return side is Side.BOTH or role is Role.ALL or side == role.value


def own_sides(role: Role) -> tuple[Side, ...]:
    """The sides that an installation is; two in the demo."""
    return (Side.INTERNET, Side.INTERNAL) if role is Role.ALL else (Side(role.value),)


def other(side: Side) -> Side:
    """Whoever is on the other end of what crosses."""
    return Side.INTERNAL if side is Side.INTERNET else Side.INTERNET
