"""In a drill's home feeds and CAP say that it is one, and no feed of the real world is read."""

import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from unittest.mock import Mock

import feedparser
import pytest
from lxml import etree

from policity.fields.alerts import queries, services
from policity.fields.alerts.formats import read
from policity.fields.alerts.models import Feed
from policity.fields.alerts.presenters import cap
from policity.fields.alerts.presenters.feed import feed
from policity.fields.alerts.tasks.watcher import Watcher
from policity.foundations.delivery.queries import threads
from policity.foundations.places import queries as places
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PREFIXES = {
    "ja": "【訓練】", "ja-easy": "【訓練】", "en": "[Drill]", "zh-hans": "【演练】", "ko": "[훈련]",
}  # fmt: skip


@pytest.fixture
def heard(shared_data):
    data = (shared_data / "jma/official-samples/15_12_02_161130_VPWW54.xml").read_bytes()
    services.ingest(data, source="test", now=read(data).reported_at)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
@pytest.mark.parametrize("drill", [True, False])
def test_a_feed_and_its_entries_are_marked(settings, heard, language, drill):
    settings.DRILL = drill
    found = feedparser.parse(feed(threads(["weather"], 10), language, city_name="市"))
    titles = [found.feed.title, *(entry.title for entry in found.entries)]
    assert found.entries
    assert [title.startswith(PREFIXES[language.code]) for title in titles] == [drill] * len(titles)


@pytest.mark.parametrize(("drill", "status"), [(True, "Exercise"), (False, "Actual")])
def test_cap_is_an_exercise_and_valid(settings, heard, shared_data, drill, status):
    settings.DRILL = drill
    history = queries.event(queries.event_ids()[0])
    assert history
    found = etree.fromstring(cap(history, places.city()))
    for path in ("ibm-cap/CAP-v1.2.xsd", "google-cap-library/schema/cap12.xsd"):
        etree.XMLSchema(etree.parse(shared_data / "cap" / path)).assertValid(found)
    assert found.findtext("{*}status") == status
    headlines = [element.text for element in found.iter("{*}headline")]
    assert [
        said.startswith(prefix) for said, prefix in zip(headlines, PREFIXES.values(), strict=True)
    ] == [drill] * len(LANGUAGES)


@pytest.mark.parametrize("drill", [True, False])
def test_no_feed_is_read(settings, tmp_path, drill):
    settings.DRILL = drill
    Feed.objects.create(kind=Feed.Kind.ATOM, url="https://feed.example/extra.xml", added_at=NOW)
    fetcher = Mock()
    fetcher.get.return_value = Future()
    watcher = Watcher(fetcher, alive=tmp_path / "alive", clock=lambda: NOW)
    watcher.turn(threading.Event())
    watcher.turn(threading.Event())
    assert bool(fetcher.method_calls) is not drill
    assert (tmp_path / "alive").exists()
