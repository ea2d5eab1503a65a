"""Who has a place and who waits. Pure.

A line is everybody who signed up and did not cancel, by the number they got when they proved that
it was them. Whoever stands so far ahead that all up to them fit has a place; all others wait, in
their order. So nobody is overtaken, not even by who would need fewer seats, and what happens when
somebody cancels or the capacity changes needs no rule of its own: the same question is asked again.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in the line: their number in it, and for how many persons they signed up."""

    number: int
    seats: int


def seated(line: Iterable[Entry], capacity: int | None) -> frozenset[int]:
    """The numbers that have a place. Without a capacity that is everybody."""
    taken, found = 0, set()
    for entry in sorted(line, key=lambda one: one.number):
        taken += entry.seats
        if capacity is not None and taken > capacity:
            break
        found.add(entry.number)
    return frozenset(found)


def room(line: Iterable[Entry], capacity: int | None) -> int | None:
    """How many seats somebody new would get at once. None: there is no limit.

    None at all as long as anybody waits: they come first, even where seats are free.
    """
    entries = list(line)
    if capacity is None:
        return None
    if len(seated(entries, capacity)) < len(entries):
        return 0
    return capacity - sum(entry.seats for entry in entries)


def ahead(line: Iterable[Entry], capacity: int | None, number: int) -> int:
    """How many wait before this number: the first who waits has none."""
    entries = list(line)
    has = seated(entries, capacity)
    return sum(entry.number < number and entry.number not in has for entry in entries)
