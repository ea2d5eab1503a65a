"""JMA's real telegrams, read; what they say is told apart from the reader by another parser."""

from collections import Counter
from datetime import datetime
from xml.etree import ElementTree

import pytest

from policity.fields.alerts import formats
from policity.fields.alerts.rules.areas import select, spoken
from policity.fields.alerts.rules.bulletin import (
    Change,
    Event,
    Format,
    Generation,
    Ignored,
    InfoType,
    Phenomenon,
    Refused,
    Severity,
    Status,
)
from policity.fields.alerts.sources import folder

HERE = ("1322900", "130013", "130010", "130000", "010300", "351", "13")
METE = "{http://xml.kishou.go.jp/jmaxml1/body/meteorology1/}"
SEIS = "{http://xml.kishou.go.jp/jmaxml1/body/seismology1/}"
INDEX_KINDS = {"VXKOii": "VXKO", "VXSUii": "VXSU", "VXWW40-modified": "VXWW50"}


@pytest.fixture(scope="module")
def jma(shared_data):
    return shared_data / "jma"


@pytest.fixture(scope="module")
def read(jma):
    def _read(name, top="official-samples"):
        return formats.read(folder.read(jma / top / name, limit=formats.LIMIT))

    return _read


def said(event: Event):
    return (event.phenomenon.value, event.severity.value, event.level, event.change.value)


def test_kind_and_head_are_those_of_the_index(jma, read):
    """Every sample is of the kind that its file name tells, with the head of the index."""
    checked = 0
    for line in (jma / "INDEX.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        path, _, _, head_title, reported_at, status, info_type, serial, *_ = line.split("\t")
        if not path.startswith("official-samples/"):
            continue
        try:
            bulletin = read(path.removeprefix("official-samples/"))
        except Ignored as reason:
            bulletin = reason.bulletin
        told = path.removesuffix(".xml").rpartition("_")[2]
        # Telegrams that share a title share its first code.
        told = {"VPTW61": "VPTW60", "VPTW62": "VPTW60", "VYSE52": "VYSE51", "VFSVii": "VFSV"}.get(
            told, INDEX_KINDS.get(told, told)
        )
        assert bulletin.kind == told, path
        assert bulletin.title == head_title.strip(), path
        assert bulletin.reported_at == datetime.fromisoformat(reported_at), path
        assert (status, info_type) == ("通常", "発表")
        assert bulletin.status is Status.ACTUAL
        assert bulletin.info_type is InfoType.ISSUE
        assert bulletin.serial == serial.strip(), path
        assert bulletin.identity
        assert bulletin.office
        checked += 1
    assert checked > 250


WORDS = {
    "発表": {"issued", "raised"},
    "継続": {"continued"},
    "解除": {"cancelled"},
    "特別警報から警報": {"lowered"},
    "特別警報から注意報": {"lowered"},
    "警報から注意報": {"lowered"},
}
GRADES = {
    "特別警報": {"extreme"},
    "危険警報": {"severe"},
    # 高潮警報 of the older generation is level 4.
    "警報": {"moderate", "severe"},
    "注意報": {"minor"},
}


def test_every_warning_of_every_area_is_read(jma, read):
    """Against the standard library's parser: no area, phenomenon or change is lost or invented."""
    files = [
        ("official-samples", f.name) for f in (jma / "official-samples").glob("*VPWW[56]*.xml")
    ] + [("shirasagi", f.name) for f in (jma / "shirasagi").glob("*VPWW53.xml")]
    assert len(files) > 30
    total = 0
    for top, name in files:
        bulletin = read(name, top)
        told: list[list[str]] = []
        stated = set()
        for item in ElementTree.parse(jma / top / name).iter(f"{METE}Item"):  # noqa: S314
            area = item.findtext(f"{METE}Area/{METE}Code") or ""
            for kind in item.findall(f"{METE}Kind"):
                if kind.find(f"{METE}Status") is None:
                    continue  # the quantities of the time series
                stated.add(area)
                if kind.findtext(f"{METE}Code"):
                    told.append([kind.findtext(f"{METE}{tag}", "") for tag in ("Code", "Name")])
                    told[-1] += [area, kind.findtext(f"{METE}Status", "")]
        assert [[e.code, e.name, e.area] for e in bulletin.events] == [t[:3] for t in told], name
        for event, (_, kind_name, _, status) in zip(bulletin.events, told, strict=True):
            assert event.change.value in WORDS[status]
            grade = next(word for word in GRADES if word in kind_name)
            assert event.severity.value in GRADES[grade]
            assert event.phenomenon in bulletin.scope
            if "レベル" in kind_name:
                assert str(event.level) == kind_name[3].translate(str.maketrans("２３４５", "2345"))
        assert bulletin.stated == stated
        total += len(told)
    assert total > 2400


def test_every_intensity_is_read(jma, read):
    total = 0
    for file in (jma / "official-samples").glob("*VXSE5[13]*.xml"):
        told: Counter[tuple[str | None, str]] = Counter()
        for tag in ("Pref", "Area", "City"):
            for place in ElementTree.parse(file).iter(f"{SEIS}{tag}"):  # noqa: S314
                intensity = place.findtext(f"{SEIS}MaxInt") or place.findtext(f"{SEIS}Condition")
                if intensity:
                    told[place.findtext(f"{SEIS}Code"), intensity] += 1
        bulletin = read(file.name)
        if told:
            assert Counter((e.area, e.code) for e in bulletin.events) == told, file.name
        assert {e.subject for e in bulletin.events} == {bulletin.identity}
        total += sum(told.values())
    assert total > 7000


@pytest.mark.parametrize(
    ("name", "lineage", "expected"),
    [
        (
            "15_12_02_161130_VPWW53.xml",
            HERE,
            [
                ("heavy_rain", "moderate", 3, "issued"),
                ("flood", "moderate", 3, "issued"),
                ("thunder", "minor", None, "continued"),
            ],
        ),
        (
            "15_12_02_161130_VPWW54.xml",
            HERE,
            [
                ("heavy_rain", "moderate", 3, "raised"),
                ("flood", "moderate", 3, "raised"),
                ("thunder", "minor", None, "continued"),
            ],
        ),
        # 小笠原村 has every emergency warning.
        (
            "15_12_02_161130_VPWW53.xml",
            ("1342100",),
            [
                ("heavy_rain", "extreme", 5, "continued"),
                ("flood", "moderate", 3, "continued"),
                ("storm", "extreme", None, "continued"),
                ("wave", "extreme", None, "continued"),
                ("storm_surge", "extreme", 4, "continued"),
                ("thunder", "minor", None, "continued"),
            ],
        ),
        # 危険警報 is never shown as 警報; 発表 of what was lower is a raise.
        (
            "15_16_03_241226_VPWW55.xml",
            ("0121400", "011011", "011000"),
            [("heavy_rain", "severe", 4, "raised")],
        ),
        ("15_17_01_250630_VPWW55.xml", ("3252800",), [("heavy_rain", "minor", 2, "cancelled")]),
        ("15_11_01_150916_VPWW54.xml", ("350000",), [
            ("storm_surge", "severe", 4, "issued"),
            ("dry", "minor", None, "issued"),
            ("frost", "minor", None, "issued"),
        ]),
        ("15_11_03_150916_VPWW54.xml", ("1620100",), [
            ("snowstorm", "moderate", None, "continued"),
            ("heavy_snow", "extreme", None, "raised"),
            ("wave", "moderate", None, "raised"),
        ]),
        ("15_09_03_130826_VPWW53.xml", ("300000",), [
            ("heavy_rain", "extreme", 5, "cancelled"),
            ("flood", "moderate", 3, "cancelled"),
            ("wave", "moderate", None, "lowered"),
            ("storm", "minor", None, "lowered"),
        ]),
        ("17_04_01_250630_VXWW50.xml", ("1420600",), [("landslide", "severe", 4, "issued")]),
        ("17_04_03_250630_VXWW50.xml", ("1420600",), [("landslide", "severe", 4, "cancelled")]),
        ("17_04_01_250630_VXWW50.xml", ("1420100", "140000"), []),
        ("18_03_01_190412_VPOA50.xml", ("0110000", "016010"), [
            ("record_rain", "severe", None, "issued")
        ]),
        ("18_03_01_190412_VPOA50.xml", ("0120300", "016020"), []),
        ("19_08_04_250630_VPHW51.xml", ("1110000",), [("tornado", "moderate", None, "issued")]),
        ("19_08_04_250630_VPHW51.xml", ("1120700", "110030", "110000"), []),
        ("82_01_01_241031_VPBS50.xml", ("1210000", "120011", "120010"), [
            ("rainband", "severe", None, "issued")
        ]),
        ("82_01_02_250630_VPBS50.xml", ("0154300", "013012", "013010"), [
            ("record_rain", "severe", None, "issued")
        ]),
        ("82_01_03_241031_VPBS50.xml", ("250020",), [("heavy_snow", "severe", None, "issued")]),
        ("16_01_01_220728_VXKOii.xml", ("123456789012",), [("flood", "minor", 2, "issued")]),
        ("16_02_02_220728_VXKOii.xml", ("4120600", "410000"), [("flood", "moderate", 3, "issued")]),
        ("16_02_02_220728_VXKOii.xml", ("4120100", "410000"), []),
        ("16_04_01_220728_VXKOii.xml", ("123456789012",), [("flood", "extreme", 5, "issued")]),
        ("16_06_01_220728_VXKOii.xml", ("123456789012",), [("flood", "severe", 4, "issued")]),
        ("91_01_01_241031_VXSUii.xml", ("0442101",), [("flood", "minor", 2, "issued")]),
        ("32-35_04_01_100831_VXSE51.xml", ("4620300", "460100", "771", "46"), [
            ("earthquake", "moderate", None, "issued")
        ]),
        # The prefecture shook somewhere; ours did not enough to be told.
        ("32-35_04_01_100831_VXSE51.xml", ("4621500", "460100", "999", "46"), []),
        ("32-35_04_04_240613_VXSE53.xml", ("4649200",), [
            ("earthquake", "moderate", None, "issued")
        ]),
        ("32-35_06_03_240613_VXSE53.xml", ("0421300", "220"), [
            ("earthquake", "extreme", None, "issued")
        ]),
        ("32-35_04_04_240613_VXSE53.xml", HERE, []),
        ("32-35_04_03_240613_VXSE52.xml", HERE, [("earthquake", "minor", None, "issued")]),
        ("32-39_05_12_100831_VXSE53.xml", HERE, [("earthquake", "minor", None, "issued")]),
        ("32-39_11_02_250206_VTSE41.xml", ("310",), [("tsunami", "severe", None, "issued")]),
        ("32-39_11_06_250206_VTSE41.xml", ("201",), [("tsunami", "extreme", None, "raised")]),
        ("32-39_11_06_250206_VTSE41.xml", ("300",), [("tsunami", "severe", None, "continued")]),
        # 310 is also an intensity area: a coast's warning is not an inland city's.
        # 310 may be an intensity area of a city without a sea; a coast is marked as one.
        ("32-39_11_02_250206_VTSE41.xml", ("0920100", "090000", "310"), []),
        (
            "32-39_11_02_250206_VTSE41.xml",
            ("1234567", "coast:310"),
            [("tsunami", "severe", None, "issued")],
        ),
        ("32-39_11_13_250206_VTSE41.xml", ("210",), [("tsunami", "minor", None, "lowered")]),
        ("38-39_02_04_250206_VTSE41.xml", ("771",), [("tsunami", "moderate", None, "cancelled")]),
        ("45_01_01_200522_VFVO50.xml", ("306",), [("volcano", "moderate", None, "raised")]),
        ("45_02_01_200522_VFVO50.xml", ("1438200",), [("volcano", "extreme", None, "issued")]),
        ("45_03_01_200731_VFVO50.xml", ("1042600",), [("volcano", "moderate", None, "cancelled")]),
        ("45_03_01_200731_VFVO50.xml", ("1042100",), []),
        ("67_01_01_140927_VFVO56.xml", ("2042900",), [("volcano", "severe", None, "issued")]),
        ("57_03_01_240401_VPFT50.xml", ("1110000", "110000"), [
            ("heat", "moderate", None, "issued")
        ]),
    ],
)  # fmt: skip
def test_what_a_place_is_told(read, name, lineage, expected):
    assert [said(e) for e in select(read(name), lineage)] == expected


def test_scope_and_silence(read):
    """発表警報・注意報はなし is no event, but the place is spoken of: all is over there."""
    bulletin = read("15_17_01_250630_VPWW55.xml")
    quiet = bulletin.stated - {e.area for e in bulletin.events}
    assert quiet
    assert bulletin.scope == {Phenomenon.HEAVY_RAIN}
    assert spoken(bulletin, (min(quiet),)) == min(quiet)
    old = read("15_12_02_161130_VPWW54.xml")
    assert Phenomenon.LANDSLIDE not in old.scope
    assert Phenomenon.TORNADO not in old.scope
    assert {Phenomenon.FLOOD, Phenomenon.HEAVY_RAIN, Phenomenon.OTHER} < old.scope
    assert not read("32-35_04_04_240613_VXSE53.xml").scope


def test_generations(read):
    assert read("15_12_02_161130_VPWW54.xml").generation is Generation.OLD
    assert read("15_17_01_250630_VPWW55.xml").generation is Generation.NEW
    assert read("16_02_02_220728_VXKOii.xml").generation is Generation.OLD
    assert read("91_01_01_241031_VXSUii.xml").generation is Generation.NEW


def test_names_are_as_told(read):
    assert {e.name for e in read("17_04_01_250630_VXWW50.xml").events} == {
        "レベル４土砂災害危険警報"
    }
    assert {e.name for e in read("17_03_01_190529_VXWW50.xml").events} == {"土砂災害警戒情報"}
    assert "震度５弱以上未入電" in {e.name for e in read("32-35_06_03_240613_VXSE53.xml").events}
    assert {e.name for e in read("45_02_01_200522_VFVO50.xml").events} == {
        "レベル５（避難）",
        "噴火警報：避難等",
    }
    named = {e.code: e.name for e in read("32-35_07_06_240613_VXSE53.xml").events}
    assert named["6-"] == "震度６弱"


def test_subjects_tell_apart_what_runs_side_by_side(read):
    assert {e.subject for e in read("16_02_02_220728_VXKOii.xml").events} == {"890904000100"}
    assert {e.subject for e in read("45_01_01_200522_VFVO50.xml").events} == {"306"}
    assert {e.subject for e in read("82_01_03_241031_VPBS50.xml").events} == {"短時間大雪"}
    assert {e.subject for e in read("15_12_02_161130_VPWW54.xml").events} == {""}


def test_ends_that_are_told(read):
    def until(name: str) -> datetime | None:
        found: datetime | None = read(name).valid_until
        return found

    assert until("19_08_04_250630_VPHW51.xml") == datetime.fromisoformat(
        "2015-07-17T10:30:00+09:00"
    )
    assert until("32-39_11_13_250206_VTSE41.xml") is not None
    assert until("57_03_01_240401_VPFT50.xml") == datetime.fromisoformat(
        "2024-08-12T00:00:00+09:00"
    )
    assert until("15_12_02_161130_VPWW53.xml") is None


def test_cancellation_finds_what_it_withdraws(read):
    shaken = read("70_32-35_06_100915_03zenkokusaisumo1.xml", "shirasagi")
    cancelled = read("70_32-35_06_100915_06zenkokusaisumo1.xml", "shirasagi")
    assert cancelled.info_type is InfoType.CANCEL
    assert cancelled.events == ()
    assert cancelled.references == (shaken.identity,)
    assert cancelled.kind == shaken.kind


def test_exercise_is_not_actual(read):
    drill = read("32-39_12_13_191025_VTSE41.xml.gz", "shirasagi")
    assert drill.status is Status.EXERCISE
    assert drill.format is Format.JMX


@pytest.fixture(scope="module")
def warning(jma):
    return (jma / "official-samples" / "15_17_01_250630_VPWW55.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("<Status>通常</Status>", "<Status>本番</Status>"), "Control/Status"),
        (("<InfoType>発表</InfoType>", "<InfoType>予告</InfoType>"), "Head/InfoType"),
        (("11:19:00+09:00</ReportDateTime>", "11:19:00</ReportDateTime>"), "not a moment"),
        (("<Warning ", "<Warming "), "not well-formed"),
    ],
)
def test_telegram_that_cannot_be_trusted_is_refused(warning, change, message):
    with pytest.raises(Refused, match=message) as refused:
        formats.read(warning.replace(*change).encode())
    assert not isinstance(refused.value, Ignored)


def test_warning_that_names_no_area_is_refused(warning):
    text = warning.replace("<Warning ", "<Warming ").replace("</Warning>", "</Warming>")
    with pytest.raises(Refused, match="names no area"):
        formats.read(text.encode())


def test_unknown_code_keeps_its_name(warning):
    """A code from the future is neither lost nor does it break the rest."""
    text = warning.replace("<Code>03</Code>", "<Code>99</Code>").replace("大雨警報", "砂嵐警報")
    bulletin = formats.read(text.encode())
    storms = [e for e in bulletin.events if e.code == "99"]
    assert {(e.phenomenon, e.severity, e.level) for e in storms} == {
        (Phenomenon.OTHER, Severity.MODERATE, None)
    }
    assert "砂嵐警報" in storms[0].name
    assert any(e.phenomenon is Phenomenon.HEAVY_RAIN for e in bulletin.events)


def test_unknown_status_is_in_force(warning):
    text = warning.replace("<Status>継続</Status>", "<Status>変更</Status>")
    assert {e.change for e in formats.read(text.encode()).events} <= {
        Change.ISSUED,
        Change.RAISED,
        Change.CANCELLED,
    }


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("危険警報から警報", Change.LOWERED),
        ("特別警報から危険警報", Change.LOWERED),
        ("警報から危険警報", Change.RAISED),
    ],
)
def test_turns_between_tiers(warning, status, change):
    text = warning.replace("<Status>継続</Status>", f"<Status>{status}</Status>")
    changes = Counter(e.change for e in formats.read(text.encode()).events)
    assert changes[change] == 24


def test_unknown_title_is_ignored_with_its_head(warning):
    text = warning.replace("気象警報・注意報（Ｒ０６）（大雨）", "月の満ち欠け")
    with pytest.raises(Ignored, match="月の満ち欠け") as ignored:
        formats.read(text.encode())
    assert ignored.value.bulletin.title == "島根県大雨警報・注意報"
    assert ignored.value.bulletin.events == ()


@pytest.mark.parametrize(
    ("name", "code", "condition", "expected"),
    [
        ("氾濫注意情報解除", "10", "洪水注意報解除", ("minor", 2, "cancelled")),
        ("氾濫注意情報", "21", "洪水注意報", ("minor", 2, "continued")),
        ("氾濫注意情報（警戒情報解除）", "22", "洪水注意報（警報解除）", ("minor", 2, "lowered")),
        ("氾濫警戒情報", "31", "洪水警報", ("moderate", 3, "continued")),
        ("氾濫危険情報", "41", "洪水警報", ("severe", 4, "issued")),
        ("氾濫発生情報", "51", "洪水警報", ("extreme", 5, "issued")),
        ("レベル４氾濫危険警報", "40", "レベル４氾濫危険警報（発表）", ("severe", 4, "issued")),
        ("レベル４氾濫危険警報", "41", "レベル４氾濫危険警報", ("severe", 4, "continued")),
        ("レベル５氾濫特別警報", "51", "レベル５氾濫特別警報", ("extreme", 5, "issued")),
        ("レベル２氾濫注意報解除", "10", "レベル２氾濫注意報解除", ("minor", 2, "cancelled")),
        ("はん濫発生情報", "00", "洪水警報（発表）", ("extreme", 5, "issued")),
        ("はん濫危険情報", "00", "洪水警報（発表）", ("severe", 4, "issued")),
        ("はん濫警戒情報", "00", "洪水警報（発表）", ("moderate", 3, "issued")),
    ],
)
def test_river_levels_of_both_generations(jma, name, code, condition, expected):
    text = (jma / "official-samples/16_02_02_220728_VXKOii.xml").read_text(encoding="utf-8")
    text = (
        text.replace("<Name>氾濫警戒情報</Name>", f"<Name>{name}</Name>")
        .replace("<Code>30</Code>", f"<Code>{code}</Code>")
        .replace("<Condition>洪水警報（発表）</Condition>", f"<Condition>{condition}</Condition>")
    )
    bulletin = formats.read(text.encode())
    assert {said(e)[1:] for e in bulletin.events} == {expected}
    assert bulletin.generation is (Generation.NEW if "レベル" in name else Generation.OLD)


def test_heat_alert_of_the_evening_is_for_tomorrow(jma):
    text = (jma / "official-samples/57_03_01_240401_VPFT50.xml").read_text(encoding="utf-8")
    evening = text.replace("T05:00:00", "T17:00:00").replace("今日（１１日）は", "明日（１２日）は")
    until = formats.read(evening.encode()).valid_until
    assert until == datetime.fromisoformat("2024-08-13T00:00:00+09:00")
