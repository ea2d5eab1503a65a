"""In a drill's home every staff page and every text for telling by hand is marked."""

import pytest
from django.test import Client
from lxml import html

from policity.back_office.presenters.orders import ready_texts
from policity.back_office.tests.test_access import staff
from policity.back_office.tests.test_orders_web import made
from policity.fields.alerts.queries import orders as order_queries
from policity.foundations.accounts.models import Role
from policity.foundations.places.models import Town

pytestmark = pytest.mark.usefixtures("city")


@pytest.mark.parametrize("path", ["/staff/", "/staff/orders/", "/staff/sites/", "/staff/alarms/"])
@pytest.mark.parametrize("drill", [True, False])
def test_a_staff_page_begins_with_the_strip(settings, path, drill):
    settings.DRILL = drill
    client = Client()
    client.force_login(staff(Role.COMMANDER))
    answer = client.get(path)
    page = html.document_fromstring(answer.content)
    assert (page.xpath("//body/*")[0].get("class") == "drill") is drill
    assert page.findtext(".//title").startswith("【訓練】") is drill
    for heading in page.iter("h1"):
        assert ("drill-word" in html.tostring(heading).decode()) is drill
    if "Content-Length" in answer:
        assert int(answer["Content-Length"]) == len(answer.content)


@pytest.mark.parametrize("path", ["/staff/sign-in/", "/staff/nowhere/", "/register/", "/reply/x/"])
def test_what_strangers_and_the_lost_see_is_marked_too(settings, path):
    settings.DRILL = True
    assert '<aside class="drill"' in Client().get(path, follow=True).content.decode()


@pytest.mark.parametrize("drill", [True, False])
@pytest.mark.parametrize("many", [True, False])
def test_texts_for_telling_by_hand_are_marked(settings, drill, many):
    settings.DRILL = drill
    towns = [town.pk for town in Town.objects.here()]
    order = made(staff(Role.DUTY_OFFICER), towns[:40] if many else towns[:1])
    view = order_queries.order(order.pk)
    assert view
    ready = ready_texts(view)
    assert any(ready.values())
    for outlet, text in ready.items():
        if text is None:
            continue
        first = text.title or text.body
        assert first.startswith("【訓練】") is drill, outlet
        assert ("これは訓練です。" in text.body) is drill, outlet
