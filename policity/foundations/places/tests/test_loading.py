"""Loading is whole, repeatable, and deletes nothing."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from policity.foundations.places import queries
from policity.foundations.places.formats.facts import BadFacts
from policity.foundations.places.models import City, JmaArea, Site, Town
from policity.foundations.places.services import AnotherCity, edit_site, load_city
from policity.foundations.places.tests.conftest import CITIES, NOW

LATER = NOW + timedelta(days=1)


def everything() -> list[list[Any]]:
    return [
        list(model._default_manager.order_by("pk").values())
        for model in (City, Town, Site, JmaArea)
    ]


def drop(folder: Path, file: str, start: str) -> None:
    path = folder / file
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) == len(lines) - 1
    path.write_text("".join(kept))


def test_a_city_is_loaded_whole(db, stale):
    loaded = load_city(CITIES / "nishitokyo", by=None, now=NOW)
    assert loaded.towns.counts == {"added": 114, "changed": 0, "closed": 0}
    assert loaded.sites.counts == {"added": 110, "changed": 0, "closed": 0}
    kinds = list(Site.objects.values_list("kind", flat=True))
    assert [kinds.count(kind) for kind in ("emergency_site", "shelter", "welfare_shelter")] == [
        49, 33, 28,
    ]  # fmt: skip
    assert not Site.objects.filter(town=None).exists()
    sites = {f"places:site:{pk}" for pk in Site.objects.values_list("pk", flat=True)}
    assert stale == [{"places:city", "places:towns", "places:sites"} | sites]


def test_loading_again_changes_and_announces_nothing(here, stale):
    before = everything()
    loaded = load_city(CITIES / "nishitokyo", by=None, now=LATER)
    assert not loaded.towns.rows
    assert not loaded.sites.rows
    assert stale == [set()]
    assert everything() == before


@pytest.mark.parametrize("file", ["city.toml", "towns.csv", "sites.csv", "boundary.geojson"])
def test_a_bad_folder_changes_nothing(here, folder, stale, file):
    drop(folder, "towns.csv", "泉町一丁目")
    data = (folder / file).read_text()
    (folder / file).write_text(data.replace("1", "一"))
    before = everything()
    with pytest.raises(BadFacts):
        load_city(folder, by=None, now=LATER)
    assert everything() == before
    assert stale == []


def test_a_bad_folder_leaves_an_empty_home_empty(db, folder):
    text = (folder / "city.toml").read_text()
    (folder / "city.toml").write_text(text.replace("1322900", "1399999"))
    with pytest.raises(BadFacts, match="jma_code 1399999"):
        load_city(folder, by=None, now=NOW)
    assert everything() == [[], [], [], []]


def test_what_is_gone_is_closed_and_comes_back(here, folder, stale):
    town = Town.objects.get(name="栄町一丁目")
    site = Site.objects.get(source_id="E1322900004201")
    drop(folder, "towns.csv", "栄町一丁目")
    drop(folder, "sites.csv", "E1322900004201")
    before = queries.city().boundary
    loaded = load_city(folder, by=None, now=LATER)
    assert [row.name for row in loaded.towns.closed] == ["栄町一丁目"]
    assert [row.pk for row in loaded.sites.closed] == [site.pk]
    assert {"places:towns", "places:sites", f"places:site:{site.pk}"} <= stale[0]
    assert len(queries.towns()) == 113
    assert len(queries.sites()) == 109
    assert Town.objects.get(pk=town.pk).closed_at == LATER

    load_city(CITIES / "nishitokyo", by=None, now=LATER + timedelta(days=1))
    assert Town.objects.get(name="栄町一丁目").pk == town.pk
    assert len(queries.towns()) == 114
    assert queries.city().boundary == before


def test_a_second_load_of_what_is_gone_closes_nothing_again(here, folder):
    drop(folder, "towns.csv", "栄町一丁目")
    load_city(folder, by=None, now=LATER)
    again = load_city(folder, by=None, now=LATER + timedelta(days=1))
    assert not again.towns.rows
    assert Town.objects.get(name="栄町一丁目").closed_at == LATER


def test_what_changed_is_changed_alone(here, folder, stale):
    path = folder / "sites.csv"
    path.write_text(path.read_text().replace("向台公園", "向台中央公園"))
    loaded = load_city(folder, by=None, now=LATER)
    (site,) = loaded.sites.changed
    assert site.name == "向台中央公園"
    assert stale == [{"places:sites", f"places:site:{site.pk}"}]


def test_what_staff_edited_stays(here, folder):
    site = Site.objects.get(source_id="E1322900015201")
    edit_site(site.pk, by=None, now=NOW, name="直した名前", address="西東京市泉町3-6")
    path = folder / "sites.csv"
    path.write_text(path.read_text().replace("向台公園", "向台中央公園").replace(
        "35.720618,139.542364", "35.7207,139.5424"))  # fmt: skip
    load_city(folder, by=None, now=LATER)
    site.refresh_from_db()
    assert (site.name, site.lat) == ("直した名前", 35.7207)
    assert site.town
    assert site.town.name == "泉町三丁目"


def test_a_site_that_becomes_another_kind_drops_what_was_edited_for_the_old(here, folder):
    site = Site.objects.get(source_id="E1322900003121")
    edit_site(site.pk, by=None, now=NOW, receives="高齢の方")
    path = folder / "sites.csv"
    lines = path.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(site.source_id))
    lines[at] = lines[at].replace("welfare_shelter", "shelter").replace("高齢者", "")
    path.write_text("\n".join(lines))
    load_city(folder, by=None, now=LATER)
    site.refresh_from_db()
    assert (site.kind, site.receives, site.edited) == ("shelter", "", [])


def test_another_city_takes_over_only_when_told(here, stale):
    with pytest.raises(AnotherCity):
        load_city(CITIES / "mitaka", by=None, now=LATER)
    assert queries.city().code == "13229"
    load_city(CITIES / "mitaka", by=None, now=LATER, switch=True)
    assert queries.city().code == "13204"
    assert len(queries.towns()) == 62
    assert {"places:city", "places:towns", "places:sites"} <= stale[0]
    load_city(CITIES / "nishitokyo", by=None, now=LATER, switch=True)
    assert (queries.city().code, len(queries.towns())) == ("13229", 114)
    assert City.objects.filter(is_here=True).count() == 1
    assert Town.objects.count() == 176


def test_the_second_city_is_loaded_by_the_same_command(db):
    out = StringIO()
    call_command("places", "load", "mitaka", stdout=out)
    assert queries.city().name == "三鷹市"
    assert "新しい 152" in out.getvalue()
    assert sum(site.town is None for site in queries.sites()) == 3


def test_the_command_takes_a_folder_and_says_what_is_gone(here, folder):
    drop(folder, "towns.csv", "栄町一丁目")
    out = StringIO()
    call_command("places", "load", str(folder), stdout=out)
    assert "なくなった 1（栄町一丁目）" in out.getvalue()


def test_the_command_refuses_in_plain_words(here, folder):
    (folder / "sites.csv").unlink()
    with pytest.raises(
        CommandError, match=r"^sites\.csv: ファイルがありません\n何も読み込みませんでした$"
    ):
        call_command("places", "load", str(folder))
    with pytest.raises(CommandError, match="nowhere: フォルダがありません"):
        call_command("places", "load", "nowhere")
    with pytest.raises(CommandError, match="--switch"):
        call_command("places", "load", "mitaka")
    call_command("places", "load", "mitaka", "--switch", stdout=StringIO())
    assert queries.city().name == "三鷹市"
