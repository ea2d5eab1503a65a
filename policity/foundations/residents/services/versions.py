"""Every change of this room gets the next number, inside its own transaction."""

from collections.abc import Iterable

from django.db.models import F

from policity.foundations.residents.models import Departure, Version

# Who writes here is alone (`work.services.alone`): rules look at all that a person has.
TOPIC = "residents"


def next_version() -> int:
    """Count one change. Until the transaction ends nobody else changes anything."""
    if not Version.objects.update(number=F("number") + 1):
        Version.objects.create(number=1)
    return Version.objects.values_list("number", flat=True).get()


def jump(version: int) -> None:
    """Count so many changes at once that everything up to this version is made."""
    Version.objects.update(number=version)


def depart(residents: Iterable[int], *, version: int) -> None:
    """Note that these residents are gone."""
    Departure.objects.bulk_create(
        Departure(resident=resident, version=version) for resident in residents
    )
