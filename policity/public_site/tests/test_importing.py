"""An older site is taken over at the desk, watched, stopped, and undone."""

import io
import shutil
import struct
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page

from policity.foundations.accounts.models import Role
from policity.foundations.publishing.models import CityDocument, CityImage
from policity.foundations.work import services as work
from policity.foundations.work.models import Item
from policity.kit.declare import Lane
from policity.public_site import queries
from policity.public_site.models import ArticlePage, SectionPage, TakenFile, TakenOver, Takeover
from policity.public_site.services import editing, importing
from policity.public_site.tests import older
from policity.public_site.tests.content import begun, department
from policity.public_site.tests.test_content_access import DOOR, signed_in, staff
from policity.public_site.tests.test_crawling import ASKED, circling, there  # noqa: F401  # a fixture

pytestmark = pytest.mark.django_db
AT = f"{DOOR}import/"
State = Takeover.State


def packed(folder):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for path in sorted(folder.rglob("*.*")):
            if path.is_file():
                file.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()


def begin(client, section, data=None, *, name="site.zip", below=0, **more):
    said = {"section": below or section.pk, "address": "", "main": "", "drop": ""} | more
    if data is not None:
        said["file"] = SimpleUploadedFile(name, data)
    return client.post(AT, said)


def work_off(*, wait=lambda seconds: None):
    """What the worker does."""
    later = timezone.now() + timedelta(hours=1)
    claims = work.claim(
        importing.KIND, lane=Lane.ROUTINE, now=later, lease=importing.LEASE, limit=9
    )
    for claim in claims:
        importing.carry_out(claim, wait=wait)
    return len(claims)


def counted():
    return [model.objects.count() for model in (Page, Redirect, CityImage, CityDocument, TakenOver,
                                                TakenFile)]  # fmt: skip


@pytest.fixture
def editor(city):
    begun()
    section = department("kodomo")
    return signed_in(staff(Role.EDITOR, departments=("kodomo",))), section


def test_what_is_sent_comes_in_is_reported_looked_at_and_undone(editor, tmp_path):
    client, section = editor
    before = counted()
    at = begin(client, section, packed(older.site(tmp_path)))["Location"]
    assert "順番を待っています" in client.get(at).content.decode()
    assert counted() == before
    assert work_off() == 1
    assert not Item.objects.filter(kind=importing.KIND).exists()
    assert not importing.folder(Takeover.objects.get().pk).exists()
    said = client.get(at).content.decode()
    assert "取り込みました" in said
    assert "画像に代替テキストがない" in said
    assert SectionPage.objects.get(slug="gomi").get_ancestors().filter(pk=section.pk).exists()
    report = f"{DOOR}reports/taken-over/"
    row = TakenOver.objects.get(address="/kurashi/gomi/")
    answer = client.post(f"{report}{row.pk}/looked/", {"narrowed": "unseen=true"})
    assert answer["Location"] == f"{report}?unseen=true#taken-{row.pk}"
    narrowed = client.get(report, {"unseen": "true"}).content.decode()
    assert "/kurashi/gomi/hyo.html" in narrowed
    assert f'id="taken-{row.pk}"' not in narrowed
    csv = client.get(report, {"export": "csv"}).getvalue().decode("utf-8-sig")
    assert "見た人" in csv
    client.post(f"{at}undo/")
    work_off()
    assert "取り消しました" in client.get(at).content.decode()
    assert counted() == before


def test_what_was_changed_since_stays_with_what_is_above_it(editor, tmp_path):
    client, section = editor
    at = begin(client, section, packed(older.site(tmp_path)))["Location"]
    work_off()
    mine = ArticlePage.objects.get(slug="shigen").get_latest_revision_as_object()
    mine.title = "資源ごみの出し方"
    mine.save_revision()
    editing.publish(SectionPage.objects.get(slug="bunka").get_latest_revision_as_object())
    client.post(f"{at}undo/")
    work_off()
    left = set(section.get_descendants().values_list("slug", flat=True))
    assert left == {"shigen", "gomi", "kurashi", "bunka"}
    # Drafts still show these: they stay.
    assert CityImage.objects.count() == 2
    assert "残しました" in client.get(at).content.decode()


def test_a_page_that_was_written_anew_is_as_it_was_again(editor, tmp_path):
    client, section = editor
    folder = older.site(tmp_path)
    begin(client, section, packed(folder))
    work_off()
    (folder / older.HOST / "kurashi/gomi/hyo.html").write_bytes(older.page("新", "<p>新しい文</p>"))
    at = begin(client, section, packed(folder))["Location"]
    work_off()
    page = ArticlePage.objects.get(slug="hyo")
    assert page.title == "新"
    client.post(f"{at}undo/")
    work_off()
    page.refresh_from_db()
    assert page.title == page.get_latest_revision_as_object().title == "収集日の表"
    assert Page.objects.filter(slug="gomi").exists()


def test_an_address_is_read_and_what_cannot_be_read_is_said(editor, there, settings):  # noqa: F811
    client, section = editor
    settings.FEEDS_ALLOW_PRIVATE = True
    at = begin(client, section, address=there)["Location"]
    waits: list[float] = []
    work_off(wait=waits.append)
    said = client.get(at).content.decode()
    assert "取り込みました" in said
    assert "nai.html" in said
    assert SectionPage.objects.filter(slug="gomi").exists()
    assert not [path for path in ASKED if "himitsu" in path]
    assert waits


def test_a_site_that_only_sends_on_is_said_and_nothing_is_taken(editor, circling, settings):  # noqa: F811
    client, section = editor
    settings.FEEDS_ALLOW_PRIVATE = True
    before = counted()
    at = begin(client, section, address=f"{circling}wa/a")["Location"]
    work_off()
    said = client.get(at).content.decode()
    assert "転送が多すぎます。アドレスを確かめてください" in said
    assert counted() == before


def test_an_address_inside_the_city_is_refused(editor, there):  # noqa: F811
    client, section = editor
    before = counted()
    at = begin(client, section, address=there)["Location"]
    work_off()
    assert "庁内のネットワーク" in client.get(at).content.decode()
    assert ASKED == []
    assert counted() == before


def bomb():
    """Six gigabytes of zeros in some megabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("a.html", b"\0" * (8 * 2**20))
        one = file.infolist()[0]
        one.file_size = 6 * 2**30 - 2**31  # what it says of itself
        file.writestr("b.html", b"x")
        file.infolist()[1].file_size = 2**31 - 1
    return out.getvalue()


def many_names():
    """A list of names as large as memory, by what the end of the zip says."""
    data = bytearray(packed_one())
    at = data.rfind(b"PK\x05\x06")
    data[at + 12 : at + 16] = struct.pack("<I", 2**31)
    return bytes(data)


def packed_one():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.html", older.page("あ", "い"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "more", "says"),
    [
        (None, {}, "アドレスを書くか、ファイルを選んでください"),
        (None, {"address": "ftp://x.example/"}, "アドレスの形が正しくありません"),
        (None, {"address": "https://x.example/" + "長" * 10_000}, "500文字まで"),
        (None, {"address": "https://x.example/", "below": 1}, "このページの下には"),
        (None, {"address": "https://x.example/", "main": "#x["}, "CSS セレクタではありません"),
        (packed_one, {"address": "https://x.example/"}, "どちらか一つ"),
        (packed_one, {"name": "site.exe"}, "zip か WARC"),
        (lambda: b"<html>", {}, "zip でも WARC でもありません"),
        (lambda: packed_one()[:-30], {}, "zip でも WARC でもありません"),
        (bomb, {}, "開くと4GBを超えます"),
        (many_names, {}, "ファイルが多すぎます"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_over_is_said_and_what_was_typed_stays(editor, data, more, says):
    client, section = editor
    before, lies = counted(), importing.folder(1).parent
    shutil.rmtree(lies, ignore_errors=True)
    answer = begin(client, section, data and data(), **({"drop": ".pankuzu"} | more))
    assert answer.status_code == 400
    said = answer.content.decode()
    assert says in said
    assert 'value=".pankuzu"' in said
    assert "まだ何も取り込んでいません" in said
    assert counted() == before
    assert not Takeover.objects.exists()
    assert not list(lies.glob("*"))


def test_a_zip_without_pages_and_one_that_is_gone_are_said(editor, tmp_path):
    client, section = editor
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.pdf", b"%PDF")
    at = begin(client, section, out.getvalue())["Location"]
    work_off()
    assert "一つもありませんでした" in client.get(at).content.decode()
    at = begin(client, section, packed_one())["Location"]
    (importing.folder(Takeover.objects.last().pk) / "upload.zip").unlink()
    work_off()
    assert "もう一度、はじめから" in client.get(at).content.decode()


def test_it_is_stopped_between_two_pages_and_goes_on(editor, tmp_path, monkeypatch):
    client, section = editor
    at = begin(client, section, packed(older.site(tmp_path)))["Location"]
    monkeypatch.setattr(importing, "BEAT", 0.0)
    taken, told = importing._Hand.taken, []

    def third(self, *said):
        told.append(said)
        if len(told) == 3:
            client.post(f"{at}stop/")
        taken(self, *said)

    monkeypatch.setattr(importing._Hand, "taken", third)
    work_off()
    assert TakenOver.objects.count() == 3
    said = client.get(at).content.decode()
    assert "途中で止まりました" in said
    assert "続きを進める" in said
    monkeypatch.setattr(importing._Hand, "taken", taken)
    client.post(f"{at}go-on/")
    work_off()
    assert Takeover.objects.get().state == State.DONE
    assert TakenOver.objects.count() == 7
    # A button that is pressed again, or too late, says so.
    for verb, says in (("stop", "もう、終わっています"), ("go-on", "続けられません")):
        assert says in client.post(f"{at}{verb}/", follow=True).content.decode()


def test_what_stops_the_worker_again_and_again_is_left(editor, tmp_path):
    client, section = editor
    at = begin(client, section, packed(older.site(tmp_path)))["Location"]
    Item.objects.filter(kind=importing.KIND).update(attempt=importing.MOST_ATTEMPTS)
    work_off()
    assert "進めるたびに止まって" in client.get(at).content.decode()
    assert not TakenOver.objects.exists()


def test_another_departments_pages_are_not_written_over(editor, tmp_path):
    client, section = editor
    folder = older.site(tmp_path)
    begin(client, section, packed(folder))
    work_off()
    other = department("zei", "税務課")
    stranger = signed_in(staff(Role.EDITOR, departments=("zei",)))
    assert begin(stranger, section, packed(folder)).status_code == 400
    (folder / older.HOST / "kurashi/gomi/hyo.html").write_bytes(older.page("奪う", "<p>x</p>"))
    (folder / older.HOST / "files/hyo.pdf").write_bytes(b"%PDF-1.7 theirs")
    theirs = begin(stranger, other, packed(folder))["Location"]
    work_off()
    assert ArticlePage.objects.get(slug="hyo").draft_title == "収集日の表"
    assert {file.file.read() for file in CityDocument.objects.all()} >= {b"%PDF-1.7 x"}
    assert other.get_descendants().count() == 0
    first = Takeover.objects.order_by("pk")[0]
    # Nor are the others' takeovers seen, stopped or undone.
    assert stranger.get(f"{AT}{first.pk}/").status_code == 404
    for verb in ("stop", "go-on", "undo"):
        assert stranger.post(f"{AT}{first.pk}/{verb}/").status_code == 404
    row = TakenOver.objects.get(address="/kurashi/gomi/")
    assert stranger.post(f"{DOOR}reports/taken-over/{row.pk}/looked/").status_code == 404
    assert "そのままにしたページ" in stranger.get(theirs).content.decode()


def test_the_list_is_one_query_however_many_there_are(editor, django_assert_num_queries):
    client, section = editor
    for _ in range(5):
        begin(client, section, packed_one())
        work_off()
    with django_assert_num_queries(1):
        assert [one.pages for one in queries.takeovers(Takeover.objects.all())] == [0, 0, 0, 0, 1]
