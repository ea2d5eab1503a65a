"""The page of components: for all staff, in five languages, with what is really used."""

import pytest

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", Role)
def test_all_staff_see_it_but_experts_from_outside(client, role):
    client.force_login(create(role, "asker"))
    seen = client.get("/staff/components/").status_code
    assert seen == (403 if role is Role.ASSESSOR else 200)


def test_a_stranger_does_not(client):
    assert client.get("/staff/components/").status_code == 302


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_shown_in_each_language(client, language):
    client.force_login(create(Role.VIEWER, "asker"))
    said = client.get(f"/staff/components/?language={language.code}").content.decode()
    assert f'<html lang="{language.html}">' in said
    assert said.count('class="lv lv--') == 5 + 1 + 3
    assert ('<body class="easy">' in said) == (language.code == "ja-easy")
    assert "TemplateDoesNotExist" not in said


def test_another_language_is_japanese(client):
    client.force_login(create(Role.VIEWER, "asker"))
    assert '<html lang="ja">' in client.get("/staff/components/?language=xx").content.decode()
