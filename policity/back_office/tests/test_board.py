"""What the board says of real telegrams."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.presenters.board import board
from policity.fields.alerts.formats import read
from policity.fields.alerts.models import Feed, Transition
from policity.fields.alerts.services import ingest
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.services import create_staff
from policity.foundations.publishing.models import Showing

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def take(shared_data):
    """An official sample arrives at its own time, as the real thing or as a drill."""

    def take(status="通常"):
        sample = shared_data / "jma/official-samples/15_12_02_161130_VPWW53.xml"
        data = sample.read_bytes().replace("<Status>通常".encode(), f"<Status>{status}".encode())
        at = read(data).reported_at
        ingest(data, source="test", now=at)
        return at

    return take


def panes(client: Client) -> dict[str, str]:
    """The board as staff read it: the text of each part by its heading's id."""
    if "_auth_user_id" not in client.session:
        today = timezone.localdate()
        user = create_staff(
            username="sample",
            password="correct-horse-battery",
            display_name="見本",
            roles=[Role.EDITOR],
            starts=today,
        )
        client.force_login(user)
    page = html.document_fromstring(client.get("/staff/").content)
    parts = page.xpath("//section[@aria-labelledby]")
    return {str(part.get("aria-labelledby")): part.text_content() for part in parts}


def test_what_is_real_and_what_is_a_drill_stay_apart(client, take):
    take("訓練")
    shown = panes(client)
    assert "【訓練】大雨警報" in shown["b3"]
    assert "【試験】" not in shown["b3"]
    take("試験")
    shown = panes(client)
    assert "【試験】大雨警報" in shown["b3"]
    assert "大雨警報" not in shown["b1"]
    take()
    shown = panes(client)
    assert "大雨警報" in shown["b1"]
    assert shown["b3"].count("大雨警報") == 2
    assert "大雨警報" in shown["b4"]


@pytest.mark.parametrize(
    ("took", "said"),
    [
        (None, "書き出し中"),
        (timedelta(seconds=0.4), "0.4秒"),
        (timedelta(hours=1), "3600.0秒"),
        (timedelta(hours=1, seconds=1), "測れません"),
        (timedelta(seconds=-1), "測れません"),
    ],
)
def test_how_long_it_took_from_arrival_to_the_last_page(client, take, took, said):
    at = take()
    # The telegram was on its way for two seconds; that is not ours to measure.
    Transition.objects.update(at=at - timedelta(seconds=2))
    if took is not None:
        Showing.objects.update(shown_at=at + took)
    shown = panes(client)
    assert said in shown["b5"]
    assert shown["b4"].count(said) == 2


def test_the_newest_message_comes_first(take):
    take()
    newest = Transition.objects.filter(message__isnull=False).last()
    assert board(now=timezone.now()).told[0].event_id == newest.event_id


def test_what_cannot_be_read_is_trouble_for_a_day(take):
    at = take()
    assert board(now=at).troubles == ()
    ingest(b"<Report", source="test", now=at)
    (trouble,) = board(now=at + timedelta(hours=23)).troubles
    assert "1件" in trouble.what
    assert board(now=at + timedelta(hours=25)).troubles == ()


def test_a_silent_source_is_trouble(client):
    address = "https://example.org/feed.xml"
    long_ago = timezone.now() - timedelta(days=9)
    Feed.objects.create(kind=Feed.Kind.ATOM, url=address, added_at=long_ago)
    assert address in panes(client)["b0"]
    Feed.objects.update(answered_at=timezone.now())
    assert "b0" not in panes(client)
