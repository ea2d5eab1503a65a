"""Who finds a weakness finds whom to tell (RFC 9116), as long as the site is kept."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.public_site import declarations, presenters

FAMILY = next(family for family in declarations.PAGES if family.name == "security")


@pytest.fixture
def contact(settings):
    settings.SECURITY_CONTACT = "mailto:security@city.example"
    settings.PUBLIC_URL = "https://city.example"


@pytest.mark.usefixtures("city", "contact")
def test_it_says_whom_to_tell_until_when_and_where_it_stands():
    assert list(FAMILY.addresses()) == ["/security.txt"]
    [(_, page)] = FAMILY.render(["/security.txt"])
    lines = page.body.decode().splitlines()
    fields = {name: said for name, _, said in (line.partition(": ") for line in lines)}
    assert fields["Contact"] == "mailto:security@city.example"
    assert fields["Canonical"] == "https://city.example/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"])
    now = datetime.now(UTC)
    assert timedelta(days=140) < expires - now < timedelta(days=365)
    assert now < page.valid_until < now + timedelta(days=32)


@pytest.mark.usefixtures("city")
def test_a_city_that_names_nobody_has_no_such_page(settings):
    settings.SECURITY_CONTACT = ""
    assert list(FAMILY.addresses()) == []
    assert list(FAMILY.render(["/security.txt"])) == [("/security.txt", None)]


@given(st.dates(date(2026, 1, 1), date(2060, 12, 31)))
def test_it_is_renewed_long_before_it_ends_and_the_same_until_then(today):
    text, renewed = presenters.security_txt(today)
    assert today < renewed <= today + timedelta(days=31)
    assert presenters.security_txt(renewed - timedelta(days=1))[0] == text
    assert presenters.security_txt(renewed)[0] != text
