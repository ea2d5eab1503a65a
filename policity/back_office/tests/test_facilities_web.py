"""Facilities at the desk: a list is looked at, then taken; one is written, changed, closed."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role
from policity.foundations.places.models import Facility
from policity.foundations.places.tests.test_facilities import ROWS, table

pytestmark = pytest.mark.usefixtures("city")
FIELDS = {"name": "けやき館", "kind": "library", "address": "泉町三丁目1", "seen": "0"}


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(create(Role.EDITOR, "koho"))
    return client


def look(client: Client, *rows: str):
    file = SimpleUploadedFile("list.csv", table(*rows), "text/csv")
    return client.post("/staff/facilities/list/", {"table": file, "source": "館の一覧"})


def looked_at(answer) -> str:
    found = re.search(r'name="looked_at" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def test_a_list_is_looked_at_and_then_taken(editor: Client):
    shown = look(editor)
    assert "新しい 2、変わる 0、なくなる 0、同じ 0" in shown.content.decode()
    assert not Facility.objects.exists()
    done = editor.post("/staff/facilities/list/", {"looked_at": looked_at(shown)}, follow=True)
    assert "「館の一覧」を取り込みました" in done.content.decode()
    assert Facility.objects.here().filter(source="館の一覧").count() == 2
    again = look(editor, ROWS[0]).content.decode()
    assert "なくなる（1）" in again
    assert "みどり公園" in again


def test_what_was_not_seen_is_not_done(editor: Client):
    shown = looked_at(look(editor))
    editor.post("/staff/facilities/list/", {"looked_at": shown})
    Facility.objects.all().delete()
    editor.post("/staff/facilities/list/", {"looked_at": looked_at(look(editor, ROWS[0]))})
    late = editor.post("/staff/facilities/list/", {"looked_at": shown}, follow=True)
    assert "まだ取り込んでいません" in late.content.decode()
    forged = editor.post("/staff/facilities/list/", {"looked_at": f"{shown[:-3]}abc"})
    assert forged.status_code == 400
    assert Facility.objects.here().count() == 1


def test_faults_are_told_with_their_line(editor: Client):
    answer = look(editor, "1,,,,,,,,,,,,")
    assert answer.status_code == 400
    assert "2行目: 名称が空です" in answer.content.decode()


def test_one_is_written_changed_and_closed(editor: Client):
    week = {"has_hours": "1", "day_0": "9:00-17:00", "special": "2026-12-24 休"}
    answer = editor.post("/staff/facilities/new/", FIELDS | week)
    assert answer.status_code == 302
    row = Facility.objects.here().get()
    assert row.hours["special"] == {"2026-12-24": []}
    page = editor.get(f"/staff/facilities/{row.pk}/").content.decode()
    assert 'value="9:00-17:00"' in page
    assert "2026-12-24 休" in page
    wrong = editor.post(f"/staff/facilities/{row.pk}/", FIELDS | {"seen": "9"})
    assert "先に変えました" in wrong.content.decode()
    bad = editor.post("/staff/facilities/new/", FIELDS | {"has_hours": "1", "day_2": "9"})
    assert "水曜日：「9」は、9:00-17:00 のように" in bad.content.decode()
    for hours in ({"day_2": "9:00-17:00"}, {"special": "2026-12-24 休"}):
        lost = editor.post("/staff/facilities/new/", FIELDS | hours).content.decode()
        assert "「時間がわかっている」にしるしをつけ" in lost
        assert next(iter(hours.values())) in lost
    editor.post(f"/staff/facilities/{row.pk}/close/")
    assert not Facility.objects.here().exists()
    assert editor.get(f"/staff/facilities/{row.pk}/").status_code == 404


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.EDITOR}))
def test_only_editors_keep_facilities(client: Client, role):
    client.force_login(create(role, "somebody"))
    for path in ("", "new/", "list/"):
        assert client.get(f"/staff/facilities/{path}").status_code == 403
        assert client.post(f"/staff/facilities/{path}", FIELDS).status_code in (403, 405)
    assert not Facility.objects.exists()
