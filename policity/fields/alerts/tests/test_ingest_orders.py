"""発表, 訂正 and 取消 in every order: what stands is what was said last and not taken back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policity.fields.alerts import queries
from policity.fields.alerts.models import Event, Transition
from policity.fields.alerts.services import expire, ingest
from policity.foundations.delivery.models import Message

pytestmark = pytest.mark.usefixtures("city")

SAGA = "410000"
BEGAN = datetime(2021, 8, 13, 6, tzinfo=UTC)
NAMES = {
    "20": "氾濫注意情報",
    "30": "氾濫警戒情報",
    "40": "氾濫危険情報",
    "50": "氾濫発生情報",
}
# What the telegram says of the river: its level, or (訂正) nothing of this river at all.
CODES = st.sampled_from(["20", "30", "40", "50"])


@dataclass(frozen=True)
class Said:
    """One telegram of the office, at its own minute."""

    info_type: str
    code: str | None


ISSUES = st.builds(Said, st.just("発表"), CODES)
CORRECTIONS = st.builds(Said, st.just("訂正"), st.none() | CODES)
WITHDRAWALS = st.builds(Said, st.just("取消"), st.just("30"))
STORIES = st.lists(ISSUES | CORRECTIONS | WITHDRAWALS, min_size=1, max_size=7)


@pytest.fixture(scope="module")
def river(shared_data):
    """One telegram of a river, as the office would write it."""
    sample = shared_data / "jma" / "official-samples" / "16_02_02_220728_VXKOii.xml"
    text = sample.read_text("utf-8")

    def river(said, minute):
        at = (BEGAN + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        changed = text.replace("2021-08-13T15:10:00+09:00", at)
        assert changed != text
        changed = changed.replace("<InfoType>発表", f"<InfoType>{said.info_type}")
        changed = changed.replace("<Code>30</Code>", f"<Code>{said.code or '30'}</Code>")
        if said.code is None:
            changed = changed.replace("<Code>410000</Code>", "<Code>430000</Code>")
        return changed.encode()

    return river


def take_all(story, river, order=None):
    for minute in order or range(len(story)):
        ingest(
            river(story[minute], minute),
            source="test",
            place=SAGA,
            now=BEGAN + timedelta(minutes=len(story)),
        )


def stands_after(story):
    """The level that stands: a list of announcements, of which 取消 takes the last away."""
    announced: list[int | None] = []
    for said in story:
        level = int(said.code[0]) if said.code else None
        if said.info_type == "取消":
            announced = announced[:-1]
        elif said.info_type == "訂正" and announced:
            announced[-1] = level
        else:
            announced.append(level)
    return announced[-1] if announced else None


def knowledge():
    """The level people were last told of, None where they were told of its end, or nothing."""
    last = Transition.objects.filter(message__isnull=False).order_by("pk").last()
    return last.level_to if last else None


EXAMPLES = settings(
    max_examples=80,
    deadline=None,
    # Each example ends in a rollback: the fixtures are as they were.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


# A correction leaves the river out, the next one has it again: what was begun by it is undone too.
LEFT_OUT = [Said("発表", "20"), Said("発表", "20"), Said("訂正", None), Said("訂正", "20")]


@EXAMPLES
@given(story=STORIES)
@example(story=[*LEFT_OUT, Said("取消", "30")])
# What came back by that is what the next telegram goes on with.
@example(story=[*LEFT_OUT, Said("取消", "30"), Said("発表", "20")])
@example(story=[*LEFT_OUT, Said("取消", "30"), Said("発表", "40")])
def test_what_stands_is_what_was_said_last_and_not_taken_back(story, river):
    with transaction.atomic():
        take_all(story, river)
        found = [event.level for event in queries.in_force()]
        expected = stands_after(story)
        assert found == ([expected] if expected else [])
        told = knowledge()
        assert told == expected or (told is None and expected == 2), (told, expected)
        transaction.set_rollback(True)


@EXAMPLES
@given(story=STORIES, data=st.data())
def test_in_any_order_of_arrival_no_newer_word_is_lost(story, data, river):
    order = data.draw(st.permutations(range(len(story))))
    with transaction.atomic():
        take_all(story, river, order)
        found = [event.level for event in queries.in_force()]
        if story[-1].info_type != "取消" and story[-1].code:
            assert found == [int(story[-1].code[0])]
        assert len(found) <= 1
        told = knowledge()
        assert told in found or (told is None and found in ([], [2])), (told, found)
        transaction.set_rollback(True)


def test_a_correction_goes_with_what_it_corrected(river):
    take_all([Said("発表", "30"), Said("訂正", "40")], river)
    before = Message.objects.count()
    take_all([None, None, Said("取消", "40")], river, order=[2])
    assert queries.in_force() == ()
    # One message for the whole of it, and not "lowered" on the way.
    assert Message.objects.count() == before + 1
    assert "取り消し" in Message.objects.order_by("-pk")[0].texts["ja"]["title"]


def test_what_ran_out_before_it_was_taken_back_is_called_an_error(shared_data):
    data = (shared_data / "jma/official-samples/19_01_01_091210_VPHW50.xml").read_bytes()
    place = "130010"
    begun = ingest(data, source="test", place=place, now=datetime(2009, 8, 9, 22, 40, tzinfo=UTC))
    (event,) = [t.event for t in begun.transitions]
    later = event.valid_until
    assert later is not None
    expire(now=later)
    assert queries.in_force() == ()
    withdrawal = data.replace("<InfoType>発表".encode(), "<InfoType>取消".encode())
    assert withdrawal != data
    found = ingest(withdrawal, source="test", place=place, now=later)
    assert [(t.change, t.withdrawal, t.action) for t in found.transitions] == [
        ("cancelled", True, "published")
    ]
    assert "取り消し" in Message.objects.order_by("-pk")[0].texts["ja"]["title"]
    assert Event.objects.get().withdrawn
