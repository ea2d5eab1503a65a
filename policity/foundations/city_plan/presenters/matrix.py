"""Which of a plan's measures serve what, counted once: page, report and PDF all tell these."""

from collections import Counter
from dataclasses import dataclass

from policity.foundations.city_plan.models import Facet
from policity.foundations.city_plan.queries.showing import FacetView, PlanView

KINDS = (Facet.Kind.VIEWPOINT, Facet.Kind.CHALLENGE)


@dataclass(frozen=True, slots=True)
class Row:
    """A field, and how many of its measures serve each of the columns."""

    field: FacetView
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A plan's fields against its facets of a kind, `names`."""

    kind: Facet.Kind
    names: tuple[str, ...]
    rows: tuple[Row, ...]


def matrices(view: PlanView) -> tuple[Matrix, ...]:
    """Fields against viewpoints, and against challenges. Those that the plan has none of are not.

    All the plan's measures count, whatever their years: what nobody serves is a gap of the plan.
    """
    if not view.measures:
        return ()
    served = Counter(
        (card.field, kind, name) for card in view.measures.values() for kind, name in card.serves
    )
    found = []
    for kind in KINDS:
        names = tuple(one.name for one in view.facets if one.kind == kind)
        rows = tuple(
            Row(field, tuple(served[field.number, kind, name] for name in names))
            for field in view.fields()
        )
        if names and rows:
            found.append(Matrix(kind, names, rows))
    return tuple(found)
