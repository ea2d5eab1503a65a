"""Orders that staff issue, on the pages as they are written: at once, and as cheap for many."""

from datetime import timedelta
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from policity.fields.alerts.models import Order
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import orders
from policity.fields.alerts.services.orders import Draft
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.services import create_staff
from policity.foundations.delivery.tests.conftest import NOW
from policity.foundations.places.models import Town
from policity.foundations.publishing.services import rebuild, render_due, verify
from policity.kit.languages import LANGUAGES
from policity.public_site.tests.test_orders import block, standing
from policity.public_site.tests.test_pages import FAMILIES, WIRE_LIMIT, document, published

MINUTE = timedelta(minutes=1)


@pytest.fixture
def staff(city):
    """Who composes and who approves."""
    return [
        create_staff(
            username=f"sample-{role}",
            password="correct-horse-battery",
            display_name=f"見本 {role}",
            roles=[role],
            starts=NOW.date().replace(day=1),
        )
        for role in (Role.DUTY_OFFICER, Role.COMMANDER)
    ]


@pytest.fixture
def towns(city):
    return [town.pk for town in Town.objects.here()]


@pytest.fixture
def decide(staff):
    """An order that is composed, approved and issued."""

    def decide(towns, level=Level.EVACUATE, *, minutes=0):
        now = NOW + minutes * MINUTE
        by, approver = staff
        draft = Draft(level, tuple(towns), "flood", {}, {})
        made = orders.compose(draft=draft, by=by, now=now)
        orders.submit(order=made.pk, seen=made.version, by=by, now=now)
        return orders.issue(order=made.pk, seen=made.version, by=approver, now=now)

    return decide


def home():
    """The front page as it lies in the folder."""
    return document((Path(settings.PUBLISHED) / "index.html").read_bytes())


def test_what_is_issued_raised_taken_back_and_lifted_is_on_home_with_the_next_rendering(
    decide, towns, staff, tmp_path, settings
):
    settings.PUBLISHED = tmp_path
    rebuild()
    render_due(now=NOW)
    assert block(home()) is None
    decide(towns[:3], Level.ELDERLY)
    render_due(now=NOW)
    assert list(standing(home())) == [3]
    raised = decide(towns[:3], Level.SECURE, minutes=1)
    render_due(now=NOW + MINUTE)
    assert list(standing(home())) == [5]
    orders.withdraw(order=raised.pk, why="見本", by=staff[1], now=NOW + 2 * MINUTE)
    render_due(now=NOW + 2 * MINUTE)
    assert list(standing(home())) == [3]
    assert "緊急安全確保" not in block(home()).text_content()
    decide(towns[:3], None, minutes=3)
    render_due(now=NOW + 3 * MINUTE)
    assert block(home()) is None
    # Nothing was forgotten, and no page holds a clock.
    assert verify(now=NOW + timedelta(days=3)).differences == ()


def queries(family) -> int:
    """How many queries a family of pages takes, all its addresses at once."""
    addresses = list(family.addresses())
    with CaptureQueriesContext(connection) as caught:
        list(family.render(addresses))
    return len(caught)


def test_many_towns_and_many_orders_take_no_more_queries(decide, towns):
    decide(towns[:1])
    published()  # what is kept in memory is kept from now on
    few = {family.name: queries(family) for family in FAMILIES}
    decide(towns[:50], Level.SECURE, minutes=1)
    assert {family.name: queries(family) for family in FAMILIES} == few
    for n in range(20):
        decide(towns[50 + n : 51 + n], Level.ELDERLY, minutes=2 + n)
    assert Order.objects.count() == 22
    assert {family.name: queries(family) for family in FAMILIES} == few
    assert few["evacuation"] <= 12


def test_a_home_with_every_other_town_on_its_map_fits_the_wire(decide, towns):
    """As ragged as it gets: 57 towns at level 4 between 57 at level 3."""
    decide(towns[::2])
    decide(towns[1::2], Level.ELDERLY, minutes=1)
    tree = published()
    for language in LANGUAGES:
        body = tree[language.prefix].body
        assert len(brotli.compress(body, quality=5)) <= WIRE_LIMIT
    # Most of it is not the drawing.
    drawing = document(tree["/"].body).xpath("//svg[@role='img']")[0]
    assert sum(len(path.get("d", "")) for path in drawing.iter("path")) < 30_000
