"""What the plan counts of pages: those that stand in Japanese, and their Easy Japanese ones."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from policity.foundations.publishing.declarations import METRICS
from policity.foundations.publishing.models import Page

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.mark.django_db
def test_a_page_counts_where_its_easy_one_stands():
    for address, digest in (
        ("/", "a"), ("/easy/", "a"), ("/news/", "a"), ("/easy/news/", ""), ("/en/news/", "a"),
        ("/old/", ""), ("/easy/old/", "a"), ("/alerts/feed.atom", "a"), ("/hazards/", "a"),
        ("/shelters/", "a"), ("/easy/shelters/", "a"),
    ):  # fmt: skip
        Page.objects.create(address=address, family="x", digest=digest, rendered_at=NOW)
    found = METRICS[0].read(NOW, NOW)
    assert (found.number, found.rows, found.left_out) == (
        Decimal(50),
        4,
        {"ページではないファイル": 1},
    )


@pytest.mark.django_db
def test_without_pages_there_is_nothing_to_say():
    assert METRICS[0].read(NOW, NOW).number is None
