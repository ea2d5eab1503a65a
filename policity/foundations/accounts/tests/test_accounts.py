"""Who holds which role when, and what an account needs."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.accounts.models import Role, RoleGrant, User
from policity.foundations.accounts.policies import MAY, Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import create_staff

DAY = date(2026, 4, 1)


@given(st.frozensets(st.sampled_from(list(Role))), st.sampled_from(list(Act)))
def test_one_fitting_role_is_enough_and_none_is_not(held, act):
    assert may(held, act) == any(role in MAY[act] for role in held)
    assert not may(frozenset(), act)


@pytest.mark.django_db
class TestAccounts:
    def open(self, **changes):
        options: dict[str, Any] = {
            "username": "sample",
            "password": "correct-horse-battery",
            "display_name": "見本",
            "roles": [Role.EDITOR],
            "starts": DAY,
        }
        return create_staff(**(options | changes))

    def test_a_role_holds_from_its_first_day_to_its_last(self):
        user = self.open(ends=DAY + timedelta(days=1))
        held = [bool(roles(user, on=DAY + timedelta(days=n))) for n in (-1, 0, 1, 2)]
        assert held == [False, True, True, False]

    def test_who_has_left_holds_nothing(self):
        user = self.open()
        user.is_active = False
        assert roles(user, on=DAY) == frozenset()

    @pytest.mark.parametrize(
        ("demo", "drill", "held"), [(False, False, 0), (True, False, 1), (False, True, 1)]
    )
    def test_made_up_staff_hold_nothing_where_it_is_real(self, settings, demo, drill, held):
        settings.DEMO, settings.DRILL = demo, drill
        user = self.open(is_sample=True)
        assert len(roles(user, on=DAY)) == held
        real = self.open(username="real")
        assert len(roles(real, on=DAY)) == 1

    def test_a_role_is_held_by_whom_it_was_given_to(self):
        editor = self.open()
        officer = self.open(username="other", roles=[Role.DUTY_OFFICER])
        assert roles(editor, on=DAY) == {Role.EDITOR}
        assert roles(officer, on=DAY) == {Role.DUTY_OFFICER}

    def test_a_grant_names_towns_not_keys(self):
        self.open(towns=["見本町一丁目"])
        assert RoleGrant.objects.get().towns == ["見本町一丁目"]

    @pytest.mark.parametrize("password", ["short", "password1234"])
    def test_a_weak_password_opens_nothing(self, password):
        with pytest.raises(ValidationError):
            self.open(password=password)
        assert not User.objects.exists()

    def test_a_name_is_taken_once(self):
        self.open()
        with pytest.raises(IntegrityError):
            self.open()

    def test_passwords_are_hashed_with_argon2(self):
        assert self.open().password.startswith("argon2$")
