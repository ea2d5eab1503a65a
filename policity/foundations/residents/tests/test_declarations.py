"""What the plan counts of residents: once each, and only those who can be told."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from policity.foundations.places.models import Town
from policity.foundations.residents.declarations import METRICS
from policity.foundations.residents.models import Address, Label, Place, Resident
from policity.foundations.residents.services.versions import next_version

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("city")


def someone(*homes, language="ja", born=None, usable=True, label=Label.HOME):
    person = Resident.objects.create(
        language=language, born=born, registered_at=NOW, version=next_version()
    )
    for town in homes:
        Place.objects.create(resident=person, town=town, label=label)
    for channel in ("mail", "push"):
        Address.objects.create(
            resident=person, channel=channel, value=f"{channel}{person.pk}", added_at=NOW,
            confirmed_at=NOW if usable else None,
        )  # fmt: skip


def read():
    return METRICS[0].read(NOW, NOW)


def test_without_inhabitants_there_is_no_share_and_it_says_why():
    Town.objects.here().update(people=None, households=None, counted_on=None)
    someone(Town.objects.here()[0])
    found = read()
    assert (found.number, found.rows) == (None, 1)
    assert found.reason == "町の人口が、まだ登録されていません。"


def test_everybody_counts_once_however_many_homes_and_addresses():
    towns = list(Town.objects.here())
    Town.objects.here().update(people=10, households=5, counted_on=NOW.date())
    first, second = towns[:2]
    someone(first, born=1950)
    someone(first, second, language="en", born=2015)
    someone(first, label=Label.WORK)
    someone(second, usable=False)
    someone()
    found = read()
    assert (found.number, found.rows) == (Decimal(200) / (10 * len(towns)), 2)
    assert found.left_out == {"自宅の町を登録していない人": 1, "使える連絡先のない人": 1}
    assert {name: part.rows for name, part in found.splits["town"].items() if part.rows} == {
        first.name: 2, second.name: 1,
    }  # fmt: skip
    assert found.splits["town"][first.name].number == 20
    assert {name: part.rows for name, part in found.splits["language"].items()} == {
        "日本語": 1, "English": 1,
    }  # fmt: skip
    assert {name: part.rows for name, part in found.splits["age"].items()} == {
        "75歳以上": 1, "17歳まで": 1,
    }  # fmt: skip
