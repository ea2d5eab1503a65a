"""Numbers for monitoring: true, of nobody, and there as far as they can be without the database."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

import policity
from policity.back_office.tests.test_health import away, well  # noqa: F401  # a fixture
from policity.fields.alerts.models import Feed
from policity.foundations.continuity import queries
from policity.foundations.continuity.services import note
from policity.foundations.delivery.models import Alarm
from policity.foundations.delivery.services import send, tell
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.work.services import put
from policity.kit.declare import Lane
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

RULES = Path(policity.__path__[0]).parent / "deploy/prometheus/policity.rules.yml"


def read(client: Client) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def busy(well):  # noqa: F811
    now = timezone.now()
    put("t.kind", ["a", "b"], lane=Lane.URGENT, due=now - timedelta(seconds=90))
    texts = {one.code: {"title": "t", "body": "b"} for one in LANGUAGES}
    message = tell(
        kind="weather", thread="t:1", severity=Severity.SEVERE, level=4, texts=texts,
        told_at=now, now=now,
    )  # fmt: skip
    send(messages=[message], audience=Audience("weather", Severity.SEVERE), by=None, now=now)
    Alarm.objects.create(
        message=message, person=7, town="泉町", language="ja", raised_at=now, phone="0426012345"
    )
    note(
        well, queries.FILE,
        {"at": (now - timedelta(seconds=42)).isoformat(), "generation": "x", "changes": 0},
    )  # fmt: skip
    return message.pk


def test_numbers_are_what_is(client, busy):
    found = read(client)
    assert found["policity_work_due", "t.kind", "urgent"] == 2
    assert 89 < found["policity_work_oldest_seconds", "t.kind", "urgent"] < 120
    assert found["policity_calls_open",] == found["policity_calls_untaken",] == 1
    assert 41 < found["policity_copy_age_seconds",] < 60
    assert found["policity_state", "disk"] == 0
    assert found["policity_disk_free_bytes",] == 100 * (1 << 30)
    assert found["policity_persons", str(busy), "handed"] == 0
    assert 0 <= found["policity_feed_age_seconds", Feed.objects.get().url] < 60
    assert 0 <= found["policity_heartbeat_age_seconds", "worker"] < 60


def test_nobody_stands_in_them(client, busy):
    text = client.get("/metrics").content.decode()
    for word in ("0426012345", "泉町", "@"):
        assert word not in text


def test_without_the_database_what_is_known_without_it_comes(client, busy):
    with away():
        found = read(client)
    assert found["policity_state", "database"] == 3
    assert "policity_disk_free_bytes" in {name for name, *_ in found}
    assert not any(name.startswith(("policity_work", "policity_calls")) for name, *_ in found)


def test_alarms_are_about_numbers_that_exist(client, busy):
    names = {name for name, *_ in read(client)}
    asked = set(re.findall(r"policity_\w+", RULES.read_text("utf-8")))
    assert len(asked) >= 5
    assert asked <= names
