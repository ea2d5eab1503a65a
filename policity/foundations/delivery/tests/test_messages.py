"""A message is told in every language or not at all."""

from datetime import UTC, datetime, timedelta

import pytest

from policity.foundations.delivery.models import Message
from policity.foundations.delivery.queries import threads
from policity.foundations.delivery.services import tell
from policity.kit.languages import LANGUAGES

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEXTS = {language.code: {"title": language.name, "body": ""} for language in LANGUAGES}

pytestmark = pytest.mark.django_db


def say(thread="story:1", minute=0, texts=TEXTS):
    return tell(
        kind="alert",
        thread=thread,
        severity="severe",
        level=4,
        texts=texts,
        told_at=NOON + timedelta(minutes=minute),
        now=NOON,
    )


@pytest.mark.parametrize("missing", [language.code for language in LANGUAGES])
def test_nobody_is_told_less_than_others(missing):
    with pytest.raises(ValueError, match=missing):
        say(texts={code: text for code, text in TEXTS.items() if code != missing})
    assert not Message.objects.exists()


def test_the_messages_of_a_story_are_one_thread(django_assert_num_queries):
    say("story:1", 0)
    say("story:2", 1)
    last = say("story:1", 2)
    with django_assert_num_queries(1):
        found = threads(["alert"], 10)
    assert [thread.newest.thread for thread in found] == ["story:1", "story:2"]
    assert found[0].newest.id == last.pk
    assert found[0].began_at == NOON
    assert threads(["other"], 10) == ()


def test_only_the_last_messages_are_looked_at():
    say("story:1", 0)
    say("story:2", 1)
    say("story:2", 2)
    assert [thread.newest.thread for thread in threads(["alert"], 2)] == ["story:2"]
