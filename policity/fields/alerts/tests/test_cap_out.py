"""What our own CAP says as an alert goes on, is said again, is called off, or runs out."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from policity.fields.alerts import queries
from policity.fields.alerts.formats import read
from policity.fields.alerts.presenters import cap
from policity.fields.alerts.services import expire, ingest
from policity.foundations.places import queries as places

pytestmark = pytest.mark.usefixtures("city")

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
THEIRS = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{name}</identifier>
<sender>bosai@example.jp</sender><sent>{sent}</sent><status>Actual</status>
<msgType>{kind}</msgType><scope>Public</scope>{references}
<info><language>en</language><category>Met</category><event>Flash flood</event>
<urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
<eventCode><valueName>SAME</valueName><value>FFW</value></eventCode><expires>{until}</expires>
<area><areaDesc>The city</areaDesc>
<polygon>35.72,139.53 35.74,139.53 35.74,139.56 35.72,139.56 35.72,139.53</polygon>
</area></info></alert>"""


@pytest.fixture
def ours(shared_data):
    """Our CAP of the first event, valid by both schemas."""
    folder = shared_data / "cap"
    schemas = [
        etree.XMLSchema(etree.parse(folder / path))
        for path in ("ibm-cap/CAP-v1.2.xsd", "google-cap-library/schema/cap12.xsd")
    ]

    def ours():
        history = queries.event(queries.event_ids()[0])
        assert history
        body = cap(history, places.city())
        assert body == cap(history, places.city())
        found = etree.fromstring(body)
        for schema in schemas:
            schema.assertValid(found)
        return found

    return ours


def said(found, *names):
    return tuple(found.findtext(f".//{{*}}{name}") for name in names)


def hear(name, minute, *, kind="Alert", references="", until=60):
    def moment(minutes):
        return (NOW + timedelta(minutes=minutes)).isoformat(timespec="seconds")

    if references:
        references = f"<references>bosai@example.jp,{references},{moment(0)}</references>"
    text = THEIRS.format(
        name=name, sent=moment(minute), kind=kind, references=references, until=moment(until)
    )
    return ingest(text.encode(), source="test", now=NOW + timedelta(minutes=minute))


def test_what_runs_out_is_no_all_clear(ours):
    hear("a", 0)
    before = ours()
    assert expire(now=NOW + timedelta(hours=2))
    after = ours()
    assert etree.tostring(after) == etree.tostring(before)
    assert said(after, "msgType", "responseType", "expires") == (
        "Alert",
        "Execute",
        "2026-11-23T10:00:00+00:00",
    )


def test_what_is_called_off_is_an_all_clear(ours):
    hear("a", 0)
    (first,) = said(ours(), "identifier")
    hear("b", 5, kind="Cancel", references="a")
    found = ours()
    assert said(found, "msgType", "responseType", "urgency") == ("Cancel", "AllClear", "Past")
    assert first in found.findtext("{*}references")


def test_what_is_said_again_is_a_message_of_its_own(ours):
    hear("a", 0)
    first = ours()
    hear("b", 30, kind="Update", references="a", until=90)
    again = ours()
    assert said(again, "msgType", "sent", "expires") == (
        "Update",
        "2026-11-23T09:30:00+00:00",
        "2026-11-23T10:30:00+00:00",
    )
    (name,) = said(first, "identifier")
    assert said(again, "identifier") != (name,)
    assert f",{name},2026-11-23T09:00:00+00:00" in again.findtext("{*}references")
    # It still is the last message when its time has run out.
    expire(now=NOW + timedelta(hours=2))
    assert etree.tostring(ours()) == etree.tostring(again)


def test_a_senders_alert_bears_no_code_of_jmas(ours):
    hear("a", 0)
    assert said(ours(), "event", "eventCode") == ("洪水（危険）", None)


def test_an_earthquake_is_not_called_off(ours, shared_data):
    """An epicentre alone is nothing in force: that is no all clear."""
    sample = shared_data / "jma/official-samples/32-35_04_03_240613_VXSE52.xml"
    data = sample.read_bytes()
    ingest(data, source="test", now=read(data).reported_at)
    assert queries.in_force() == ()
    found = ours()
    assert found.findtext("{*}msgType") != "Cancel"
    assert "AllClear" not in [e.text for e in found.iter("{*}responseType")]


def test_jmas_code_is_marked_as_jmas(ours, shared_data):
    data = (shared_data / "jma/official-samples/15_12_02_161130_VPWW54.xml").read_bytes()
    ingest(data, source="test", now=read(data).reported_at)
    codes = ours().findall("{*}info/{*}eventCode")
    assert {tuple(part.text for part in code) for code in codes} == {("JMA", "03")}
