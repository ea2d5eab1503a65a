"""In which order what was kept while the database was away comes in. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"([01])-(\d{14})-([0-9a-f]{16})-([0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True)
class Kept:
    """One form. `at` is when it was sent, in milliseconds since 1970; `whose` tells senders apart.

    As text it is its file's name: what is first is known without opening fifty thousand files.
    """

    call: bool
    at: int
    whose: str
    once: str

    def __str__(self) -> str:
        return f"{0 if self.call else 1}-{self.at:014d}-{self.whose}-{self.once}.json"


def parse(name: str) -> Kept | None:
    """What a file's name says; None: it is no form's."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    return Kept(found[1] == "0", int(found[2]), found[3], found[4])


def order(kept: Iterable[Kept]) -> list[Kept]:
    """Calls for help first, the rest in the order in which it was sent.

    What somebody sent before their own call comes before it: else "I am safe" of an hour ago would
    close the call that followed it.
    """
    kept = list(kept)
    called: dict[str, int] = {}
    for one in kept:
        if one.call:
            called[one.whose] = max(one.at, called.get(one.whose, 0))
    return sorted(kept, key=lambda one: (one.at > called.get(one.whose, -1), one.at, one.once))
