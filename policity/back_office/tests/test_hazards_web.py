"""Hazard maps at the desk: brought, looked at, shown, taken off; and by whom."""

from datetime import date

import pytest
import shapely
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role
from policity.foundations.places.models import City, HazardLayer
from policity.foundations.places.rules.hazards import State
from policity.foundations.places.tests.test_hazards import geojson, packed
from policity.kit import geometry

pytestmark = pytest.mark.usefixtures("city")
KEEPERS = {Role.COMMANDER, Role.DUTY_OFFICER, Role.ADMINISTRATOR}
FIELDS = {"hazard": "flood", "title": "石神井川の浸水", "source": "東京都", "as_of": "2026-04-01"}


@pytest.fixture
def room(client: Client) -> Client:
    client.force_login(create(Role.COMMANDER, "shiki"))
    return client


def half() -> shapely.Polygon:
    boundary = geometry.from_geojson(City.objects.get().boundary)
    west, south, east, north = boundary.bounds
    return shapely.box(west, south, (west + east) / 2, north)


def bring(client: Client, data: bytes, **other: str):
    file = SimpleUploadedFile("areas.geojson", data)
    return client.post("/staff/hazards/", FIELDS | {"areas": file} | other, follow=True)


@pytest.mark.parametrize("write", [geojson, packed])
def test_a_map_is_brought_looked_at_shown_and_taken_off(room: Client, write):
    data = write((half(), 3))
    asked = bring(room, data)
    assert asked.status_code == 400
    assert "どれが深さかを選んで" in asked.content.decode()
    assert '<option value="A31a_105">' in asked.content.decode()
    # What was typed is there still.
    assert 'value="石神井川の浸水"' in asked.content.decode()
    assert not HazardLayer.objects.exists()
    shown = bring(room, data, attribute="A31a_105").content.decode()
    assert "下書きにしました" in shown
    assert "深さ 3〜5メートル" in shown
    assert "全部が入る町" in shown
    row = HazardLayer.objects.get()
    assert (row.state, row.as_of) == (State.DRAFT, date(2026, 4, 1))
    done = room.post(f"/staff/hazards/{row.pk}/publish/", follow=True).content.decode()
    assert "公開しました" in done
    off = room.post(f"/staff/hazards/{row.pk}/withdraw/", follow=True).content.decode()
    assert "また公開する" in off
    again = room.post(f"/staff/hazards/{row.pk}/publish/", follow=True).content.decode()
    assert "公開しました" in again
    twice = room.post(f"/staff/hazards/{row.pk}/publish/", follow=True).content.decode()
    assert "もう公開しています" in twice
    assert "石神井川の浸水" in room.get("/staff/hazards/").content.decode()


def test_a_map_without_depths_is_chosen_as_such(room: Client):
    bring(room, geojson((half(), 3)), attribute="-")
    assert [one["depth"] for one in HazardLayer.objects.get().areas] == [0]


@pytest.mark.parametrize(
    ("data", "other", "said"),
    [
        (b"x", {}, "GeoJSONとして読めません"),
        (geojson((shapely.box(135, 34, 136, 35), 1)), {"attribute": "-"}, "9割より多く"),
        (b"x", {"title": ""}, "地図の名前を入れてください"),
        (b"x", {"as_of": "きのう"}, "日付で入れてください"),
        (geojson((shapely.box(135, 34, 136, 35), 1)), {"attribute": "name"}, "ほかの属性"),
    ],
)
def test_a_fault_is_told_and_nothing_is_kept(room: Client, data, other, said):
    answer = bring(room, data, **other)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not HazardLayer.objects.exists()


def test_what_is_not_there_is_not_found(room: Client):
    for path in ("", "publish/", "withdraw/"):
        assert room.get(f"/staff/hazards/99/{path}").status_code == 404


@pytest.mark.parametrize("role", sorted(Role))
def test_the_crisis_room_and_administrators_keep_them(client: Client, role):
    client.force_login(create(role, "somebody"))
    data = geojson((half(), 3))
    answer = bring(client, data, attribute="-")
    kept = role in KEEPERS
    assert answer.status_code == (200 if kept else 403)
    assert HazardLayer.objects.exists() is kept
    assert client.get("/staff/hazards/").status_code == (200 if kept else 403)
    for path in ("", "publish/", "withdraw/"):
        assert client.post(f"/staff/hazards/99/{path}").status_code in (
            (404, 405) if kept else (403, 405)
        )
