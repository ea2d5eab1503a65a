"""A crisis room for tests: staff, residents of several towns, and gateways that a test plays."""

from collections.abc import Callable

import pytest

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.services import create_staff
from policity.foundations.delivery.tests.conftest import NOW, Office
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Address, Place, Resident
from policity.foundations.residents.services.versions import next_version


@pytest.fixture
def office(tmp_path) -> Office:
    return Office(tmp_path / "hand")


@pytest.fixture
def staff(city) -> Callable[..., User]:
    """Somebody with a role, the same person for the same name: `staff(Role.DUTY_OFFICER)`."""
    found: dict[str, User] = {}

    def staff(role: Role, name: str = "") -> User:
        name = name or f"sample-{role}"
        if name not in found:
            found[name] = create_staff(
                username=name,
                password="correct-horse-battery",
                display_name=f"見本 {name}",
                roles=[role],
                starts=NOW.date().replace(day=1),
            )
        return found[name]

    return staff


@pytest.fixture
def towns(city) -> list[int]:
    """The towns' numbers, in the order of the city's table."""
    return [town.pk for town in Town.objects.here()]


@pytest.fixture
def resident(city) -> Callable[..., int]:
    """Somebody in a town with a mail address: `resident(towns[0], wants="evacuation:3")`."""

    def resident(town: int, *, wants: str = "", language: str = "ja") -> int:
        person = Resident.objects.create(
            language=language, wants=wants, registered_at=NOW, version=next_version()
        )
        Place.objects.create(resident=person, town_id=town)
        Address.objects.create(
            resident=person,
            channel="mail",
            value=f"p{person.pk}@example.jp",
            added_at=NOW,
            confirmed_at=NOW,
        )
        return person.pk

    return resident
