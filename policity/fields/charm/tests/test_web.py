"""The forms for photographs: nothing typed is lost, a link is the permission, nobody else sees."""

import io
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from lxml import html

from policity.fields.charm import queries, services
from policity.fields.charm.models import Contribution, Photograph, PhotographReport
from policity.fields.charm.rules.photographs import LARGEST
from policity.fields.charm.tests.conftest import NOW
from policity.fields.charm.tests.test_photographs import CAMERA, bomb, jpeg, lying, media, noted
from policity.kit.languages import LANGUAGES

__all__ = ["media"]

pytestmark = pytest.mark.usefixtures("city", "media")
FORM = {
    "alt": "朝の公園", "spot": "", "taken": "2026-11-03", "credit": "緑町の人", "email": "",
    "licence": "site", "made": "1", "agreed": "1",
}  # fmt: skip
SEND = "/charm/photographs/send/"


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOW, tick=False):
        yield


def photo(name: str = "IMG_0001.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, noted() if data is None else data, "image/jpeg")


def post(client: Client, *some: Any, at: str = SEND, **said: Any) -> Any:
    return client.post(at, {**FORM, "photographs": some or [photo()], **said})


def typed(body: bytes) -> dict[str, str]:
    """What stands in the form that came back."""
    page: Any = html.document_fromstring(body)
    found = {one.get("name"): one.get("value", "") for one in page.xpath("//form//input[@name]")
             if one.get("type") not in ("radio", "checkbox", "file")}  # fmt: skip
    found |= {one.get("name"): one.get("value") for one in page.xpath("//form//input[@checked]")}
    chosen = page.xpath("//form//option[@selected]/@value")
    return found | ({"spot": chosen[0]} if chosen else {})


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_somebody_sends_two_and_takes_one_back_in_every_language(
    client, shown, language, django_capture_on_commit_callbacks
):
    at = f"{language.prefix}charm/photographs/send/"
    got = client.get(f"{at}?spot={shown[0]}")
    assert typed(got.content)["spot"] == str(shown[0])
    answer = post(client, photo(), photo("2.jpg"), at=at, spot=str(shown[0]))
    first, second = Photograph.objects.order_by("pk")
    sent = Contribution.objects.get()
    assert (sent.language, sent.licence, sent.credit) == (language.code, "site", "緑町の人")
    assert (sent.terms, sent.taken.isoformat()) == ("2026-11", "2026-11-03")
    assert (first.spot_id, first.texts) == (shown[0], {language.code: {"alt": "朝の公園"}})
    own = f"{language.prefix}{queries.own_page(sent.pk)}"
    assert answer["Location"] == f"{own}?done=sent"
    for header, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
        assert client.get(own)[header] == value
    with django_capture_on_commit_callbacks(execute=True):
        done = client.post(own, {"number": first.pk})
    assert done["Location"] == f"{own}?done=withdrawn"
    stages = Photograph.objects.order_by("pk").values_list("stage", flat=True)
    assert list(stages) == ["withdrawn", "waiting"]
    page: Any = html.document_fromstring(client.get(done["Location"]).content)
    assert page.xpath("//form//input[@name='number']/@value") == [str(second.pk)]
    assert not client.cookies


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"photographs": []}, "写真を選んでください"),
        ({"photographs": [photo("空.jpg", b"")]}, "「空.jpg」は、何も入っていません"),
        ({"photographs": [photo("絵.svg", b"<svg onload='x()'/>")]}, "「絵.svg」は読めません"),
        ({"photographs": [photo("爆弾.png", bomb())]}, "「爆弾.png」は、点の数が多すぎます"),
        ({"photographs": [photo("a.jpg", b"words")]}, "「a.jpg」は読めません"),
        ({"photographs": [photo("a.heic", b"\0\0\0\x18ftypheic" + b"x" * 90)]}, "JPEGで送って"),
        ({"photographs": [photo(f"{n}.jpg") for n in range(6)]}, "一度に5枚まで"),
        ({"alt": " "}, "何が写っているかを、書いて"),
        ({"alt": "あ" * 201}, "200文字まで"),
        ({"spot": "99"}, "一覧から選んで"),
        ({"spot": "²"}, "一覧から選んで"),
        ({"taken": "昨日"}, "日付を確かめて"),
        ({"taken": "2026-11-24"}, "日付を確かめて"),
        ({"taken": "0026-11-03"}, "日付を確かめて"),
        ({"credit": "あ" * 61}, "60文字まで"),
        ({"email": "p1"}, "name@example.jp"),
        ({"licence": ""}, "だれが使えるかを"),
        ({"licence": "all"}, "だれが使えるかを"),
        ({"made": ""}, "自分で撮った写真だけ"),
        ({"agreed": ""}, "写っている人のことを確かめて"),
    ],
    ids=range(20),
)
def test_what_is_wrong_is_said_once_and_nothing_typed_is_lost(client, shown, media, said, fault):
    before = FORM | {"email": "p1@example.jp"} | said
    answer = client.post(SEND, {"photographs": [photo()], **before})
    page: Any = html.document_fromstring(answer.content)
    (one,) = page.xpath("//div[@id='fault']//li")
    assert fault in one.text_content()
    # It leads to the field.
    assert page.xpath(f"//*[@id='{one.find('a').get('href')[1:]}']")
    kept = typed(answer.content)
    for name in ("alt", "credit", "taken", "email"):
        assert kept[name] == before[name]
    for name in ("licence", "made", "agreed"):
        assert kept.get(name, "") == (before[name] if before[name] != "all" else "")
    assert not Contribution.objects.exists()
    assert lying(media) == []


def test_what_is_too_large_is_not_kept_in_memory_or_anywhere(
    client, monkeypatch, tmp_path, settings
):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    monkeypatch.setattr("policity.fields.charm.forms.LARGEST", 50_000)
    monkeypatch.setattr("policity.fields.charm.forms.LARGEST_TOGETHER", 90_000)
    said = post(client, photo("大.jpg", b"\xff\xd8" + b"x" * 3_000_000)).content.decode()
    assert "「大.jpg」は、大きすぎます" in said
    some = [photo(f"{n}.jpg", jpeg(900, 700, comment=b"x" * 40_000)) for n in range(3)]
    assert "合わせて80MB" in post(client, *some).content.decode()
    assert lying(tmp_path / "x") == []
    assert not Photograph.objects.exists()


def test_no_disk_ever_sees_what_a_camera_noted(client, monkeypatch, media, tmp_path, settings):
    """Larger than what Django holds in memory by itself."""
    meanwhile = tmp_path / "meanwhile"
    meanwhile.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(meanwhile)
    monkeypatch.setattr(
        "django.core.files.uploadedfile.TemporaryUploadedFile.__init__",
        lambda *_, **__: pytest.fail("a file on the disk"),
    )
    big = noted() + CAMERA * 200_000
    assert 3_000_000 < len(big) < LARGEST
    assert post(client, photo("big.jpg", big)).status_code == 302
    assert len(lying(media)) == 1
    assert all(CAMERA not in file.read_bytes() for file in lying(media))
    assert list(meanwhile.iterdir()) == []


def test_while_the_database_is_away_nothing_typed_is_lost(client, monkeypatch):
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(queries, "shown", away)
    answer = post(client, spot="7")
    assert answer.status_code == 503
    assert "いまは受け取れません" in answer.content.decode()
    kept = typed(answer.content)
    assert {name: kept[name] for name in ("alt", "credit", "taken", "licence", "made", "spot")} == {
        "alt": "朝の公園", "credit": "緑町の人", "taken": "2026-11-03", "licence": "site",
        "made": "1", "spot": "7",
    }  # fmt: skip


def test_too_many_that_wait_are_not_taken_and_nothing_typed_is_lost(client, monkeypatch):
    monkeypatch.setattr("policity.fields.charm.services.photographs.MOST_WAITING", 0)
    answer = post(client)
    assert "たくさん届いています" in answer.content.decode()
    assert typed(answer.content)["alt"] == "朝の公園"


@pytest.mark.parametrize("link", ["x", "A" * 32, "あ" * 32])
def test_a_link_of_nobody_leads_nowhere(client, link):
    for method in (client.get, client.post):
        answer = method(f"/charm/photographs/me/{link}/")
        assert answer.status_code == 404
        assert "このアドレスは使えません" in answer.content.decode()


def test_somebody_elses_link_takes_nothing_back(client):
    post(client)
    post(client)
    first, second = Photograph.objects.order_by("pk")
    client.post(f"/{queries.own_page(first.contribution_id)}", {"number": second.pk})
    for wrong in ("", "x", 2**63, -1):
        client.post(f"/{queries.own_page(first.contribution_id)}", {"number": wrong})
    assert set(Photograph.objects.values_list("stage", flat=True)) == {"waiting"}


def test_somebody_shown_says_so(client, staff):
    post(client)
    number = Photograph.objects.get().pk
    at = f"/charm/photographs/report/{number}/"
    assert client.get(at).status_code == 404
    services.publish(photograph=number, by=staff, now=NOW)
    assert client.get(at).status_code == 200
    assert "書いてください" in client.post(at, {"text": " "}).content.decode()
    said = client.post(at, {"text": "<b>私です</b>"}).content.decode()
    assert "知らせました" in said
    assert PhotographReport.objects.get().text == "<b>私です</b>"
    assert client.get("/charm/photographs/report/99999999999999999999/").status_code == 404


def test_a_form_may_be_empty_or_nonsense(client):
    for body in (b"", b"\xff" * 50, b"--x\r\n"):
        for kind in (
            "multipart/form-data; boundary=x",
            "text/plain",
            "application/x-www-form-urlencoded",
        ):
            answer = client.generic("POST", SEND, io.BytesIO(body).read(), content_type=kind)
            assert answer.status_code in (200, 400)
    assert not Contribution.objects.exists()
