"""How often somebody may do what costs the city something: limits as data, counted in memory.

A limit lets a number through at once, and then one for each span of time (GCRA, as in ITU-T I.371):
per counted thing one number is kept, the moment at which its whole allowance is back.
"""

import re
import threading
import tomllib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum

# Strangers can name any number of addresses; about 30 MB.
MOST_COUNTED = 100_000


class Counted(StrEnum):
    """By what a limit counts: where a request comes from, or the personal link it holds."""

    ADDRESS = "address"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, then one in `every` seconds, of requests to `route` with one of `methods`.

    `route` is searched in the pattern of the address (as in URL configurations), not in what was
    typed.
    """

    name: str
    route: re.Pattern[str]
    methods: frozenset[str]
    counted: Counted
    at_once: int
    every: float

    def covers(self, method: str, route: str) -> bool:
        """Whether a request is one of those that are counted."""
        return method in self.methods and bool(self.route.search(route))


def parse(text: str) -> tuple[Limit, ...]:
    """Read limits from TOML. Raises ValueError that names the one that cannot be used."""
    return tuple(_limit(name, given) for name, given in tomllib.loads(text).items())


def _limit(name: str, given: dict[str, object]) -> Limit:
    try:
        at_once, every = given["at_once"], given["every_seconds"]
        if (
            type(at_once) is not int
            or not isinstance(every, int | float)
            or isinstance(every, bool)
        ):
            raise TypeError("at_once is a whole number, every_seconds a number")
        if at_once < 1 or float(str(every)) <= 0:
            raise ValueError("at_once starts at 1, every_seconds above 0")
        methods = given["methods"]
        if not isinstance(methods, list) or not methods:
            raise TypeError("methods is a list")
        return Limit(
            name,
            re.compile(str(given["route"])),
            frozenset(map(str, methods)),
            Counted(str(given["counts"])),
            at_once,
            float(str(every)),
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise ValueError(f"[{name}] {error}") from error


class Counter:
    """Who did how much of what. For one process and its threads; `now` in seconds of any clock."""

    def __init__(self) -> None:
        self._full_at: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def wait(self, asked: Iterable[tuple[Limit, Hashable]], *, now: float) -> float:
        """Count one at each limit and give 0; or count it at none, and give the seconds to wait.

        Who is refused at one limit pays at no other: else somebody who asks on and on would use up
        the day of everybody at their address.
        """
        with self._lock:
            after: dict[Hashable, float] = {}
            longest = 0.0
            for limit, who in asked:
                key = (limit.name, who)
                full_at = max(self._full_at.get(key, now), now)
                longest = max(longest, full_at - now - (limit.at_once - 1) * limit.every)
                after[key] = full_at + limit.every
            # A hair of a second is the arithmetic's, not somebody's.
            if longest > 1e-6:
                return longest
            self._full_at |= after
            if len(self._full_at) > MOST_COUNTED:
                self._forget(now)
            return 0.0

    def _forget(self, now: float) -> None:
        """Who has their whole allowance back need not be known; then half of those, the mildest."""
        left = sorted(
            ((at, key) for key, at in self._full_at.items() if at > now), key=lambda one: one[0]
        )
        self._full_at = {key: at for at, key in left[-(MOST_COUNTED // 2) :]}
