"""A plan with two measures, and a table as an office would bring it."""

from datetime import UTC, datetime

import pytest

from policity.foundations.accounts.models import Department, Role, RoleGrant, User
from policity.foundations.city_plan import services
from policity.foundations.city_plan.formats.facts import read_frame
from policity.foundations.city_plan.models import Plan

# Noon in the city, in 令和8年度.
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
FRAME = """
code = "keikaku"
name = "試しの計画"
first_year = "令和4年度"
last_year = "令和8年度"
scheme = "aichi"
[[fields]]
name = "防災"
[[fields]]
name = "魅力"
[[viewpoints]]
name = "携帯"
[[challenges]]
name = "つながり"
"""
HEAD = (
    "施策番号,施策名,分野,視点,課題,担当課,段階,指標番号,指標名,種類,単位,向き,達成度の出し方,"
    "基準値,積み上げ,自動集計,根拠,目標 令和6年度,目標 R7,上限 R7,実績 2024,実績 令和7年度"
)
ROWS = (
    "1,届ける,1,携帯,つながり,防災課,普及,1,届いた人,成果,%,増やす,,,,,台帳,80,90,,79,77",
    ",,,,,,,2,待った時間,活動,秒,減らす,基準から,340,,,台帳,120,60,,95,40",
    "2,見せる,魅力,,,,利用,1,来た人,成果,人,増やす,,,はい,,数えた,1000,2000,,950,測っていない：機械の故障",
)


def table(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *(rows or ROWS)]).encode()


@pytest.fixture
def plan(db):
    Department.objects.create(slug="bosai", name="防災課")
    Department.objects.create(slug="koho", name="広報課")
    return services.draw(frame=read_frame(FRAME), by=None, now=NOW)


@pytest.fixture
def filled(plan):
    services.take_over(plan=plan, data=table(), by=None, now=NOW)
    return plan


def staff(name: str, role: Role, *departments: str) -> User:
    user = User.objects.create(username=name)
    RoleGrant.objects.create(
        user=user, role=role, departments=list(departments), starts=NOW.date().replace(day=1)
    )
    return user


@pytest.fixture
def people(filled: Plan) -> dict[str, User]:
    """One of each who takes a turn, and an editor of another department."""
    return {
        "rater": staff("bosai", Role.EDITOR, "bosai"),
        "stranger": staff("koho", Role.EDITOR, "koho"),
        "planner": staff("kikaku", Role.PLANNER),
        "assessor": staff("iin", Role.ASSESSOR),
        "steering": staff("suishin", Role.STEERING),
    }
