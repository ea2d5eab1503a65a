"""The page of what crosses, and what is left of the back office inside."""

import pytest
from django.utils import timezone

from policity.back_office.presenters.crossings import FRESH
from policity.back_office.presenters.health import lines
from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.policies import INSIDE, MAY, Act
from policity.foundations.continuity.rules.health import State
from policity.foundations.crossing import services
from policity.kit import sides

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def crossed(tmp_path, settings):
    settings.HOME = tmp_path
    (tmp_path / "run").mkdir()
    link = tmp_path / "link"
    link.mkdir()
    services.own_keys()
    now = timezone.now()
    services.send(link, by=None, now=now)
    services.receive(link, by=None, now=now)
    (link / "x.crossing").write_text("<b>x</b>")
    services.receive(link, by=None, now=now)


@pytest.mark.parametrize("role", Role)
def test_only_the_administrator_sees_what_crossed(client, crossed, role):
    client.force_login(create(role, "somebody"))
    status = 200 if role is Role.ADMINISTRATOR else 403
    assert client.get("/staff/crossings/").status_code == status
    assert client.post("/staff/crossings/").status_code == 405


def test_it_says_what_went_what_came_and_what_to_do_about_the_rest(client, crossed):
    client.force_login(create(Role.ADMINISTRATOR, "somebody"))
    said = client.get("/staff/crossings/").content.decode()
    assert "1つの設置が、インターネット側と内部側の両方を兼ねています" in said
    for word in (
        "渡した",
        "受け取った",
        "受け取らなかった",
        "もう一度写してください",
        "の様子です",
    ):
        assert word in said
    assert "項目：city、orders、sites（このほかは渡りません）" in said
    assert "<b>x" not in said


@pytest.mark.parametrize(("role", "first"), [("administrator", "crossings"), ("commander", "me")])
def test_inside_there_is_nothing_to_tell_residents_with(client, settings, role, first):
    settings.ROLE = sides.Role.INTERNAL
    client.force_login(create(Role(role), "somebody"))
    assert client.get("/staff/")["Location"] == f"/staff/{first}/"
    said = client.get(f"/staff/{first}/").content.decode()
    assert "内部側" in said
    assert "市民のページ</a>" not in said
    for page in ("orders/", "orders/new/", "sites/", "emergency/", "drills/", "rules/", "alarms/"):
        assert f'href="/staff/{page}"' not in said
        assert client.get(f"/staff/{page}").status_code == 403


def test_inside_the_health_page_says_how_old_what_came_is(client, crossed, settings):
    settings.ROLE = sides.Role.INTERNAL
    now = timezone.now()
    said = {line.key: line for line in lines(now=now)}
    assert said["crossings"].state is State.GOOD
    assert {"feeds", "mail", "pages"}.isdisjoint(said)
    (old,) = (line for line in lines(now=now + 2 * FRESH) if line.key == "crossings")
    assert old.state is State.WEAK
    assert "電話で確かめて" in old.do


def test_every_act_inside_is_one_that_tells_nobody():
    assert MAY.keys() > INSIDE
    assert {Act.COMPOSE, Act.APPROVE, Act.ISSUE_ALONE, Act.OPEN_SITES}.isdisjoint(INSIDE)
