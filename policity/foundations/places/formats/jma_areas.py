"""Our own table of JMA's areas (facts/jma_areas.csv)."""

import csv
import io
from dataclasses import dataclass

from policity.foundations.places.rules.areas import Layer


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """A row: an area in its layer, and the code that contains it."""

    layer: Layer
    code: str
    name: str
    kana: str
    en_name: str
    parent: str


def read(data: bytes) -> tuple[AreaFacts, ...]:
    """The rows of the table. It ships with us: a fault in it is ours, any error may come."""
    return tuple(
        AreaFacts(Layer(layer), *rest)
        for layer, *rest in list(csv.reader(io.StringIO(data.decode())))[1:]
    )
