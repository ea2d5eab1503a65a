"""What is refused is told in words that say what to do, on the page of whoever asked."""

import pytest
from django.test import Client

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role

pytestmark = pytest.mark.django_db


def test_staff_without_the_role_are_told_in_japanese(client: Client) -> None:
    client.force_login(create(Role.SITE_STAFF, "site"))
    answer = client.get("/staff/audit/")
    assert answer.status_code == 403
    assert "管理者に役割をたのんでください" in answer.content.decode()


def test_a_form_that_was_not_got_from_us_changes_nothing_and_says_so() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(create(Role.COMMANDER, "commander"))
    answer = client.post("/staff/sites/close/", {})
    assert answer.status_code == 403
    assert "もう一度送ってください" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "host", "status", "told"),
    [
        ("/staff/", "evil.example", 400, "受けとれませんでした"),
        ("/register/", "evil.example", 400, "このページはありません"),
        ("/en/register/", "evil.example", 400, '<html lang="en"'),
        ("/nowhere/", "127.0.0.1", 404, "このページはありません"),
        ("/ko/nowhere/", "127.0.0.1", 404, "페이지"),
    ],
)
def test_whoever_comes_in_vain_is_told_in_their_language(
    client: Client, path: str, host: str, status: int, told: str
) -> None:
    answer = client.get(path, headers={"host": host})
    assert (answer.status_code, told in answer.content.decode()) == (status, True)
