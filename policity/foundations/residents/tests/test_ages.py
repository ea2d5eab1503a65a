"""Bands of ages: the same in the rule and in the database, for every year of birth."""

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.residents import queries
from policity.foundations.residents.models import Resident
from policity.foundations.residents.rules.ages import OLDEST, Band, band, parse_born
from policity.foundations.residents.rules.choices import BadChoice

YEAR = 2026


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, Band.CHILD), (17, Band.CHILD), (18, Band.YOUNG), (39, Band.YOUNG), (40, Band.MIDDLE),
        (64, Band.MIDDLE), (65, Band.SENIOR), (74, Band.SENIOR), (75, Band.OLD), (OLDEST, Band.OLD),
    ],
)  # fmt: skip
def test_where_a_band_begins(age, expected):
    assert band(YEAR - age, YEAR) is expected


def test_who_says_nothing_is_in_no_band():
    assert band(None, YEAR) is Band.UNKNOWN


@given(st.integers(1900, YEAR), st.integers(1900, YEAR))
def test_who_is_older_is_in_no_younger_band(one, other):
    if one <= other:
        assert band(one, YEAR) >= band(other, YEAR)


@pytest.mark.django_db
def test_the_database_says_the_same():
    years = [None, *range(YEAR - OLDEST, YEAR + 2)]
    for born in years:
        Resident.objects.create(born=born, language="ja", registered_at=timezone.now(), version=1)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "person", "band" FROM ({queries.homes(YEAR)}) AS homes')  # noqa: S608
        found = dict(cursor.fetchall())
    for resident in Resident.objects.all():
        assert found[resident.pk] == band(resident.born, YEAR), resident.born


@pytest.mark.parametrize("text", ["1950", "昭和25", "S25"])
def test_a_year_of_birth(text):
    assert parse_born(text, YEAR) == 1950


@pytest.mark.parametrize("text", [str(YEAR + 1), str(YEAR - OLDEST - 1), "25", "昔"])
def test_no_year_of_birth(text):
    with pytest.raises(BadChoice, match=text):
        parse_born(text, YEAR)
