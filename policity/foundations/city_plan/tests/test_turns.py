"""Who takes which turn, by when, and who is reminded of it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import override_settings

from policity.foundations.accounts.models import AuditEntry, Role, RoleGrant, User
from policity.foundations.city_plan import services, tasks
from policity.foundations.city_plan.models import Deadline, Reminder, Sheet, Step
from policity.foundations.city_plan.policies import holders, may, may_record
from policity.foundations.city_plan.queries import deadlines as queries
from policity.foundations.city_plan.rules.cycle import Act, Said, Turn
from policity.foundations.city_plan.rules.deadlines import is_due, out_of_order
from policity.foundations.city_plan.services import PlanRefused
from policity.foundations.city_plan.tests.conftest import NOW, staff
from policity.foundations.city_plan.tests.test_evaluating import AT, RATING, step
from policity.foundations.delivery.models import Dispatch, Message
from policity.foundations.delivery.services.books import STAFF_FROM

TODAY = NOW.date()
EVERYBODY: dict[str, tuple[Role, *tuple[str, ...]]] = {
    "own": (Role.EDITOR, "bosai"),
    "own publisher": (Role.PUBLISHER, "bosai"),
    "whole city's": (Role.EDITOR,),
    "another's": (Role.EDITOR, "koho"),
    "planner": (Role.PLANNER,),
    "assessor": (Role.ASSESSOR,),
    "steering": (Role.STEERING,),
    "administrator": (Role.ADMINISTRATOR,),
    "commander": (Role.COMMANDER,),
    "viewer": (Role.VIEWER,),
    "agency": (Role.AGENCY,),
}
RATERS = {"own", "own publisher", "whole city's"}
MAY: Mapping[Act, set[str]] = {
    Act.RATE: RATERS,
    Act.CHECK: {"planner"},
    Act.RETURN: {"planner"},
    Act.REVIEW: {"assessor"},
    Act.HEAR: {"planner"},
    Act.DECIDE: {"steering"},
    Act.PUBLISH: {"planner"},
}


@pytest.fixture
def sheet(filled):
    services.open_year(plan=filled, fiscal=2025, **AT)
    return Sheet.objects.select_related("measure__department").get(measure__code="1")


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_may_and_who_may_not(sheet, who):
    role, *departments = EVERYBODY[who]
    user = staff("somebody", role, *departments)
    assert {act for act in Act if may(user, act, sheet, on=TODAY)} == {
        act for act in Act if who in MAY[act]
    }
    assert may_record(user, sheet.measure, sheet, on=TODAY) == (who in RATERS | {"planner"})
    sheet.turn = Turn.PLANNING
    assert may_record(user, sheet.measure, sheet, on=TODAY) == (who == "planner")
    assert may_record(user, sheet.measure, None, on=TODAY) == (who == "planner")


@pytest.mark.parametrize("changes", [{"ends": date(2026, 1, 31)}, {"starts": date(2027, 1, 1)}])
def test_a_role_counts_only_in_its_time(sheet, changes):
    user = staff("somebody", Role.PLANNER)
    RoleGrant.objects.update(**({"starts": date(2026, 1, 1)} | changes))
    assert not any(may(user, act, sheet, on=TODAY) for act in Act)


@pytest.mark.parametrize(
    ("act", "role"),
    [(Act.CHECK, Role.PLANNER), (Act.REVIEW, Role.ASSESSOR), (Act.DECIDE, Role.STEERING)],
)
def test_nobody_judges_what_they_rated(sheet, act, role):
    both = staff("both", Role.EDITOR, "bosai")
    RoleGrant.objects.create(user=both, role=role, starts=date(2026, 1, 1), departments=[])
    assert may(both, act, sheet, on=TODAY)
    step(sheet, Act.RATE, RATING, both)
    assert not may(both, act, sheet, on=TODAY)
    assert may(both, Act.PUBLISH, sheet, on=TODAY) == (role is Role.PLANNER)
    if act is Act.CHECK:
        with pytest.raises(PlanRefused, match="この役割では"):
            step(sheet, Act.CHECK, Said(), both)


# ---- By when ----

LAST = date(2026, 12, 10)


@pytest.mark.parametrize(
    ("today", "reminded", "expected"),
    [
        (date(2026, 12, 2), None, False),
        (date(2026, 12, 3), None, True),
        (date(2026, 12, 4), date(2026, 12, 3), False),
        # The machine stood still on the third.
        (date(2026, 12, 5), None, True),
        (date(2026, 12, 9), date(2026, 12, 3), True),
        (date(2026, 12, 10), date(2026, 12, 9), False),
        (date(2026, 12, 11), date(2026, 12, 9), True),
        (date(2026, 12, 11), date(2026, 12, 11), False),
        (date(2026, 12, 17), date(2026, 12, 11), False),
        (date(2026, 12, 18), date(2026, 12, 11), True),
        (date(2026, 12, 20), date(2026, 12, 18), False),
    ],
)
def test_when_somebody_is_reminded(today, reminded, expected):
    assert is_due(LAST, today, reminded=reminded) is expected


def test_days_follow_each_other():
    assert out_of_order({Turn.DEPARTMENT: LAST, Turn.COMMITTEE: LAST}) is None
    earlier = LAST - timedelta(days=1)
    assert out_of_order({Turn.DEPARTMENT: LAST, Turn.COMMITTEE: earlier}) == (
        Turn.DEPARTMENT,
        Turn.COMMITTEE,
    )


def days(plan, **said):
    given = {Turn(turn): day for turn, day in said.items()}
    services.set_deadlines(plan=plan, fiscal=2025, days=given, **AT)


def test_days_are_set_changed_and_taken_away(filled):
    days(filled, department=LAST, planning=LAST)
    days(filled, department=LAST - timedelta(days=1))
    assert queries.deadlines(filled, 2025) == {Turn.DEPARTMENT: LAST - timedelta(days=1)}
    days(filled, department=LAST - timedelta(days=1))
    assert AuditEntry.objects.filter(act="plan.days_set").count() == 2
    with pytest.raises(PlanRefused, match="「企画の確認」の期限が、その前の「担当課の自己評価」"):
        days(filled, department=LAST, planning=LAST - timedelta(days=1))
    with pytest.raises(PlanRefused, match="令和12年度"):
        services.set_deadlines(plan=filled, fiscal=2030, days={}, **AT)
    assert Deadline.objects.count() == 1


# ---- Who is reminded ----


@pytest.fixture
def crew(sheet):
    people = {
        "bosai": staff("bosai", Role.EDITOR, "bosai"),
        "koho": staff("koho", Role.EDITOR, "koho"),
        "planner": staff("kikaku", Role.PLANNER),
    }
    for name, user in people.items():
        User.objects.filter(pk=user.pk).update(email=f"{name}@example.jp")
    return people


def told() -> dict[str, str]:
    """What each person was told, by user name."""
    names = dict(User.objects.values_list("pk", "username"))
    return {
        names[person - STAFF_FROM]: one.message.texts["ja"]["body"]
        for one in Dispatch.objects.select_related("message")
        for person in one.audience["persons"]
    }


def test_whoever_holds_the_turn_is_reminded_once(filled, sheet, crew):
    days(filled, department=TODAY + timedelta(days=3), planning=TODAY + timedelta(days=30))
    # The second sheet has no department: whoever rates for the whole city.
    assert services.remind(now=NOW) == 1
    assert told() == {
        "bosai": "試しの計画　令和7年度\n・1 届ける　担当課の自己評価　期限 11月26日（あと3日）"
    }
    message = Message.objects.get()
    assert message.kind == "staff"
    assert message.texts["ja"]["title"] == "計画の評価で、あなたの番のシートが1件あります"
    assert services.remind(now=NOW) == 0
    assert services.remind(now=NOW + timedelta(days=1)) == 0
    assert services.remind(now=NOW + timedelta(days=2)) == 1
    assert Reminder.objects.filter(sheet=sheet).count() == 2


def test_a_sheet_that_moved_on_reminds_its_next_holder_alone(filled, sheet, crew):
    days(filled, department=TODAY - timedelta(days=1), planning=TODAY - timedelta(days=1))
    step(sheet, Act.RATE, RATING, crew["bosai"])
    services.remind(now=NOW)
    assert told() == {
        "kikaku": "試しの計画　令和7年度\n・1 届ける　企画の確認　期限 11月22日（1日過ぎました）"
    }
    assert "（期限を過ぎたもの 1件）" in Message.objects.get().texts["ja"]["title"]


def test_one_message_a_person_and_one_for_all_who_have_the_same_to_do(filled, sheet, crew):
    staff("second", Role.PUBLISHER, "bosai")
    staff("all", Role.EDITOR)
    days(filled, department=TODAY)
    assert services.remind(now=NOW) == 2
    assert set(told()) == {"bosai", "second", "all"}
    assert told()["bosai"] == told()["second"] != told()["all"]
    assert Dispatch.objects.count() == 2
    assert queries.reminded(filled, 2025, days=5) == [(TODAY, 2)]


def test_nobody_who_left_or_is_made_up_is_reminded(filled, sheet, crew):
    days(filled, department=TODAY)
    User.objects.filter(username="bosai").update(is_active=False)
    User.objects.filter(username="koho").update(is_sample=True)
    RoleGrant.objects.filter(user__username="koho").update(departments=[])
    with override_settings(DEMO=False):
        assert services.remind(now=NOW) == 0
    # What nobody was told of is told as soon as somebody is there.
    staff("new", Role.EDITOR, "bosai")
    with override_settings(DEMO=False):
        assert services.remind(now=NOW) == 1


def test_who_rated_is_not_reminded_to_check(filled, sheet, crew):
    grant: dict[str, Any] = {"starts": date(2026, 1, 1), "departments": []}
    RoleGrant.objects.create(user=crew["bosai"], role=Role.PLANNER, **grant)
    step(sheet, Act.RATE, RATING, crew["bosai"])
    sheet.refresh_from_db()
    assert holders([sheet], on=TODAY) == {sheet.pk: frozenset({crew["planner"].pk})}


def test_as_many_queries_for_many_sheets(filled, sheet, crew, django_assert_max_num_queries):
    days(filled, department=TODAY)
    for year in (2022, 2023, 2024):
        services.open_year(plan=filled, fiscal=year, **AT)
    with django_assert_max_num_queries(60):
        services.remind(now=NOW)


def test_the_worker_reminds_once_a_day_in_the_morning(filled, sheet, crew, monkeypatch):
    monkeypatch.setattr(tasks, "_reminded", [])
    days(filled, department=TODAY)
    early = NOW - timedelta(hours=5)
    assert tasks.remind(early) == 0
    assert tasks.remind(NOW) == 1
    assert tasks.remind(NOW) == 0
    assert Step.objects.count() == 0
