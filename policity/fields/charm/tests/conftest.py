"""A spot, a course, and who writes them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policity.fields.charm import services
from policity.fields.charm.rules.seasons import Verb
from policity.foundations.accounts.models import User

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
TEXTS = {"ja": {"title": "いこいの森", "summary": "原っぱ", "body": "広い。", "access": "緑町"}}
LAT, LON = 35.740544, 139.539772


@pytest.fixture
def staff(db) -> User:
    return User.objects.create(username="koho", display_name="見本 広報")


def spot(**other: Any) -> services.SpotDraft:
    fields: dict[str, Any] = {"texts": TEXTS, "verb": Verb.WALK, "lat": LAT, "lon": LON}
    return services.SpotDraft(**(fields | other))


@pytest.fixture
def shown(staff, city):
    """Two spots and a course past them, published; the course's number is the last."""
    numbers = []
    for title, months, lat in (("いこいの森", (), LAT), ("イチョウ", (11, 12), LAT + 0.007)):
        texts = {"ja": TEXTS["ja"] | {"title": title}, "en": {"title": f"EN {title}"}}
        row = services.draft_spot(spot=spot(texts=texts, months=months, lat=lat), by=staff, now=NOW)
        services.publish_spot(number=row.pk, by=staff, now=NOW)
        numbers.append(row.pk)
    first, second = numbers
    stops = f"見どころ {first}\nトイレ {LAT + 0.003} {LON} 入口\n見どころ {second}"
    draft = services.CourseDraft(texts={"ja": {"title": "森の道", "summary": "歩く"}}, stops=stops)
    course = services.draft_course(course=draft, by=staff, now=NOW)
    services.publish_course(number=course.pk, by=staff, now=NOW)
    return first, second, course.pk
