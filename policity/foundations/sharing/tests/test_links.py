"""A link is made to what is published, followed, counted without tracking anyone, and ended."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.publishing.models import Page
from policity.foundations.sharing import queries, services
from policity.foundations.sharing.models import DayCount, ShortLink
from policity.foundations.sharing.services import LinkRefused

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"


@pytest.fixture
def link(settings) -> ShortLink:
    settings.PUBLIC_URL = "https://www.example.lg.jp"
    now = timezone.now()
    Page.objects.create(address="/en/events/", family="x", digest="0" * 64, rendered_at=now)
    Page.objects.create(address="/gone/", family="x", digest="", rendered_at=now)
    by = User.objects.create(username="mihon", display_name="見本")
    return services.make(address="/en/events/", label="市報", by=by, now=now)


def test_it_leads_to_its_page_and_is_counted(client: Client, link: ShortLink):
    for code in (link.code, link.code.upper()):
        answer = client.get(f"/s/{code}/", headers={"user-agent": PHONE})
        assert (answer.status_code, answer["Location"]) == (302, "/en/events/")
        assert answer["Cache-Control"] == "no-store"
        assert not answer.cookies
    client.head(f"/s/{link.code}/", headers={"user-agent": PHONE})
    assert (
        client.get(f"/s/{link.code}/", headers={"user-agent": "x Googlebot/2.1"}).status_code == 302
    )
    assert client.post(f"/s/{link.code}/").status_code == 405
    [row] = DayCount.objects.all()
    assert (row.day, row.count) == (timezone.localdate(), 2)


def test_what_is_kept_of_an_opening_is_one_number(link: ShortLink):
    assert {field.name for field in DayCount._meta.get_fields()} == {"id", "link", "day", "count"}


def test_who_cannot_be_counted_goes_on(client: Client, link: ShortLink, monkeypatch):
    def fails(**_):
        raise DatabaseError

    monkeypatch.setattr(services, "count", fails)
    assert client.get(f"/s/{link.code}/")["Location"] == "/en/events/"


def test_sums_are_of_seven_and_of_twenty_eight_days(link: ShortLink):
    today = timezone.localdate()
    for back in (0, 6, 7, 27, 28):
        DayCount.objects.create(link=link, day=today - timedelta(days=back), count=1)
    [found] = queries.links(today=today)
    assert (found.week, found.month, found.all) == (2, 4, 5)
    assert found.words == f"www.example.lg.jp/s/{link.code}"
    days = queries.days(link.pk, today=today)
    assert len(days) == 28
    assert sum(count for _, count in days) == 4


def test_what_is_ended_leads_nowhere_until_it_is_undone(client: Client, link: ShortLink):
    now = timezone.now()
    services.end(number=link.pk, by=link.made_by, now=now)
    assert client.get(f"/s/{link.code}/").status_code == 404
    with pytest.raises(LinkRefused):
        services.end(number=link.pk, by=link.made_by, now=now)
    services.resume(number=link.pk, by=link.made_by, now=now)
    assert client.get(f"/s/{link.code}/").status_code == 302
    with pytest.raises(LinkRefused):
        services.resume(number=link.pk, by=link.made_by, now=now)


@pytest.mark.parametrize("code", ["", "x", "bcdfgh0", "zzzzz", "あ", "b" * 300, "%00"])
def test_a_code_that_is_none_is_not_found(client: Client, link: ShortLink, code: str):
    assert client.get(f"/s/{code}/").status_code == 404


@pytest.mark.parametrize(
    "address",
    ["/gone/", "/none/", "https://evil.example/en/events/", "//evil.example/", "あ", "/\0/"],
)
def test_only_to_what_is_published(link: ShortLink, address: str):
    with pytest.raises(LinkRefused):
        services.make(address=address, label="市報", by=link.made_by, now=timezone.now())
