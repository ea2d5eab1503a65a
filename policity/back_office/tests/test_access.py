"""Who may see the board, and who may not."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.services import create_staff
from policity.foundations.accounts.tests.factors import sign_in

pytestmark = pytest.mark.django_db

PASSWORD = "correct-horse-battery"


def staff(role: Role, **changes) -> User:
    today = timezone.localdate()
    options = {"starts": today - timedelta(days=1)} | changes
    return create_staff(
        username=f"sample-{role}",
        password=PASSWORD,
        display_name="見本",
        roles=[role],
        **options,
    )


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ASSESSOR])
def test_every_role_but_the_expert_from_outside_sees_the_board(client: Client, city, role):
    client.force_login(staff(role))
    answer = client.get("/staff/")
    assert answer.status_code == 200
    assert "いま効いているもの" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "changes",
    [
        {"starts": date(2999, 1, 1)},
        {"starts": date(2001, 1, 1), "ends": date(2001, 12, 31)},
    ],
    ids=["not yet", "no more"],
)
def test_a_role_counts_only_in_its_time(client: Client, city, changes):
    client.force_login(staff(Role.EDITOR, **changes))
    assert client.get("/staff/").status_code == 403


def test_an_account_without_a_role_sees_nothing(client: Client, city):
    client.force_login(User.objects.create(username="no-role", is_superuser=True))
    assert client.get("/staff/").status_code == 403


def test_a_stranger_is_asked_to_sign_in(client: Client, city):
    answer = client.get("/staff/")
    assert answer.status_code == 302
    assert answer["Location"] == "/staff/sign-in/?next=/staff/"


def test_who_has_left_cannot_sign_in(client: Client, city):
    user = staff(Role.EDITOR)
    User.objects.filter(pk=user.pk).update(is_active=False)
    answer = client.post("/staff/sign-in/", {"username": user.username, "password": PASSWORD})
    assert answer.status_code == 200
    assert "ちがいます" in answer.content.decode()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/staff/", 405),
        ("get", "/staff/sign-out/", 405),
        ("get", "/staff/nothing/", 404),
    ],
)
def test_wrong_methods_and_addresses(client: Client, city, method, path, status):
    client.force_login(staff(Role.ADMINISTRATOR))
    assert getattr(client, method)(path).status_code == status


def test_sign_in_does_not_lead_elsewhere(client: Client, city):
    user = staff(Role.EDITOR)
    answer = sign_in(client, user, PASSWORD, next="https://example.org/")
    assert answer["Location"] == "/staff/"


def test_an_empty_home_still_has_a_board(client: Client, db):
    client.force_login(staff(Role.ADMINISTRATOR))
    assert "市が読み込まれていません" in client.get("/staff/").content.decode()


def test_the_board_takes_few_queries(client: Client, city, django_assert_max_num_queries):
    client.force_login(staff(Role.ADMINISTRATOR))
    with django_assert_max_num_queries(28):
        client.get("/staff/")
