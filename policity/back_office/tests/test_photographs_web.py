"""Photographs of residents at the desk: who may look and decide, and that nobody else sees them."""

import pytest
import time_machine
from django.test import Client

from policity.back_office.tests.test_orders_web import create
from policity.fields.charm import queries, services
from policity.fields.charm.models import Photograph
from policity.fields.charm.tests.conftest import NOW, shown, staff
from policity.fields.charm.tests.test_photographs import CAMERA, media
from policity.fields.charm.tests.test_web import photo, post
from policity.foundations.accounts.models import AuditEntry, Role

__all__ = ["media", "shown", "staff"]

pytestmark = pytest.mark.usefixtures("city", "media")


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOW, tick=False):
        yield


def signed_in(role: Role) -> Client:
    client = Client()
    client.force_login(create(role, f"someone-{role}"))
    return client


@pytest.mark.parametrize("role", Role)
def test_who_may_look_and_decide(client, role):
    post(client)
    number = Photograph.objects.get().pk
    at = f"/staff/charm/photographs/{number}/"
    someone, allowed = signed_in(role), role is Role.EDITOR
    for path in ("/staff/charm/photographs/", at, f"{at}picture.jpg"):
        assert client.get(path).status_code == 302
        assert someone.get(path).status_code == (200 if allowed else 403), path
    for verb in ("decline", "back", "settle"):
        assert someone.post(f"{at}{verb}/").status_code in ((302, 400) if allowed else (403,))
    someone.post(at, {"alt_ja": "朝", "publish": "1"})
    assert Photograph.objects.get().stage == ("published" if allowed else "waiting")


def test_a_photograph_that_is_not_published_is_staffs_alone_and_no_page(client, media):
    post(client)
    row = Photograph.objects.get()
    answer = signed_in(Role.EDITOR).get(f"/staff/charm/photographs/{row.pk}/picture.jpg")
    body = answer.getvalue()
    assert body[:3] == b"\xff\xd8\xff"
    assert CAMERA not in body
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "no-store" in answer["Cache-Control"]
    publisher = signed_in(Role.PUBLISHER)
    for path in (f"/media/photographs/{row.file}.jpg",
                 f"/staff/content/media/photographs/{row.file}.jpg"):  # fmt: skip
        assert publisher.get(path).status_code == 404


def test_staff_mend_publish_decline_and_undo(client, shown):
    post(client, photo(), photo("2.jpg"))
    first, second = Photograph.objects.order_by("pk").values_list("pk", flat=True)
    editor = signed_in(Role.EDITOR)
    at = f"/staff/charm/photographs/{first}/"
    refused = editor.post(at, {"alt_ja": "", "publish": "1"})
    assert refused.status_code == 400
    assert "日本語で書いて" in refused.content.decode()
    assert editor.post(at, {"alt_ja": "朝", "spot": "99"}).status_code == 400
    said = {"alt_ja": "朝の原っぱ", "alt_en": "A lawn", "spot": str(shown[0]), "publish": "1"}
    assert editor.post(at, said).status_code == 302
    (view,) = queries.photographs()
    assert (view.spot, view.texts["en"]["alt"]) == (shown[0], "A lawn")
    other = f"/staff/charm/photographs/{second}/"
    assert editor.post(f"{other}decline/", {"note": "x"}).status_code == 400
    assert editor.post(f"{other}decline/", {"reason": "people", "note": ""}).status_code == 302
    own = queries.own_page(view.contribution)
    assert "だれか分かるため" in client.get(f"/{own}").content.decode()
    assert "分かるため" in client.get(f"/{own}").content.decode()
    for number in (first, second):
        editor.post(f"/staff/charm/photographs/{number}/back/")
    assert set(Photograph.objects.values_list("stage", flat=True)) == {"waiting"}
    acts = AuditEntry.objects.filter(act__startswith="photograph.").values_list("act", flat=True)
    assert {act.partition(".")[2] for act in acts} == {
        "changed", "published", "declined", "returned",
    }  # fmt: skip
    services.withdraw(contribution=view.contribution, photograph=first, now=NOW)
    assert editor.get(at).status_code == 404


def test_what_somebody_said_of_a_photograph_is_seen_and_settled(client, staff):
    post(client)
    number = Photograph.objects.get().pk
    services.publish(photograph=number, by=staff, now=NOW)
    client.post(f"/charm/photographs/report/{number}/", {"text": "<b>私です</b>"})
    editor = signed_in(Role.EDITOR)
    page = editor.get(f"/staff/charm/photographs/{number}/").content.decode()
    assert "&lt;b&gt;私です" in page
    assert "知らせのある写真" in editor.get("/staff/charm/photographs/").content.decode()
    editor.post(f"/staff/charm/photographs/{number}/settle/")
    assert "知らせのある写真" not in editor.get("/staff/charm/photographs/").content.decode()
    assert AuditEntry.objects.filter(act="photograph.settled").exists()
