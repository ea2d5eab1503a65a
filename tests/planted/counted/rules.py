from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TownCount:
    town: str
    people: int


@dataclass(frozen=True, slots=True)
class Counts:
    towns: tuple[TownCount, ...]
