"""Who may open accounts and give roles, to whom, and that an administrator is left."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from policity.foundations.accounts.models import AuditEntry, Role, RoleGrant, User
from policity.foundations.accounts.policies import MAY, Act, where
from policity.foundations.accounts.queries import in_charge, offices, people, roles
from policity.foundations.accounts.services import create_staff, keys, staff
from policity.foundations.accounts.services.staff import StaffRefused
from policity.foundations.accounts.tests.factors import App

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def today(now):
    return timezone.localdate(now)


def person(name, *held, **changes) -> User:
    options = {"starts": timezone.localdate() - timedelta(days=9)} | changes
    return create_staff(
        username=name, password="correct-horse-battery", display_name=f"見本 {name}", roles=held,
        **options,
    )  # fmt: skip


@pytest.fixture
def admin():
    return person("admin", Role.ADMINISTRATOR)


@pytest.fixture
def second(admin):
    return person("second", Role.ADMINISTRATOR)


def give(user, role, *, by, now, **changes):
    options: dict[str, Any] = {"towns": [], "starts": timezone.localdate(now), "ends": None}
    options |= changes
    return staff.give_role(user=user, role=role, by=by, now=now, **options)


def open_one(by, now, **changes) -> User:
    said = {"username": "new", "display_name": "見本 新人", "email": ""} | changes
    return staff.open_account(by=by, now=now, **said)


WRITES = {
    "open": lambda user, by, now: open_one(by, now),
    "give": lambda user, by, now: give(user, Role.VIEWER, by=by, now=now),
    "end a role": lambda user, by, now: staff.end_role(
        grant=user.grants.get().pk, last_day=timezone.localdate(now), by=by, now=now
    ),
    "end": lambda user, by, now: staff.end_account(
        user=user, last_day=timezone.localdate(now), by=by, now=now
    ),
    "reset": lambda user, by, now: staff.reset(user=user, by=by, now=now),
    "link": lambda user, by, now: staff.link(
        User.objects.create(username="linked", password="!"), by=by, now=now
    ),
}


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize("what", WRITES)
def test_who_may_and_who_may_not(now, admin, what, role):
    by = person("by", role) if role else person("by")
    other = person("other", Role.EDITOR)
    before = AuditEntry.objects.count()
    if role is Role.ADMINISTRATOR:
        WRITES[what](other, by, now)
        assert AuditEntry.objects.count() > before
    else:
        with pytest.raises(StaffRefused, match="権限がありません"):
            WRITES[what](other, by, now)
        assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("what", ["give", "end a role", "end", "reset"])
def test_nobody_changes_what_they_may_themselves(now, admin, second, what):
    with pytest.raises(StaffRefused, match="ほかの管理者に頼んで"):
        WRITES[what](admin, admin, now)
    WRITES[what](admin, second, now)


def test_a_new_account_has_no_password_and_no_role(now, today, admin):
    user = open_one(admin, now)
    assert not user.has_usable_password()
    assert roles(user, on=today) == frozenset()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"username": "admin"}, "もう使われています"),
        ({"username": "ADMIN"}, "もう使われています"),
        ({"username": "break-glass"}, "もう使われています"),
        ({"username": "職員"}, "職員IDは"),
        ({"username": "a b"}, "職員IDは"),
        ({"username": ""}, "職員IDは"),
        ({"username": "a" * 151}, "職員IDは"),
        ({"display_name": " "}, "名前を"),
        ({"email": "nobody"}, "メールアドレスを"),
        ({"email": "Taken@example.jp"}, "ほかの職員"),
    ],
)
def test_what_cannot_be_an_account_is_refused(now, admin, changes, says):
    User.objects.filter(pk=admin.pk).update(email="taken@example.jp")
    with pytest.raises(StaffRefused, match=says):
        open_one(admin, now, **changes)
    assert User.objects.count() == 1


def test_a_role_holds_in_its_time_and_its_towns(now, today, admin):
    user = open_one(admin, now)
    tomorrow = today + timedelta(days=1)
    give(user, Role.SITE_STAFF, by=admin, now=now, towns=["見本町"], starts=tomorrow, ends=tomorrow)
    held = [roles(user, on=today + timedelta(days=n)) for n in range(3)]
    assert held == [frozenset(), {Role.SITE_STAFF}, frozenset()]
    assert where(user, Act.OPEN_SITES, on=tomorrow) == frozenset({"見本町"})
    assert where(user, Act.EDIT_RULES, on=tomorrow) == frozenset()
    # A second role for the whole city is not narrowed by the first.
    give(user, Role.DUTY_OFFICER, by=admin, now=now)
    assert where(user, Act.OPEN_SITES, on=tomorrow) is None


@pytest.mark.parametrize("role", [one for one in Role if not one.by_town])
def test_a_role_for_some_towns_is_no_role_for_the_whole_city(now, today, admin, role):
    user = open_one(admin, now)
    with pytest.raises(StaffRefused, match="町をかぎれません"):
        give(user, role, by=admin, now=now, towns=["見本町"])
    assert not user.grants.exists()
    # Nor is one that is there already, from a version that gave them.
    RoleGrant.objects.create(user=user, role=role, towns=["見本町"], starts=today)
    assert roles(user, on=today) == frozenset()
    assert offices(user, on=today) == ()
    assert not any(where(user, act, on=today) is None for act in Act)


def test_whoever_is_held_to_towns_does_nothing_beyond_them():
    for role in Role:
        if role.by_town:
            own = {act for act, who in MAY.items() if role in who}
            assert own == {Act.SEE_BOARD, Act.OPEN_SITES}


@pytest.mark.parametrize(("starts", "ends"), [(0, -1), (-9, -1), (5, 4)])
def test_a_time_that_is_none_is_refused(now, today, admin, starts, ends):
    user = open_one(admin, now)
    starts, ends = today + timedelta(days=starts), today + timedelta(days=ends)
    with pytest.raises(StaffRefused, match="終わりの日"):
        give(user, Role.VIEWER, by=admin, now=now, starts=starts, ends=ends)


def test_a_leaver_holds_all_they_held_until_the_day_and_nothing_after(now, today, admin):
    user = person("leaver", Role.EDITOR, Role.VIEWER)
    later = give(user, Role.COMMANDER, by=admin, now=now, starts=today + timedelta(days=30))
    staff.end_account(user=user, last_day=today + timedelta(days=2), by=admin, now=now)
    held = [roles(user, on=today + timedelta(days=n)) for n in (0, 2, 3, 30)]
    assert held == [{Role.EDITOR, Role.VIEWER}] * 2 + [frozenset()] * 2
    assert not RoleGrant.objects.filter(pk=later.pk).exists()


def test_what_is_long_past_is_not_written_over(now, today, admin):
    user = person("leaver", Role.EDITOR)
    with pytest.raises(StaffRefused, match="きのうか、それより後"):
        staff.end_account(user=user, last_day=today - timedelta(days=2), by=admin, now=now)
    staff.end_account(user=user, last_day=today - timedelta(days=1), by=admin, now=now)
    assert roles(user, on=today) == frozenset()


def test_an_administrator_is_left_on_the_day_after(now, today, admin, second):
    def leaves(user, days):
        last_day = today + timedelta(days=days)
        staff.end_account(user=user, last_day=last_day, by=None, now=now)

    leaves(second, 5)
    # The second one is there on the fifth day, and not on the sixth.
    with pytest.raises(StaffRefused, match="管理者が一人もいなくなります"):
        leaves(admin, 5)
    grant = admin.grants.get()
    with pytest.raises(StaffRefused, match="管理者が一人もいなくなります"):
        staff.end_role(grant=grant.pk, last_day=today + timedelta(days=9), by=None, now=now)
    assert admin.grants.get().ends is None
    leaves(admin, 4)


def test_a_made_up_administrator_is_none_outside_the_demo(now, today, admin):
    person("made-up", Role.ADMINISTRATOR, is_sample=True)
    with pytest.raises(StaffRefused, match="管理者が一人もいなくなります"):
        staff.end_account(user=admin, last_day=today, by=None, now=now)


def test_a_link_lets_its_owner_set_a_password_once(now, admin):
    user = open_one(admin, now)
    number, token = staff.link(user, by=admin, now=now).split("/")
    assert staff.owner_of(number, token) == user
    with pytest.raises(ValidationError):
        staff.set_password("short", user=user, by=user, now=now)
    staff.set_password("correct-horse-battery", user=user, by=user, now=now)
    assert staff.owner_of(number, token) is None
    with pytest.raises(StaffRefused, match="もうパスワードがあります"):
        staff.link(user, by=admin, now=now)


def test_a_link_that_is_old_forged_or_somebody_elses_is_none(now, admin):
    user, other = open_one(admin, now), open_one(admin, now, username="other")
    number, token = staff.link(user, by=admin, now=now).split("/")
    others_number, _ = staff.link(other, by=admin, now=now).split("/")
    for one, two in ((others_number, token), (number, token[:-1] + "x"), ("x", token), ("", "")):
        assert staff.owner_of(one, two) is None
    for hours, owner in ((71, user), (73, None)):
        # A number: a moment with a zone would move this process into that zone.
        with time_machine.travel((now + timedelta(hours=hours)).timestamp()):
            assert staff.owner_of(number, token) == owner


def test_who_has_a_password_is_not_let_in_by_a_link(now, admin):
    """Else whoever reads a mail would be whom it was for."""
    user = person("settled", Role.EDITOR)
    number, token = staff.link_of(user).split("/")
    assert staff.owner_of(number, token) is None


def test_a_reset_leaves_nothing_that_opens(now, admin):
    user = person("lost", Role.EDITOR)
    App(user)
    old = staff.link_of(user)
    staff.reset(user=user, by=admin, now=now)
    user.refresh_from_db()
    assert not keys.has_keys(user)
    assert keys.keys_of(user).left == 0
    assert not user.check_password("correct-horse-battery")
    assert staff.owner_of(*old.split("/")) is None
    assert staff.owner_of(*staff.link(user, by=admin, now=now).split("/")) == user


def test_the_last_key_stays_where_one_is_needed(now, admin):
    App(admin)
    (key,) = keys.keys_of(admin).keys
    with pytest.raises(keys.KeyRefused, match="最後の一つ"):
        keys.remove_key(key.id, by=admin, must_have=True, now=now)
    other = person("other", Role.EDITOR)
    with pytest.raises(keys.KeyRefused, match="もうありません"):
        keys.remove_key(key.id, by=other, must_have=False, now=now)
    keys.remove_key(key.id, by=admin, must_have=False, now=now)
    assert keys.keys_of(admin) == keys.Keys((), 0)


def test_a_copy_of_the_database_has_no_secret_in_it(now, admin):
    app = App(admin)
    codes = keys.new_recovery_codes(by=admin, now=now)
    kept = " ".join(str(row.data) for row in Authenticator.objects.all())
    assert app.secret not in kept
    assert not [code for code in codes if code in kept]


def test_who_is_in_charge_is_who_can_be_mailed_and_holds_such_a_role_today(now, today, settings):
    for name, role, changes in (
        ("commander", Role.COMMANDER, {}),
        ("officer", Role.DUTY_OFFICER, {}),
        ("chief", Role.ADMINISTRATOR, {}),
        ("editor", Role.EDITOR, {}),
        ("gone", Role.COMMANDER, {"ends": today - timedelta(days=1)}),
        ("made-up", Role.COMMANDER, {"is_sample": True}),
        ("no-mail", Role.COMMANDER, {}),
    ):
        user = person(name, role, **changes)
        User.objects.filter(pk=user.pk).exclude(username="no-mail").update(
            email=f"{name}@example.jp"
        )
    assert [one.username for one in in_charge(on=today)] == ["commander", "officer", "chief"]


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_for_one_and_for_many(count, django_assert_num_queries):
    for number in range(count):
        App(person(f"p{number}", Role.EDITOR))
    with django_assert_num_queries(4):
        assert len(people()) == count


def test_people_are_found_by_name_number_and_address(admin):
    User.objects.filter(pk=person("zz", Role.EDITOR).pk).update(email="who@example.jp")
    assert [one.username for one in people("zz")] == ["zz"]
    assert [one.username for one in people("見本 who@")] == ["zz"]
    assert people("nobody") == ()


# The commands, for a home that is empty.


def run(capsys, *words, **options) -> str:
    call_command("accounts", *words, **options)
    return str(capsys.readouterr().out)


def test_the_first_administrator_comes_by_command(capsys, now, today):
    said = run(capsys, "create", "first", "--name", "見本 初", "--role", "administrator")
    number, token = said.strip().rstrip("/").split("/")[-2:]
    user = staff.owner_of(number, token)
    assert user is not None
    assert roles(user, on=today) == {Role.ADMINISTRATOR}
    listed = run(capsys, "list")
    assert "first\t見本 初\t管理者" in listed
    assert "二つめの確かめなし" in listed
    assert AuditEntry.objects.filter(act="accounts.opened", by="").exists()


def test_the_command_says_what_it_refuses(capsys, admin):
    for words, says in (
        (("create", "admin", "--name", "x", "--role", "editor"), "もう使われています"),
        (("end", "admin"), "管理者が一人もいなくなります"),
        (("end", "nobody"), "登録がありません"),
        (("reset-factor", "nobody"), "登録がありません"),
    ):
        with pytest.raises(CommandError, match=says):
            run(capsys, *words)


def test_a_telephone_is_lost_and_the_command_gives_a_new_link(capsys, admin):
    App(admin)
    said = run(capsys, "reset-factor", "admin")
    assert staff.owner_of(*said.strip().rstrip("/").split("/")[-2:]) == admin
    assert not keys.has_keys(admin)


def test_half_an_account_is_none(capsys):
    with pytest.raises(CommandError):
        run(capsys, "create", "x", "--name", "x", "--role", "editor", "--ends", "2001-01-01")
    assert not User.objects.exists()
