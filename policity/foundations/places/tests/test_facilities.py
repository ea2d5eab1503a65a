"""Lists of facilities as cities publish them, taken in and written by hand."""

import json
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from policity.foundations.accounts.models import AuditEntry
from policity.foundations.places import services
from policity.foundations.places.declarations import PAGES
from policity.foundations.places.formats.facilities import BadList, read
from policity.foundations.places.models import Facility
from policity.foundations.places.presenters import facilities as presenters
from policity.foundations.places.queries.facilities import facilities
from policity.foundations.places.rules import facilities as rules
from policity.foundations.places.rules import hours
from policity.foundations.places.rules.facilities import Plan
from policity.foundations.publishing.models import Page
from policity.foundations.publishing.services import render_due
from policity.foundations.work.models import Item
from policity.kit.declare import Lane
from policity.kit.holidays import holiday
from policity.kit.languages import LANGUAGES

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
HEAD = (
    "NO,名称,名称_カナ,住所,緯度,経度,電話番号,利用可能曜日,開始時間,終了時間,"
    "利用可能日時特記事項,バリアフリー情報,備考"
)
ROWS = (
    "1,中央図書館,チュウオウトショカン,泉町三丁目1,35.74,139.55,042-1,火水木,9:00,17:00,,車椅子可;駐車場なし,",
    "2,みどり公園,ミドリコウエン,泉町三丁目2,35.741,139.551,,,,,【休園日】月曜日,,",
)
FAMILIES = {family.name: family for family in PAGES}
OFFICE = hours.Hours((*(hours.spans("9:00-17:00"),) * 5, (), ()), hours.OnHoliday.CLOSED, True)


def table(*rows: str, head: str = HEAD, encoding: str = "utf-8") -> bytes:
    return "\r\n".join((head, *(rows or ROWS))).encode(encoding)


def take(*rows: str, source: str = "公共施設一覧", seen: Plan | None = None) -> Plan:
    return services.take_list(source=source, found=read(table(*rows)), by=None, now=NOW, seen=seen)


def by_hand(**other: Any) -> Facility:
    fields: dict[str, Any] = {"source_id": "", "kind": "library", "name": "手の図書館"}
    written = rules.Facility(**(fields | other))
    return services.write_facility(number=None, written=written, by=None, now=NOW)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_three_encodings_say_the_same(encoding):
    found = read(table(encoding=encoding))
    assert found.dataset == "公共施設一覧"
    library, park = found.rows
    assert (library.kind, library.kana) == ("library", "ちゅうおうとしょかん")
    assert library.features == ("wheelchair",)
    assert library.hours
    assert [hours.written(day) for day in library.hours.week] == [
        "", "9:00-17:00", "9:00-17:00", "9:00-17:00", "", "", "",
    ]  # fmt: skip
    # What a remark says is kept in its words, and nothing is made of it.
    assert (park.kind, park.hours, park.hours_note) == ("park", None, "【休園日】月曜日")


def test_real_lists_are_read(shared_data):
    found = {}
    for path in sorted((shared_data / "opendata" / "yaizu").glob("*.csv")):
        if path.name.startswith(("AED", "市役所", "文化", "小学校", "市営", "福祉")):
            one = read(path.read_bytes())
            found[path.name.partition("_")[0]] = (one.dataset, len(one.rows))
    assert found["AED設置箇所一覧"] == ("AED設置箇所一覧", 82)
    assert found["市役所・センター"] == ("公共施設一覧", 28)
    assert found["小学校"] == ("公共施設一覧", 13)
    with pytest.raises(BadList, match="1行目"):
        read((shared_data / "opendata" / "yaizu" / "アンダーパス__アンダーパス.csv").read_bytes())


TOILETS = (
    "ID,名称,所在地_連結表記,緯度,経度,男性トイレ総数,車椅子使用者用トイレ有無,"
    "オストメイト設置トイレ有無,利用開始時間,利用終了時間"
)


def test_toilets_say_what_they_have():
    (one,) = read(table("T1,駅前,泉町三丁目,35.74,139.55,2,有,無,,", head=TOILETS)).rows
    assert (one.kind, one.features, one.hours) == ("toilet", ("wide_toilet",), None)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1,,,,35.7,139.5,,,,,,,"], "2行目: 名称が空です"),
        ([",公園,,,35.7,139.5,,,,,,,"], "2行目: 番号（NO・ID）が空です"),
        (["1,公園,,,北緯,139.5,,,,,,,"], "2行目: 緯度・経度「北緯」は数ではありません"),
        ([ROWS[0], ROWS[0]], "3行目: 番号（NO・ID）が、前の行と同じです"),
        (["1,公{園,,,,,,,,,,,"], "2行目: 名称「公{園」に"),
        (["1,公園,,,,,,,,,,,,,,"], "2行目: 列が"),
        (["1,\x00公園,,,,,,,,,,,"], "2行目: 名称に、制御文字"),
        ([",,"], "施設が一つもありません"),
    ],
)
def test_a_fault_is_told_with_its_line(rows, said):
    with pytest.raises(BadList) as refused:
        read(table(*rows))
    assert refused.value.problems[0].startswith(said)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    with pytest.raises(BadList) as refused:
        read(data)
    assert refused.value.problems


def test_far_places_and_large_files_are_refused(here):
    from policity.foundations.places.models import City
    from policity.kit.geometry import from_geojson

    boundary = from_geojson(City.objects.get().boundary)
    with pytest.raises(BadList, match="キロメートル"):
        read(table("1,公園,,,34.8,138.3,,,,,,,"), boundary=boundary)
    with pytest.raises(BadList, match="大きすぎ"):
        read(b"x" * 1_000_001)


def test_a_list_is_its_own_and_touches_nothing_else(here):
    hand = by_hand()
    take(source="福祉の一覧")
    assert take() == Plan(("1", "2"), (), (), 0)
    assert take() == Plan((), (), (), 2)
    assert take(ROWS[0].replace("中央", "新中央")) == Plan((), ("1",), ("2",), 0)
    assert take() == Plan(("2",), ("1",), (), 0)
    assert Facility.objects.here().count() == 5
    hand.refresh_from_db()
    assert hand.revision == 1
    library = Facility.objects.here().get(source="公共施設一覧", source_id="1")
    assert library.town
    assert library.town.name == "泉町三丁目"
    assert "facilities.imported" in AuditEntry.objects.values_list("act", flat=True)


def test_another_plan_than_was_seen_is_not_carried_out(here):
    found = read(table())
    seen = services.plan(source="公共施設一覧", found=found)
    take(ROWS[0])
    with pytest.raises(services.FacilityRefused, match="ほかの人"):
        take(seen=seen)
    assert Facility.objects.here().count() == 1


def test_a_list_has_a_name(here):
    with pytest.raises(services.FacilityRefused, match="名前"):
        take(source=" ")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"name": " "}, "名前"),
        ({"kind": "castle"}, "種類"),
        ({"features": ("wings",)}, "設備"),
        ({"name": "{公園"}, "使えません"),
        ({"url": "javascript:alert(1)"}, "https"),
        ({"lat": 35.7}, "両方"),
        ({"lat": 0.0, "lon": 0.0}, "市の外"),
        ({"lat": float("nan"), "lon": 139.5}, "市の外"),
        ({"notes": "あ" * 301}, "300文字"),
    ],
)
def test_what_cannot_be_is_refused(here, other, said):
    with pytest.raises(services.FacilityRefused, match=said):
        by_hand(**other)
    assert not Facility.objects.exists()


def test_what_a_list_brought_is_changed_there_alone(here):
    take()
    row = Facility.objects.here()[0]
    written = rules.Facility(source_id="", kind="park", name="別の名前")
    with pytest.raises(services.FacilityRefused, match="一覧「公共施設一覧」"):
        services.write_facility(number=row.pk, written=written, by=None, now=NOW, seen=1)


def test_what_somebody_else_wrote_meanwhile_stays(here):
    row = by_hand()
    again = rules.Facility(source_id="", kind="park", name="公園")
    services.write_facility(number=row.pk, written=again, by=None, now=NOW, seen=1)
    with pytest.raises(services.FacilityRefused, match="先に変えました"):
        services.write_facility(number=row.pk, written=again, by=None, now=NOW, seen=1)


def test_the_command_takes_a_list_or_nothing(here, tmp_path, capsys):
    file = tmp_path / "list.csv"
    file.write_bytes(table())
    call_command("places", "facilities", str(file))
    assert "新しい 2" in capsys.readouterr().out
    file.write_bytes(table("1,,,,,,,,,,,,"))
    with pytest.raises(CommandError, match="何も取り込みませんでした"):
        call_command("places", "facilities", str(file))
    assert Facility.objects.here().count() == 2


def rendered(name: str) -> dict[str, bytes]:
    family = FAMILIES[name]
    return {a: one.body for a, one in family.render(list(family.addresses())) if one}


def text(body: bytes) -> str:
    page: Any = html.document_fromstring(body)
    return " ".join(page.text_content().split())


def test_pages_say_what_is_known_and_what_is_not(here):
    known = by_hand(hours=OFFICE, features=("wheelchair",), lat=35.74, lon=139.55)
    unknown = by_hand(name="知らない館")
    pages = rendered("facility")
    assert len(pages) == 2 * len(LANGUAGES)
    said = text(pages[f"/places/{known.pk}/"])
    assert "月曜日9:00–17:00" in said.replace(" ", "")
    assert "車いすで使える" in said
    assert "祝日は休みです" in said
    assert text(pages[f"/places/{unknown.pk}/"]).count("わかりません") == 2
    assert "Wheelchair access" in text(pages[f"/en/places/{known.pk}/"])
    lists = rendered("facility-lists")
    assert len(lists) == 2 * len(LANGUAGES)
    for body in lists.values():
        assert "知らない館".encode() in body
    services.close_facility(number=known.pk, by=None, now=NOW)  # type: ignore[arg-type]
    assert f"/places/{known.pk}/" not in rendered("facility")


def test_without_any_the_lists_say_so(here):
    assert "まだ、施設の一覧がありません" in text(rendered("facility-lists")["/places/"])


def test_the_script_is_told_the_same_as_the_rules_say(here):
    by_hand(hours=OFFICE, lat=35.74, lon=139.55)
    by_hand(hours=OFFICE)
    data = presenters.positions(facilities(), 2026)
    (told,) = data["hours"]
    assert {one["h"] for one in data["facilities"].values()} == {0}
    for number in range(date(2026, 1, 1).toordinal(), date(2027, 12, 31).toordinal() + 1):
        day = date.fromordinal(number)
        spans = told["days"].get(day.isoformat(), told["week"][day.weekday()])
        expected = rules_spans(day)
        assert spans == expected, day
    body = json.loads(rendered("facility-positions")["/places/facilities.json"])
    assert body["holidays"]["2026-11-23"] == "勤労感謝の日"


def rules_spans(day: date) -> list[list[int]]:
    return [[one.opens, one.closes] for one in hours.on(OFFICE, day, holiday).spans]


@pytest.mark.django_db(transaction=True)
def test_pages_that_only_lists_lead_to_are_not_urgent(request):
    request.getfixturevalue("city")
    render_due(now=NOW)
    row = by_hand()
    waiting = Item.objects.filter(key__contains=f"places/{row.pk}/")
    assert set(waiting.values_list("lane", flat=True)) == {Lane.ROUTINE.value}
    render_due(now=NOW)
    assert Page.objects.filter(family="facility").count() == len(LANGUAGES)


def test_a_sheet_for_each_town_and_none_is_urgent(here):
    family = FAMILIES["town-sheets"]
    addresses = list(family.addresses())
    by_hand(kind="aed", name="AED", lat=35.7379, lon=139.5485)
    dict(family.render(addresses[:1]))  # the areas of towns are computed once
    started = time.process_time()
    found = dict(family.render(addresses))
    assert len(found) == 114
    # A few milliseconds each where nothing else runs.
    assert (time.process_time() - started) / len(addresses) < 0.015
    said = text(found[addresses[0]].body)
    assert "泉町一丁目の地図" in said
    assert "Flood" in said
    assert "100 m" in said or "200 m" in said
    assert ">A</text>" in found[addresses[0]].body.decode()
    assert max(len(one.body) for one in found.values() if one) < 60_000
    assert not family.is_linked
    assert list(family.born_of("places:towns")) == addresses
