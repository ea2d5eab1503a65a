"""Saying what is stale is cheap, however much it is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from policity.foundations.publishing import queries
from policity.foundations.publishing.models import Page, PageKey
from policity.foundations.publishing.rules import KINDS
from policity.foundations.publishing.services import mark_stale, rebuild, render_due
from policity.foundations.publishing.tests import stories
from policity.foundations.work import queries as work
from policity.foundations.work.models import Item
from policity.kit.declare import Lane, Stage

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)


def line() -> set[tuple[str, str]]:
    return {(item.key, item.lane) for item in Item.objects.all()}


def test_pages_wait_in_their_family_s_lane(site):
    stories.tell(1, "rain", now=NOW)
    rebuild()
    render_due(now=NOW)
    stories.tell(1, "more rain", now=NOW)
    assert line() == {
        ("t.story/stories/1/", "routine"),
        ("t.story/en/stories/1/", "routine"),
        ("t.lists/stories/", "urgent"),
        ("t.lists/en/stories/", "urgent"),
        ("t.lists/stories/feed.atom", "urgent"),
        ("t.home/", "urgent"),
        ("t.home/en/", "urgent"),
    }


def test_a_page_about_to_be_born_is_urgent_by_every_clock(site):
    stories.tell(1, "rain", now=NOW)
    ancient = NOW - timedelta(days=4000)
    assert work.due([KINDS[Stage.LEAF]], now=ancient) == {(KINDS[Stage.LEAF], Lane.URGENT): 2}


def test_a_rebuild_leaves_the_urgent_lane_to_changes(site):
    rebuild()
    render_due(now=NOW)
    assert rebuild() == 6
    assert {lane for _, lane in line()} == {"routine"}
    mark_stale(["stories"], now=NOW)
    assert {lane for key, lane in line() if "home" in key} == {"urgent"}


@pytest.mark.parametrize("count", [1, 100, 9000])
def test_few_queries_for_any_number_of_keys(site, count):
    pages = Page.objects.bulk_create(
        Page(address=f"/stories/{number}/", family="t.story", digest="x", rendered_at=NOW)
        for number in range(count)
    )
    PageKey.objects.bulk_create(PageKey(page=page, key=f"key:{page.address}") for page in pages)
    with CaptureQueriesContext(connection) as captured:
        mark_stale((f"key:{page.address}" for page in pages), now=NOW)
    assert Item.objects.count() == count
    # A savepoint and its release, the count of changes and its first row, pages by key, those
    # that live, and one query a stage and lane; on PostgreSQL the word to who waits.
    assert len(captured) <= 7 + (connection.vendor == "postgresql")


def test_a_change_that_is_undone_marks_nothing(site):
    with transaction.atomic():
        stories.tell(1, "rain", now=NOW)
        transaction.set_rollback(True)
    assert not Item.objects.exists()
    assert queries.changes() == 0
