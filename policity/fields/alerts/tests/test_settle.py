"""What a backlog of real telegrams adds up to."""

from datetime import timedelta

import pytest

from policity.fields.alerts.formats import read
from policity.fields.alerts.models import Event, Telegram, Transition
from policity.fields.alerts.rules.response import Responses
from policity.fields.alerts.services import expire, ingest, settle
from policity.foundations.delivery.models import Message
from policity.foundations.work.models import Item

pytestmark = pytest.mark.usefixtures("city")

PLACE = "2920100"
ISSUED, GOES_ON, _, LOWERED, OVER = (
    "15_08_01_130412_VPWW53.xml",
    "15_08_02_130412_VPWW53.xml",
    "15_08_03_160628_VPWW53.xml",
    "15_08_04_160628_VPWW53.xml",
    "15_08_05_130412_VPWW53.xml",
)


@pytest.fixture
def arrive(shared_data):
    """A telegram arrives for Nara: live at its own time, or in a backlog a month later."""

    def arrive(name, *, late, place=PLACE, **changes):
        data = (shared_data / "jma" / "official-samples" / name).read_bytes()
        for old, new in changes.items():
            assert changes[old]
            data = data.replace(*(text.encode() for text in new))
        now = read(data).reported_at + (timedelta(days=30) if late else timedelta(0))
        return ingest(data, source="feed", now=now, place=place, replay=late)

    return arrive


def told_by(steps) -> list[tuple[str, str, int | None, int | None]]:
    assert all(step.message_id for step in steps)
    return [(s.event.phenomenon, s.change, s.level_from, s.level_to) for s in steps]


def settled():
    now = Telegram.objects.order_by("received_at").last().received_at
    return told_by(settle(source="feed", now=now))


def test_nothing_is_told_before_the_end_and_nothing_twice(arrive):
    arrive(ISSUED, late=True)
    arrive(GOES_ON, late=True)
    assert not Message.objects.exists()
    assert {step.action for step in Transition.objects.all()} == {"recorded"}
    assert settled() == [("heavy_rain", "continued", None, 5)]
    assert not Telegram.objects.filter(backlog=True).exists()
    assert settled() == []
    assert Message.objects.count() == 1


def test_pages_are_stale_after_it(arrive):
    arrive(ISSUED, late=True)
    Item.objects.all().delete()
    settled()
    assert Item.objects.exists()


def test_told_then_lowered_unheard(arrive):
    arrive(ISSUED, late=False)
    arrive(LOWERED, late=True)
    assert settled() == [("heavy_rain", "lowered", 5, 2)]


def test_told_then_over_unheard(arrive):
    arrive(ISSUED, late=False)
    arrive(LOWERED, late=True)
    arrive(OVER, late=True)
    assert settled() == [("heavy_rain", "cancelled", 5, None)]
    assert not Event.objects.in_force().exists()


def test_down_and_up_again_is_nobodys_news(arrive):
    arrive(ISSUED, late=False)
    arrive(LOWERED, late=True)
    arrive(
        GOES_ON,
        late=True,
        time=("2011-09-04T00:10:00+09:00", "2011-09-06T00:10:00+09:00"),
    )
    assert settled() == []
    assert Event.objects.in_force().get(phenomenon="heavy_rain").level == 5


def test_over_before_anyone_heard_is_only_recorded(arrive):
    for name in (ISSUED, LOWERED, OVER):
        arrive(name, late=True)
    assert settled() == []
    assert Event.objects.count() == 4


def test_withdrawn_while_away(arrive):
    arrive(ISSUED, late=False)
    arrive(
        ISSUED,
        late=True,
        kind=("<InfoType>発表", "<InfoType>取消"),
        time=("2011-09-03T12:00:00+09:00", "2011-09-03T12:30:00+09:00"),
    )
    assert settled() == [("heavy_rain", "cancelled", 5, None)]
    last = Transition.objects.get(message__isnull=False, change="cancelled")
    assert last.withdrawal


def test_an_error_is_always_taken_back(arrive, monkeypatch):
    arrive(ISSUED, late=False)
    withdrawn = {
        "kind": ("<InfoType>発表", "<InfoType>取消"),
        "time": ("2011-09-03T12:00:00+09:00", "2011-09-03T12:30:00+09:00"),
    }
    with monkeypatch.context() as patch:
        patch.setattr(Responses, "publishes", lambda *_: False)
        arrive(ISSUED, late=True, **withdrawn)
        assert settled() == [("heavy_rain", "cancelled", 5, None)]


def test_the_rules_decide(arrive, monkeypatch):
    arrive(ISSUED, late=False)
    arrive(LOWERED, late=True)
    with monkeypatch.context() as patch:
        patch.setattr(Responses, "publishes", lambda *_: False)
        assert settled() == []


def test_a_withdrawal_after_it_undoes_the_telegrams_own_step_once(arrive):
    arrive(ISSUED, late=True)
    settled()
    arrive(
        ISSUED,
        late=False,
        kind=("<InfoType>発表", "<InfoType>取消"),
        time=("2011-09-03T12:00:00+09:00", "2011-10-04T12:30:00+09:00"),
    )
    event = Event.objects.get(phenomenon="heavy_rain")
    assert event.withdrawn
    assert [(s.change, bool(s.message_id)) for s in event.transitions.all()] == [
        ("issued", False),
        ("continued", True),
        ("cancelled", True),
    ]


def test_a_drill_is_never_told(arrive):
    arrive(ISSUED, late=True, kind=("<Status>通常", "<Status>訓練"))
    assert settled() == []
    assert not Message.objects.exists()


def test_what_ends_by_its_own_time_is_not_told(arrive):
    arrive(ISSUED, late=False)
    now = arrive(LOWERED, late=True).telegram.received_at
    Event.objects.filter(phenomenon="heavy_rain").update(valid_until=now)
    expire(now=now)
    assert settled() == []
    assert not Event.objects.in_force().exists()


def test_what_had_its_time_while_away_is_only_recorded(arrive):
    arrive("19_01_01_091210_VPHW50.xml", late=True, place="130013")
    assert settled() == []
    assert Event.objects.get(phenomenon="tornado").ended_at is not None


def test_only_the_source_that_was_read_to_its_end_is_settled(arrive):
    arrive(ISSUED, late=True)
    now = Telegram.objects.get().received_at
    assert settle(source="another", now=now) == ()
    assert settled() == [("heavy_rain", "continued", None, 5)]
