"""An older site becomes drafts; a second run doubles nothing and leaves what was edited."""

import io
import zipfile

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page

from policity.foundations.accounts.models import AuditEntry
from policity.foundations.publishing.models import CityDocument, CityImage
from policity.public_site import queries
from policity.public_site.models import ArticlePage, SectionPage, TakenOver
from policity.public_site.presenters.content import leads_to
from policity.public_site.services import editing, taking_over
from policity.public_site.tests import older
from policity.public_site.tests.content import begun, shown

pytestmark = pytest.mark.django_db


def run(source, *more, into="news"):
    out, err = io.StringIO(), io.StringIO()
    call_command("content", "import", str(source), "--into", into, *more, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def needs(place):
    return {need for need, _ in TakenOver.objects.get(address=place).needs}


def counted():
    return [model.objects.count() for model in (Page, Redirect, CityImage, CityDocument, TakenOver)]


def test_every_page_becomes_a_draft_with_its_tree_and_its_old_addresses(city, tmp_path):
    begun()
    said = run(older.site(tmp_path))
    assert "新しい 7" in said
    gomi = SectionPage.objects.get(slug="gomi")
    assert gomi.get_parent().slug == "kurashi"
    assert not gomi.live
    assert gomi.title == "ごみの出し方"
    shigen = ArticlePage.objects.get(slug="shigen")
    assert shigen.get_parent().pk == gomi.pk
    # Written in EUC-JP; the link is to a page that came in before.
    assert f'id="{gomi.pk}"' in str(shigen.body.raw_data[0]["value"])
    body = gomi.get_latest_revision_as_object().body.raw_data
    assert [one["type"] for one in body] == ["heading", "text", "picture", "picture", "table",
                                             "heading", "text", "contact"]  # fmt: skip
    text = body[1]["value"]
    assert f'linktype="page" id="{shigen.pk}"' in text
    assert f'linktype="document" id="{CityDocument.objects.get().pk}"' in text
    assert 'href="https://www.example.com/a?b=1&amp;c=2"' in text
    assert "ないページ" in text
    assert "planted" not in str(body)
    assert [row["values"] for row in body[4]["value"]["rows"]] == [["月", "もえるごみ"],
                                                                    ["月", "①びん"]]  # fmt: skip
    assert body[7]["value"]["name"] == "見本部ごみ課"
    assert body[7]["value"]["phone"] == "042-000-0000"
    assert gomi.first_published_at.date().isoformat() == "2024-05-01"
    assert needs("/kurashi/gomi/") == {"no_alt", "merged", "dead_link", "vague_link", "left_out",
                                       "skipped", "signs"}  # fmt: skip
    assert needs("/kurashi/gomi/hyo.html") == {"files_only"}
    assert needs("/bunka/sai/2024.html") == {"no_heads"}
    assert needs("/bunka/") == {"no_title"}
    assert AuditEntry.objects.filter(act="content.imported").count() >= 7


def test_an_old_address_leads_to_the_page_once_it_is_published(city, tmp_path):
    begun()
    run(older.site(tmp_path))
    assert leads_to(queries.old_addresses()) == {}
    for slug in ("kurashi", "gomi", "shigen"):
        editing.publish(Page.objects.get(slug=slug).specific.get_latest_revision_as_object())
    ends = leads_to(queries.old_addresses())
    assert ends["/kurashi/gomi/shigen.html"] == "/news/kurashi/gomi/shigen/"
    assert ends["/kurashi/gomi/"] == "/news/kurashi/gomi/"
    assert Redirect.objects.filter(old_path="/kurashi/gomi/index.html").exists()
    assert "/news/kurashi/gomi/shigen/" in shown("/kurashi/gomi/shigen.html").popitem()[1]


def test_a_second_run_doubles_nothing_and_leaves_what_was_edited(city, tmp_path):
    begun()
    folder = older.site(tmp_path)
    run(folder)
    before = counted()
    assert "新しい 0、変わった 0、同じ 7、こちらで直してあった 0" in run(folder)
    mine = ArticlePage.objects.get(slug="shigen").get_latest_revision_as_object()
    mine.title = "資源ごみの出し方"
    mine.save_revision()
    there = folder / older.HOST
    for name in ("kurashi/gomi/shigen.html", "kurashi/gomi/hyo.html"):
        (there / name).write_bytes(older.page("新しい題", "<p>新しい文</p>"))
    said = run(folder)
    assert "変わった 1、同じ 5、こちらで直してあった 1" in said
    assert counted() == before
    kept = ArticlePage.objects.get(slug="shigen").get_latest_revision_as_object()
    assert kept.title == "資源ごみの出し方"
    assert "edited" in needs("/kurashi/gomi/shigen.html")
    assert ArticlePage.objects.get(slug="hyo").title == "新しい題"
    # What was deleted here does not come back.
    ArticlePage.objects.get(slug="hyo").delete()
    run(folder)
    assert not ArticlePage.objects.filter(slug="hyo").exists()


def test_a_look_writes_nothing(city, tmp_path):
    begun()
    before = counted()
    said = run(older.site(tmp_path), "--look")
    assert "取り込めるページ 5" in said
    assert "画像に代替テキストがない" in said
    assert counted() == before


def test_a_broken_page_is_named_and_the_others_come_in(city, tmp_path):
    begun()
    folder = older.site(tmp_path)
    (folder / older.HOST / "kurashi/kara.html").write_bytes(b"")
    (folder / older.HOST / "img/gomi.jpg").write_bytes(b"<svg onload='planted()'/>")
    (folder / older.HOST / "kurashi/nagai.html").write_bytes(older.page("長" * 10_000, "<p>x</p>"))
    said = run(folder)
    assert "/kurashi/kara.html: 空か、ページとして読めません" in said
    assert "新しい 8" in said
    assert "file_refused" in needs("/kurashi/gomi/")
    assert "long_title" in needs("/kurashi/nagai.html")


def test_a_zip_of_the_same_site_is_the_same_and_names_do_not_climb_out(city, tmp_path):
    begun()
    folder = older.site(tmp_path / "site")
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as packed:
        for path in folder.rglob("*.*"):
            if path.is_file():
                packed.write(path, path.relative_to(folder).as_posix())
        packed.writestr(f"{older.HOST}/../../up.html", older.page("上", "x"))
    assert "新しい 7" in run(tmp_path / "site.zip")
    assert "同じ 7" in run(folder)


def test_a_warc_is_read_record_by_record(city, tmp_path):
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    begun()
    folder = older.site(tmp_path / "site")
    with (tmp_path / "site.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for path in sorted((folder / older.HOST).rglob("*.*")):
            if path.is_file():
                where = path.relative_to(folder).as_posix().removesuffix("index.html")
                answer = StatusAndHeaders("200 OK", [("Content-Type", "x")], protocol="HTTP/1.1")
                writer.write_record(writer.create_warc_record(
                    f"https://{where}", "response", payload=io.BytesIO(path.read_bytes()),
                    http_headers=answer))  # fmt: skip
    assert "新しい 7" in run(tmp_path / "site.warc.gz")


@pytest.mark.parametrize(
    ("make", "more", "into", "says"),
    [
        (lambda f: f / "nothing", [], "news", "がありません"),
        (lambda f: f, [], "no-such", "という見出しページがありません"),
        (lambda f: f, ["--select", "#x["], "news", "CSS セレクタではありません"),
    ],
)
def test_what_cannot_be_taken_over_is_said(city, tmp_path, make, more, into, says):
    begun()
    before = counted()
    with pytest.raises(CommandError, match=says):
        run(make(older.site(tmp_path)), *more, into=into)
    assert counted() == before


def test_a_run_that_is_broken_off_is_begun_again(city, tmp_path, monkeypatch):
    begun()
    folder = older.site(tmp_path)
    lead, led = taking_over._Run._lead, []

    def breaks(self, place, page, faults):
        led.append(place)
        if len(led) == 4:
            raise KeyboardInterrupt
        lead(self, place, page, faults)

    monkeypatch.setattr(taking_over._Run, "_lead", breaks)
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    assert TakenOver.objects.count() == 3
    monkeypatch.setattr(taking_over._Run, "_lead", lead)
    run(folder)
    once = counted()
    assert TakenOver.objects.count() == 7
    assert "同じ 7" in run(folder)
    assert counted() == once
    gomi = SectionPage.objects.get(slug="gomi").get_latest_revision_as_object()
    shigen = ArticlePage.objects.get(slug="shigen")
    assert f'linktype="page" id="{shigen.pk}"' in gomi.body.raw_data[1]["value"]
