"""The board's map of towns says the same as the table beside it, and where help is needed."""

from itertools import combinations
from math import dist
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.presenters.board import board
from policity.back_office.presenters.board_map import MOST_CALLS
from policity.back_office.tests.test_access import staff
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.policies import MAY, Act
from policity.foundations.delivery.models import Alarm, Message
from policity.foundations.delivery.rules.drilling import DRILL
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.places.models import Town

pytestmark = pytest.mark.usefixtures("city")


def shown(client: Client, role: Role = Role.DUTY_OFFICER) -> Any:
    client.force_login(staff(role))
    return html.document_fromstring(client.get("/staff/").content)


def call(message: int, *towns: str) -> None:
    for number, town in enumerate(towns):
        Alarm.objects.create(
            message_id=message, person=number, language="ja", town=town, raised_at=timezone.now()
        )


def test_each_mark_leads_to_the_row_that_says_the_same(client, told):
    told({State.HANDED: 4, State.FAILED: 3, State.UNREACHABLE: 1})
    page = shown(client)
    marks = page.xpath("//svg//a[starts-with(@href, '#')]")
    assert len(marks) == 2
    for mark in marks:
        row = page.get_element_by_id(mark.get("href")[1:])
        name, _, share, rest = [cell.text_content().strip() for cell in row]
        number, town, said = mark.get("aria-label").split("　")
        assert number + town == name
        assert said == f"届いた {share}、まだ {rest}"
        assert mark.find("text").text == number


def test_a_town_is_drawn_once_as_what_the_table_says_of_it(told):
    told({State.HANDED: 1})
    found = board(now=timezone.now()).towns
    assert found is not None
    assert (found.far.count("M"), found.low) == (1, "")
    told({State.FAILED: 2})
    found = board(now=timezone.now()).towns
    assert found is not None
    assert (found.far, found.low.count("M")) == ("", 2)
    assert found.rest.count("M") >= Town.objects.here().count() - 2


@pytest.mark.parametrize("role", sorted(MAY[Act.SEE_BOARD]))
def test_where_help_is_needed_is_shown_to_who_sees_to_it(client, told, role):
    first, second, *_ = Town.objects.here()
    call(told({State.HANDED: 1}), first.name, second.name, first.name, "どこでもない町")
    calls = shown(client, role).xpath("//svg//a[starts-with(@id, 'calls-')]")
    said = {one.get("aria-label"): one.find("text").text for one in calls}
    wanted = {
        f"{first.name}　助けを求める人 2人": "助2",
        f"{second.name}　助けを求める人 1人": "助1",
    }
    assert said == (wanted if role in MAY[Act.SEE_TO_ALARMS] else {})


def test_no_mark_hides_another_or_is_cut_off(told):
    message = told({State.HANDED: 1, State.FAILED: 1})
    call(message, *(town.name for town in Town.objects.here()))
    found = board(now=timezone.now()).towns
    assert found is not None
    assert len(found.calls) == MOST_CALLS
    places = [(one.x, one.y) for one in (*found.numbered, *found.calls)]
    assert all(dist(one, other) > 24 for one, other in combinations(places, 2))
    assert all(16 <= x <= 350 and 16 <= y <= found.height - 16 for x, y in places)


def test_without_a_message_there_is_no_map(client):
    assert shown(client).xpath("//*[@data-pane='map']/*") == []


@pytest.mark.parametrize(("kind", "marks"), [(DRILL, ["訓練"]), ("weather", [])])
def test_a_drill_is_marked_on_the_map(client, told, kind, marks):
    Message.objects.filter(pk=told({State.HANDED: 1})).update(kind=kind)
    strips = shown(client).xpath("//*[@data-pane='map']//*[@class='drill']/b")
    assert [strip.text for strip in strips] == marks
