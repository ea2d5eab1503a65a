"""What is published is found, and what is taken down is not."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from policity.foundations.publishing.services import render_due, verify
from policity.foundations.search import queries, services
from policity.foundations.search.formats.finding import Facets
from policity.foundations.search.models import Entry
from policity.foundations.search.services.noting import SETTLE
from policity.foundations.search.tests.conftest import NOW

SETTLED = NOW + SETTLE + timedelta(seconds=1)


def titles(typed: str, code: str = "ja", **more) -> list[str]:
    return [found.title for found in queries.search(typed, code, **more).found]


def file(address: str):
    path = Path(settings.PUBLISHED) / address
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def test_a_published_page_is_found_in_its_language(site, told):
    site.put("/moving/", told("引っ越しの手続き", "転入届を出します。"))
    site.put("/en/moving/", told("Moving house", "Bring your card.", "Guide"))
    site.index()
    assert titles("引越し") == ["引っ越しの手続き"]
    assert titles("moving") == []
    assert titles("MOVING", "en") == ["Moving house"]
    assert queries.elsewhere("moving", "ja") == {"en": 1}


def test_what_is_taken_down_is_found_no_more_at_once(site, told):
    """Before the index has heard of it."""
    site.put("/moving/", told("引っ越しの手続き"))
    site.index()
    (number,) = queries.numbers()
    site.put("/moving/")
    assert titles("引越し") == []
    assert queries.suggest("引", "ja") == ()
    assert file(f"search/index/t{number // 200}.json") is None
    site.index()
    assert queries.numbers() == frozenset()


def test_a_page_that_changes_is_found_by_what_it_says_now(site, told):
    site.put("/moving/", told("引っ越し"))
    site.index()
    site.put("/moving/", told("住民票"))
    site.index()
    assert titles("引越し") == []
    assert titles("住民票") == ["住民票"]
    assert len(queries.numbers()) == 1


def test_a_page_that_stays_as_it_is_is_no_work(site, told, django_assert_num_queries):
    site.put("/moving/", told("引っ越し"))
    site.index()
    row = Entry.objects.get()
    site.put("/moving/", told("引っ越し"))
    assert services.index_due(now=NOW) == 0
    assert Entry.objects.get().pk == row.pk


def test_documents_of_one_page_lead_to_places_on_it_and_elsewhere(site, told):
    site.put(
        "/shelters/",
        told("避難所"),
        told("田無小学校", address="#site-1"),
        told("登録", address="/register/"),
    )
    site.index()
    found = {one.address for typed in ("避難所", "小学校", "登録")
             for one in queries.search(typed, "ja").found}  # fmt: skip
    assert found == {"/shelters/", "/shelters/#site-1", "/register/"}


def test_hits_are_counted_by_kind_section_and_year_and_narrowed(site, told):
    site.put("/a/", told("大雨警報", kind="警報", section="防災", day=date(2025, 7, 1)))
    site.put("/b/", told("大雨に備える", kind="案内", section="防災", day=date(2026, 7, 1)))
    site.index()
    results = queries.search("大雨", "ja")
    assert dict(results.facets["kind"]) == {"警報": 1, "案内": 1}
    assert dict(results.facets["section"]) == {"防災": 2}
    assert dict(results.facets["year"]) == {"2025": 1, "2026": 1}
    assert titles("大雨", within=Facets(kind="警報")) == ["大雨警報"]
    assert titles("大雨", within=Facets(year=2026)) == ["大雨に備える"]
    assert titles("大雨", within=Facets(kind="警報", year=2026)) == []


def test_what_counts_now_stands_above_what_is_over(site, told):
    for number in range(5):
        site.put(f"/a/{number}/", told("大雨警報", f"第{number}号", now=number == 3))
    site.index()
    assert queries.search("大雨警報", "ja").found[0].address == "/a/3/"


def test_pages_of_hits_follow_each_other(site, told):
    for number in range(23):
        site.put(f"/a/{number}/", told(f"講座 {number}"))
    site.index()
    seen = [titles("講座", page=page) for page in (1, 2, 3)]
    assert [len(page) for page in seen] == [10, 10, 3]
    assert len({title for page in seen for title in page}) == 23


def test_titles_are_suggested_by_how_they_are_written_and_read(site, told):
    site.put("/moving/", told("引っ越しの手続き"))
    site.put("/tax/", told("市民税"))
    site.index()
    assert queries.suggest("引っ", "ja") == ("引っ越しの手続き",)
    assert queries.suggest("ひっこ", "ja") == ("引っ越しの手続き",)
    assert queries.suggest("税", "ja") == ("市民税",)
    assert queries.suggest("。", "ja") == ()


def test_the_published_index_knows_what_the_pages_say(site, told):
    site.put("/moving/", told("引っ越しの手続き", "転入届"))
    site.index()
    site.index(now=SETTLED)
    number = Entry.objects.get().pk
    shards = [file(f"search/index/{n}.json") for n in range(16)]
    assert all(shard["of"] == 16 for shard in shards)
    titles_, texts = ({k: v for shard in shards for k, v in shard[part].items()} for part in "tx")
    # As written, as read, without the kana between.
    assert titles_["引っ"] == titles_["ひっ"] == titles_["引越"] == [number]
    assert texts["転入"] == [number]
    lines = file(f"search/index/t{number // 200}.json")
    assert lines[str(number)] == ["/moving/", "引っ越しの手続き", "転入届", "案内"]


def test_every_file_is_as_the_rows_make_it(site, told):
    for number in range(210):
        site.pages[f"/a/{number}/"] = (told(f"講座 {number}"),)
    from policity.foundations.publishing.services import rebuild

    rebuild()
    render_due(now=NOW)
    site.index()
    site.index(now=SETTLED)
    found = verify(now=SETTLED)
    assert found.differences == ()
    # More documents than sixteen files are for.
    assert file("search/index/63.json")["of"] == 64
    for number in range(20):
        site.put(f"/a/{number}/", now=SETTLED)
    site.index(now=SETTLED)
    site.index(now=SETTLED + SETTLE + SETTLE)
    assert file("search/index/63.json") is None
    later = SETTLED + SETTLE + SETTLE
    assert verify(now=later).differences == ()
    # What has not settled yet is told before anything is compared.
    site.put("/a/30/", told("花見"), now=later)
    site.put("/a/31/", now=later)
    assert verify(now=later).differences == ()


@pytest.mark.parametrize("listed", [True, False])
def test_the_site_map_lists_pages_and_no_places_on_them(site, told, listed):
    from policity.foundations.publishing.services import rebuild

    site.put("/a/", told("講座", listed=listed), told("会場", address="#b"))
    rebuild()
    render_due(now=NOW)
    page = (Path(settings.PUBLISHED) / "site-map" / "index.html").read_text("utf-8")
    assert ('href="/a/"' in page) is listed
    assert "会場" not in page


def test_an_index_that_is_lost_or_knows_other_pages_is_made_anew(site, told):
    import shutil

    site.put("/a/", told("講座"))
    site.put("/b/", told("教室"))
    site.index()
    assert services.look_over() == 0
    Entry.objects.filter(page="/b/").delete()
    assert services.look_over() == 1
    site.index()
    assert queries.numbers() == set(Entry.objects.values_list("pk", flat=True))
    shutil.rmtree(queries.folder())
    queries.forget()
    assert services.look_over() == 1
    site.index()
    assert titles("講座") == ["講座"]


def test_the_command_says_what_is_missing(site, told, capsys):
    site.put("/a/", told("講座"))
    with pytest.raises(SystemExit):
        call_command("search", "check")
    assert "索引にないもの 1件" in capsys.readouterr().out
    call_command("search", "rebuild")
    site.index()
    call_command("search", "check")
    assert "公開中 1件、索引にないもの 0件" in capsys.readouterr().out


def test_the_city_has_words_of_its_own(site, told):
    site.put("/a/", told("はなバス"))
    site.index()
    assert titles("コミュニティバス") == []
    (Path(settings.HOME) / "search.toml").write_text(
        'same = [["コミュニティバス", "はなバス"]]\nidle = []\n'
    )
    assert titles("コミュニティバス") == ["はなバス"]
    (Path(settings.HOME) / "search.toml").write_text("same = 1\nbroken")
    assert titles("はなバス") == ["はなバス"]
