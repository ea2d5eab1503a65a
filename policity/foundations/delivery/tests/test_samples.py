"""What staff see before they send is what people get."""

import json

import pytest

from policity.foundations.delivery.models import Message
from policity.foundations.delivery.services.composing import Composer, samples
from policity.foundations.delivery.tests.conftest import NOW, TEXTS, send_of
from policity.foundations.residents.queries import Recipient
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")


def test_a_sample_is_made_as_the_real_copies_are():
    dispatch = send_of(severity=Severity.SEVERE)
    found = samples(texts=TEXTS, severity=Severity.SEVERE, path=dispatch.path, now=NOW)
    composer = Composer(dispatch)
    for language in LANGUAGES:
        to = Recipient(7, language.code, "p7@example.jp", "", "")
        shown = json.loads(b"".join(composer.push(to)))
        sample = found[language.code]
        assert (sample.title, sample.notification) == (shown["title"], shown["body"])
        assert sample.title in sample.mail
        assert sample.subject


def test_a_sample_leads_nobody_anywhere_and_is_not_kept():
    found = samples(texts=TEXTS, severity=Severity.SEVERE, path="alerts/1/", now=NOW)
    assert "/reply/…" in found["ja"].mail
    assert "/alerts/1/" in found["ja"].mail
    assert not Message.objects.exists()
