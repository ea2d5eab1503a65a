"""CAP alerts as others send them, and our own against the schema of OASIS."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from policity.fields.alerts import formats
from policity.fields.alerts.formats import CapAlert, CapArea, CapInfo, write_cap
from policity.fields.alerts.rules import codes
from policity.fields.alerts.rules.areas import select
from policity.fields.alerts.rules.bulletin import (
    Change,
    Format,
    Ignored,
    InfoType,
    Phenomenon,
    Refused,
    Severity,
    Status,
)

GOOGLE = "google-cap-library/testdata/"


@pytest.fixture(scope="module")
def cap(shared_data):
    return shared_data / "cap"


@pytest.fixture(scope="module")
def read(cap):
    return lambda name: formats.read((cap / name).read_bytes())


@pytest.mark.parametrize(
    ("name", "phenomenon", "severity", "info_type", "areas"),
    [
        ("canada.cap", "thunder", "minor", "correct", 13),
        ("canada_signed.cap", "heavy_snow", "moderate", "correct", 35),
        ("australia.cap", "other", "minor", "issue", 2),
        ("weather.cap", "flood", "severe", "issue", 2),
        ("earthquake.cap", "earthquake", "minor", "issue", 1),
        ("earthquake-iso8859-1.cap", "earthquake", "minor", "issue", 1),
        ("earthquake_signed.cap", "earthquake", "minor", "issue", 1),
        ("wcatwc-warning.cap", "tsunami", "extreme", "correct", 2),
    ],
)
def test_real_alerts(read, name, phenomenon, severity, info_type, areas):
    bulletin = read(GOOGLE + name)
    assert bulletin.format is Format.CAP
    assert bulletin.info_type == info_type
    assert {(e.phenomenon, e.severity, e.level) for e in bulletin.events} == {
        (phenomenon, severity, None)
    }
    assert len(bulletin.events) == areas


def test_languages_fold_into_one(read):
    bulletin = read("ibm-cap/cap_amber_alert_example.xml")
    assert [(e.phenomenon, e.area, e.name) for e in bulletin.events] == [
        (Phenomenon.OTHER, "006037", "Child Abduction")
    ]


def test_places_by_code_and_by_polygon(read):
    bulletin = read(GOOGLE + "canada.cap")
    assert [e.change for e in select(bulletin, ("3537064", "35"))] == [Change.CANCELLED]
    assert select(bulletin, ("1322900", "130000")) == ()
    rings = list(dict.fromkeys(ring for event in bulletin.events for ring in event.rings))
    assert len(rings) == 2
    assert all(ring[0] == ring[-1] for ring in rings)
    assert rings[0][0] == (-82.9314, 42.3481)
    assert bulletin.references == (
        "cap@ec.gc.ca,2.49.0.1.124.a3f342a4.2012",
        "cap@ec.gc.ca,2.49.0.1.124.60f31a3a.2012",
    )
    assert bulletin.valid_until == datetime(2012, 5, 3, 0, 20, tzinfo=UTC)


def test_iso_8859_1_is_not_garbled(read):
    assert "Usulután" in read(GOOGLE + "earthquake-iso8859-1.cap").headline


JST = timezone(timedelta(hours=9))
SENT = datetime(2026, 6, 1, 12, 30, 15, 999, tzinfo=JST)
RING = ((139.5, 35.7), (139.6, 35.7), (139.6, 35.8), (139.5, 35.7))


def info(language="ja", **changes) -> CapInfo:
    plain = CapInfo(
        language=language,
        categories=("Met",),
        event="レベル４大雨危険警報",
        urgency="Immediate",
        severity="Severe",
        certainty="Observed",
        headline="大雨 <危険> & 警戒",
        description="説明",
        instruction="すること",
        response_types=("Evacuate", "Shelter"),
        event_codes=(("policity", "heavy_rain"),),
        parameters=(("level", "4"),),
        effective=SENT,
        onset=SENT,
        expires=SENT + timedelta(hours=6),
        sender_name="見本市",
        web="https://example.jp/alerts/1/",
        areas=(CapArea("見本市", (("JMA", "1322900"),), (RING,)),),
    )
    return replace(plain, **changes)


def alert(**changes) -> CapAlert:
    plain = CapAlert(
        identifier="policity.1.2",
        sender="city@example.jp",
        sent=SENT,
        status="Actual",
        msg_type="Update",
        infos=(info(), info("en"), info("zh-Hans"), info("ko")),
        references=(("city@example.jp", "policity.1.1", SENT - timedelta(hours=1)),),
        note="訂正",
    )
    return replace(plain, **changes)


@pytest.fixture(scope="module")
def schemas(cap):
    """The schema as Google and as IBM carry it; neither imports anything."""
    return [
        etree.XMLSchema(etree.parse(cap / name))
        for name in ("google-cap-library/schema/cap12.xsd", "ibm-cap/CAP-v1.2.xsd")
    ]


@pytest.mark.parametrize(
    "written",
    [
        alert(),
        alert(references=(), note="", msg_type="Alert"),
        alert(status="Exercise", infos=(info(areas=()),)),
        alert(infos=(), msg_type="Cancel"),
        alert(
            infos=(
                info(
                    instruction="", response_types=(), event_codes=(), parameters=(),
                    effective=None, onset=None, expires=None, sender_name="", web="",
                ),
            )
        ),
    ],
    ids=["full", "first", "exercise", "cancel", "least"],
)  # fmt: skip
def test_ours_is_valid_and_read_back(schemas, written):
    data = write_cap(written)
    for schema in schemas:
        schema.assertValid(etree.fromstring(data))
    assert write_cap(written) == data
    bulletin = formats.read(data)
    assert bulletin.identity == "city@example.jp,policity.1.2"
    assert bulletin.references == tuple(",".join(r[:2]) for r in written.references)
    assert bulletin.reported_at == SENT.replace(microsecond=0)
    if written.infos and written.infos[0].areas:
        (event,) = bulletin.events
        assert event.phenomenon is Phenomenon.HEAVY_RAIN
        assert (event.area, event.area_name) == ("1322900", "見本市")
        assert event.name == "レベル４大雨危険警報"
        assert bulletin.headline == "大雨 <危険> & 警戒"
        assert event.rings == (RING,)


def test_a_schema_would_notice(schemas):
    """The proof itself can fail."""
    data = write_cap(alert(status="Real"))
    assert not any(schema.validate(etree.fromstring(data)) for schema in schemas)


@given(st.text(), st.text())
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_written(event, headline):
    etree.fromstring(write_cap(alert(infos=(info(event=event, headline=headline),))))


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a<b", "a&b", "あ\n"])
def test_an_identifier_nobody_could_refer_to(name):
    with pytest.raises(ValueError, match="referred"):
        write_cap(alert(identifier=name))


def test_a_moment_without_a_zone():
    with pytest.raises(ValueError, match="zone"):
        write_cap(alert(sent=datetime(2026, 1, 1)))  # noqa: DTZ001


def changed(old: str, new: str) -> bytes:
    text = write_cap(alert()).decode()
    assert old in text
    return text.replace(old, new).encode()


@pytest.mark.parametrize(
    ("word", "status"),
    [("Exercise", "exercise"), ("Test", "test"), ("System", "test"), ("Draft", "test")],
)
def test_only_actual_is_actual(word, status):
    assert formats.read(changed(">Actual<", f">{word}<")).status == Status(status)


@pytest.mark.parametrize(
    ("word", "info_type"),
    [("Alert", "issue"), ("Update", "correct"), ("Cancel", "cancel"), ("Error", "cancel")],
)
def test_message_types(word, info_type):
    bulletin = formats.read(changed(">Update<", f">{word}<"))
    assert bulletin.info_type == InfoType(info_type)
    assert bulletin.references == ("city@example.jp,policity.1.1",)
    assert bool(bulletin.events) is (word in ("Alert", "Update"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (">Update<", ">Ack<", "acknowledgement"),
        (">Public<", ">Private<", "public"),
        (">Public<", ">Restricted<", "public"),
    ],
)
def test_sound_but_not_for_us(old, new, reason):
    with pytest.raises(Ignored, match=reason):
        formats.read(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (">Actual<", "><", "status"),
        (">Update<", ">Hello<", "msgType"),
        (">Severe<", ">Bad<", "severity"),
        (">policity.1.2<", "><", "identifier"),
        ("<sent>2026-06-01T", "<sent>", "sent"),
        ("35.7,139.5 ", "35.7,139.4 ", "close"),
        ("35.7,139.5 ", "95.7,139.5 ", "world"),
        ("35.7,139.5 ", "nan,139.5 ", "world"),
        ("35.7,139.5 ", "x ", "coordinate"),
        (">レベル４大雨危険警報<", "><", "event"),
        ("cap:1.2", "cap:9.9", "neither"),
    ],
)
def test_broken_alerts_are_refused(old, new, reason):
    with pytest.raises(Refused, match=reason) as refused:
        formats.read(changed(old, new))
    assert not isinstance(refused.value, Ignored)


def test_older_versions_are_read():
    for older in ("urn:oasis:names:tc:emergency:cap:1.1", "http://www.incident.com/cap/1.0"):
        assert formats.read(changed("urn:oasis:names:tc:emergency:cap:1.2", older)).events


def test_a_circle_is_a_ring_around_its_middle():
    circle = "<circle>35.7,139.5 10</circle><geocode>"
    rings = formats.read(changed("<geocode>", circle)).events[0].rings
    assert len(rings) == 2
    ring = rings[1]
    assert ring[0] == ring[-1]
    north = max(lat for _, lat in ring)
    assert north - 35.7 == pytest.approx(10 / 111.2, rel=0.01)
    point = circle.replace(" 10<", " 0<")
    assert len(formats.read(changed("<geocode>", point)).events[0].rings) == 1


def test_the_worst_of_a_language_stands_and_other_languages_add_areas():
    same = info(severity="Extreme")
    other = info("en", areas=(CapArea("Elsewhere", (("JMA", "1322800"),)),))
    bulletin = formats.read(write_cap(alert(infos=(info(), same, other))))
    assert [(e.area, e.severity) for e in bulletin.events] == [
        ("1322900", Severity.EXTREME),
        ("1322800", Severity.SEVERE),
    ]


def test_another_language_adds_nothing_to_an_area_already_named():
    """Its words may be in no table, so its phenomenon would be another one."""
    other = info("xx", event="Zzz", event_codes=())
    bulletin = formats.read(write_cap(alert(infos=(info(), other))))
    assert [e.phenomenon for e in bulletin.events] == [Phenomenon.HEAVY_RAIN]


def test_japanese_is_preferred():
    bulletin = formats.read(write_cap(alert(infos=(info("en", event="Heavy rain"), info()))))
    assert [e.name for e in bulletin.events] == ["レベル４大雨危険警報"]


@pytest.mark.parametrize(
    ("event_codes", "event", "phenomenon"),
    [
        (("FFW",), "anything", "flood"),
        (("XXX",), "Tornado Warning", "tornado"),
        ((), "Coastal Flood Advisory", "storm_surge"),
        ((), "Severe Thunderstorm", "thunder"),
        ((), "Winter Storm Watch", "heavy_snow"),
        ((), "Train derailment", "other"),
        ((), "津波警報", "tsunami"),
        (("structure_fire",), "Fire", "other"),
    ],
)
def test_words_of_events(event_codes, event, phenomenon):
    assert codes.cap_phenomenon(event_codes, event) == Phenomenon(phenomenon)
