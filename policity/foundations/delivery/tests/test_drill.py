"""In a drill's home every copy says that it is one, and none leaves the home."""

import json
from email import message_from_bytes, policy
from unittest.mock import Mock

import pytest

from policity.foundations.delivery.rules.handing import Result
from policity.foundations.delivery.services import engines
from policity.foundations.delivery.services.composing import Composer
from policity.foundations.delivery.tests.conftest import send_of
from policity.foundations.residents.queries import Recipient
from policity.kit import ruby
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

MARKS = {
    "ja": ("【訓練】", "これは訓練です。"),
    "ja-easy": ("【訓練】", "これは 訓練です。"),
    "en": ("[Drill] ", "This is a drill."),
    "zh-hans": ("【演练】", "这是演练。"),
    "ko": ("[훈련] ", "이것은 훈련입니다."),
}


@pytest.fixture
def copies(city, settings):
    """Subject, mail and notification of one language."""

    def copies(code, *, drill):
        settings.DRILL = drill
        composer = Composer(send_of(severity=Severity.SEVERE))
        to = Recipient(7, code, "p7@example.jp", "", "")
        mail = message_from_bytes(b"".join(composer.mail(to)), policy=policy.default)
        return str(mail["subject"]), mail.get_content(), json.loads(b"".join(composer.push(to)))

    return copies


def unread(text):
    """Without readings in brackets."""
    return text.replace("（くんれん）", "")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_mail_and_notification_begin_with_the_mark(copies, language):
    prefix, sentence = MARKS[language.code]
    subject, mail, shown = copies(language.code, drill=True)
    assert subject.startswith(prefix)
    assert unread(mail).startswith(prefix)
    assert sentence in unread(mail).splitlines()
    assert unread(shown["title"]).startswith(prefix)
    assert unread(shown["body"]).splitlines()[0] == sentence


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_elsewhere_there_is_no_mark(copies, language):
    prefix, sentence = MARKS[language.code]
    for said in map(str, copies(language.code, drill=False)):
        assert prefix.strip() not in ruby.plain(said.replace("{", "").replace("}", ""))
        assert sentence not in said


class Once:
    """A desk with one item, and little patience with who does not take it."""

    def __init__(self, item):
        self.items = [item]
        self.answers = []
        self.patience = 10

    def wait(self, seconds):
        self.patience -= 1
        return bool(self.items) and self.patience > 0

    def take(self, limit):
        return [self.items.pop()] if self.items else []

    def note(self, answers, unbegun):
        self.answers += answers


def test_no_gateway_is_used_whatever_is_set(settings, tmp_path):
    settings.HOME = tmp_path
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    settings.DRILL = True
    for make in (engines._mail, engines._push):
        desk = Once(Mock(message=3, person=7, pieces=(b"text",)))
        make()().run(desk)
        assert [answer.result for answer in desk.answers] == [Result.HANDED]
    names = sorted(file.name for file in (tmp_path / "outbox").iterdir())
    assert names == ["00000003-7.eml", "00000003-7.json"]


def test_elsewhere_the_gateways_are_the_citys(settings, tmp_path):
    settings.HOME = tmp_path
    settings.EMAIL_URL = "smtp://mail.example:25"
    for make in (engines._mail, engines._push):
        assert "outbox" not in repr(make())
