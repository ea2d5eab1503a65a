"""Composing and approving on the web: who may, what is refused, and that nothing typed is lost."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.tests.test_access import PASSWORD, staff
from policity.fields.alerts.models import Order
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import orders
from policity.fields.alerts.services.orders import Draft
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.tests.factors import sign_in
from policity.foundations.delivery.models import Message, ToldByHand
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Place, Resident, Version

pytestmark = pytest.mark.usefixtures("city")

CRISIS_ROOM = {Role.COMMANDER, Role.DUTY_OFFICER}
READERS = CRISIS_ROOM | {Role.ADMINISTRATOR, Role.VIEWER, Role.AGENCY}


@pytest.fixture
def towns() -> list[int]:
    return [town.pk for town in Town.objects.here()]


@pytest.fixture
def officer(towns):
    """The duty officer who composes."""
    return staff(Role.DUTY_OFFICER)


def made(officer, towns, *, stage="submitted", level=Level.EVACUATE) -> Order:
    now = timezone.now()
    draft = Draft(level, tuple(towns), "flood", {}, {})
    order = orders.compose(draft=draft, by=officer, now=now)
    if stage != "draft":
        order = orders.submit(order=order.pk, seen=order.version, by=officer, now=now)
    if stage == "issued":
        commander = create(Role.COMMANDER, "commander")
        order = orders.issue(order=order.pk, seen=order.version, by=commander, now=now)
    return order


def create(role, name):
    from policity.foundations.accounts.services import create_staff

    return create_staff(
        username=name, password=PASSWORD, display_name=f"見本 {name}", roles=[role],
        starts=timezone.localdate(),
    )  # fmt: skip


def text(answer) -> str:
    return str(html.document_fromstring(answer.content).xpath("string(//main)"))


def filled(towns, **changes):
    return {"level": "4", "towns": [str(town) for town in towns], "reason": "flood"} | changes


LOOK = ["/staff/orders/", "/staff/orders/{order}/"]
WRITE = ["/staff/orders/new/", "/staff/orders/{order}/edit/"]
DECIDE = ["submit", "issue", "turn-down", "discard", "withdraw", "review", "told/x"]


@pytest.mark.parametrize("role", Role)
def test_who_may_look_compose_and_decide(client: Client, officer, towns, role):
    order = made(officer, towns[:1])
    someone = create(role, f"someone-{role}")
    client.force_login(someone)
    for address in LOOK:
        status = client.get(address.format(order=order.pk)).status_code
        assert status == (200 if role in READERS else 403), address
    for address in WRITE:
        status = client.get(address.format(order=order.pk)).status_code
        assert status == (200 if role in CRISIS_ROOM else 403), address
    for act in DECIDE:
        status = client.post(f"/staff/orders/{order.pk}/{act}/", {"seen": 99}).status_code
        assert (status == 403) == (role not in CRISIS_ROOM), act
        assert client.get(f"/staff/orders/{order.pk}/{act}/").status_code == 405
    page = client.get(f"/staff/orders/{order.pk}/").content.decode()
    if role in READERS:
        assert ("承認して、発令する" in page) == (role in CRISIS_ROOM)


def test_two_persons_issue_an_order(client: Client, officer, towns):
    client.force_login(officer)
    answer = client.post("/staff/orders/new/", filled(towns[:2]), follow=True)
    order = Order.objects.get()
    assert f"/staff/orders/{order.pk}/" in answer.redirect_chain[-1][0]
    assert "届く人" in text(answer)
    client.post(f"/staff/orders/{order.pk}/submit/", {"seen": 1})
    assert "作った人は、承認できません" in text(client.get(f"/staff/orders/{order.pk}/"))
    refused = client.post(f"/staff/orders/{order.pk}/issue/", {"seen": 1, "words": "急ぐ"})
    assert refused.status_code == 400
    assert not Message.objects.exists()
    client.force_login(create(Role.COMMANDER, "commander"))
    done = client.post(f"/staff/orders/{order.pk}/issue/", {"seen": 1}, follow=True)
    assert "発令しました" in done.content.decode()
    assert "発令中" in text(done)
    assert Message.objects.get().level == 4


def test_people_and_households_are_seen_before(client: Client, officer, towns):
    order = made(officer, towns[:2])
    client.force_login(officer)
    page = f"/staff/orders/{order.pk}/"
    assert "まだ表がありません" in text(client.get(page))
    Town.objects.filter(pk=towns[0]).update(people=1200, households=500, counted_on="2026-11-01")
    # Of one town alone nothing is said of the whole.
    assert "まだ表がありません" in text(client.get(page))
    Town.objects.filter(pk=towns[1]).update(people=300, households=150, counted_on="2026-10-01")
    now = timezone.now()
    for number, home in enumerate((5, 5, 6, None)):
        person = Resident.objects.create(
            language="ja", household=home, registered_at=now, version=number + 1
        )
        Place.objects.create(resident=person, town_id=towns[number % 2])
    Version.objects.create(number=9)
    said = text(client.get(page))
    assert "650世帯 1,500人です（住民基本台帳、2026年10月1日）" in said
    assert "1人の世帯は分かりません" in said
    shown = html.document_fromstring(client.get(page).content)
    sums = [" ".join(one.text_content().split()) for one in shown.xpath("//dl[@class='sums']/div")]
    assert sums[0] == "対象4人2世帯"
    assert sums[3] == "届ける手段がない4人2世帯"
    first = shown.xpath("//table//tbody/tr")[0]
    cells = [" ".join(cell.text_content().split()) for cell in first.xpath("td")]
    assert cells[1:] == ["1,200人 500世帯", "2人 2世帯", "0人 0世帯", "0人 0世帯", "2人 2世帯"]
    bodies = {one.get("id"): one.text for one in shown.xpath("//textarea")}
    assert "対象の世帯と人：650世帯 1,500人" in bodies["b-l-alert"]
    assert "世帯" not in bodies["b-x"] + bodies["b-area-mail"]


def test_a_commander_alone_is_asked_why(client: Client, towns):
    commander = create(Role.COMMANDER, "commander")
    order = made(commander, towns[:1])
    client.force_login(commander)
    assert "一人で発令する理由" in text(client.get(f"/staff/orders/{order.pk}/"))
    refused = client.post(f"/staff/orders/{order.pk}/issue/", {"seen": 1, "words": ""})
    assert "理由を書いて" in text(refused)
    client.post(f"/staff/orders/{order.pk}/issue/", {"seen": 1, "words": "深夜で一人"})
    assert "深夜で一人" in text(client.get(f"/staff/orders/{order.pk}/"))
    assert "一人で発令したもの" in text(client.get("/staff/orders/"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"level": ""}, "何を出すかが、えらばれていません"),
        ({"towns": []}, "町がえらばれていません"),
        ({"towns": ["999999"]}, "この市にない町があります"),
        ({"towns": ["x"]}, "この市にない町があります"),
        ({"reason": ""}, "理由がえらばれていません"),
        ({"reason": "other", "note_ja": ""}, "何が危険かを書いてください"),
        ({"level": "lift"}, "避難情報は出ていません"),
        ({"note_en": "y" * 201}, "200字まで"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    client: Client, officer, towns, changes, said
):
    client.force_login(officer)
    typed = filled(towns[:1], note_ja="橋のたもと") | changes
    answer = client.post("/staff/orders/new/", typed)
    assert answer.status_code == 400
    page = html.document_fromstring(answer.content)
    assert said in page.xpath("string(//*[@role='alert'])")
    assert page.xpath("string(//textarea[@name='note_ja'])") == typed["note_ja"]
    assert not Order.objects.exists()


def test_two_officers_on_one_order_see_each_other(client: Client, officer, towns):
    order = made(officer, towns[:1], stage="draft")
    other = create(Role.DUTY_OFFICER, "other")
    orders.compose(
        draft=Draft(Level.ELDERLY, tuple(towns[:3]), "flood", {}, {}),
        by=other, now=timezone.now(), order=order.pk, seen=1,
    )  # fmt: skip
    client.force_login(officer)
    typed = filled(towns[:2], seen="1", note_ja="わたしの文")
    answer = client.post(f"/staff/orders/{order.pk}/edit/", typed)
    assert answer.status_code == 409
    shown = text(answer)
    assert "見本 other" in shown
    assert "ほかの人が保存した内容：高齢者等避難" in shown
    assert "わたしの文" in shown
    assert Order.objects.get().level == 3
    # Having seen it, the officer decides: the same button saves now.
    page = html.document_fromstring(answer.content)
    typed["seen"] = page.xpath("string(//input[@name='seen']/@value)")
    client.post(f"/staff/orders/{order.pk}/edit/", typed)
    assert Order.objects.get().level == 4


def test_an_order_changed_since_it_was_read_is_not_approved(client: Client, officer, towns):
    order = made(officer, towns[:1])
    changed = orders.compose(
        draft=Draft(Level.EVACUATE, tuple(towns), "flood", {}, {}),
        by=officer, now=timezone.now(), order=order.pk, seen=1,
    )  # fmt: skip
    orders.submit(order=order.pk, seen=changed.version, by=officer, now=timezone.now())
    client.force_login(create(Role.COMMANDER, "commander"))
    answer = client.post(f"/staff/orders/{order.pk}/issue/", {"seen": 1})
    assert answer.status_code == 409
    assert "読んだあとで" in text(answer)
    assert not Message.objects.exists()


def ring(*corners) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [[*corners, corners[0]]]})


def test_a_polygon_chooses_the_towns_it_touches(client: Client, officer, towns):
    town = Town.objects.get(pk=towns[0])
    lon, lat, d = town.lon, town.lat, 0.0005
    area = ring([lon - d, lat - d], [lon + d, lat - d], [lon, lat + d])
    client.force_login(officer)
    answer = client.post("/staff/orders/new/", filled([towns[9]], area=area, pick="1"))
    page = html.document_fromstring(answer.content)
    chosen = [int(str(value)) for value in page.xpath("//input[@name='towns'][@checked]/@value")]
    assert towns[0] in chosen
    assert towns[9] in chosen
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("area", "said"),
    [
        (ring([139.5, 35.7], [139.6, 35.8], [139.6, 35.7], [139.5, 35.8]), "線が交わる"),
        ("{", "GeoJSONとして読めません"),
        ("", "GeoJSONとして読めません"),
        (ring([0, 0], [1, 0], [1, 1]), "この市の町がありません"),
    ],
)
def test_lines_that_enclose_nothing_are_refused(client: Client, officer, towns, area, said):
    client.force_login(officer)
    answer = client.post("/staff/orders/new/", filled(towns[:1], area=area, pick="1"))
    assert answer.status_code == 400
    assert said in text(answer)


def test_a_session_that_ends_while_composing_costs_no_words(client: Client, officer, towns):
    typed = filled(towns[:2], note_ja="石神井川の水位")
    gone = client.post("/staff/orders/new/", typed)
    page = html.document_fromstring(gone.content)
    fields: Any = page.xpath("//form//input")
    values = {str(one.get("name")): str(one.get("value", "")) for one in fields}
    back = sign_in(client, officer, PASSWORD, **values)
    assert back["Location"] == "/staff/orders/new/"
    form = html.document_fromstring(client.get("/staff/orders/new/").content)
    assert form.xpath("string(//textarea[@name='note_ja'])") == "石神井川の水位"
    assert form.xpath("//input[@name='level'][@checked]/@value") == ["4"]
    assert form.xpath("count(//input[@name='towns'][@checked])") == 2
    assert not Order.objects.exists()


def test_what_goes_on_with_an_order_begins_with_it(client: Client, officer, towns):
    order = made(officer, towns[:2], stage="issued")
    client.force_login(officer)
    page = html.document_fromstring(
        client.get(f"/staff/orders/new/?from={order.pk}&do=lift").content
    )
    assert page.xpath("//input[@name='level'][@checked]/@value") == ["lift"]
    assert page.xpath("count(//input[@name='towns'][@checked])") == 2
    assert client.get("/staff/orders/new/?from=x").status_code == 200


def test_sent_in_error_is_taken_back_with_a_reason(client: Client, officer, towns):
    order = made(officer, towns[:1], stage="issued")
    client.force_login(officer)
    assert "理由" in text(client.post(f"/staff/orders/{order.pk}/withdraw/", {"seen": 1}))
    client.post(f"/staff/orders/{order.pk}/withdraw/", {"seen": 1, "words": "町の誤り"})
    assert "誤りとして取り消し済み" in text(client.get(f"/staff/orders/{order.pk}/"))
    assert Message.objects.count() == 2


def test_what_is_told_by_hand_is_in_the_ledger_once(client: Client, officer, towns):
    order = made(officer, towns[:1], stage="issued")
    client.force_login(officer)
    for _ in range(2):
        client.post(f"/staff/orders/{order.pk}/told/area-mail/")
    entry = ToldByHand.objects.get()
    assert (entry.message_id, entry.by, entry.outlet) == (order.message_id, officer, "area-mail")
    assert "避難指示" in entry.text
    assert "が送ったと記録" in text(client.get(f"/staff/orders/{order.pk}/"))
    assert client.post(f"/staff/orders/{order.pk}/told/pigeon/").status_code == 404


def test_before_it_is_issued_nothing_is_told_by_hand(client: Client, officer, towns):
    order = made(officer, towns[:1])
    client.force_login(officer)
    assert client.post(f"/staff/orders/{order.pk}/told/x/").status_code == 404
    assert not ToldByHand.objects.exists()


def test_the_city_never_says_equivalent_of_its_own_level(client: Client, officer, towns):
    order = made(officer, towns[:1], stage="issued")
    client.force_login(officer)
    for address in ("/staff/orders/", f"/staff/orders/{order.pk}/", "/staff/orders/new/"):
        assert "相当" not in text(client.get(address))


def test_words_that_nobody_checked_are_shown_as_left_behind(client: Client, officer, towns):
    client.force_login(officer)
    client.post("/staff/orders/new/", filled(towns[:1], note_en="The bridge is closed"))
    shown = text(client.get(f"/staff/orders/{Order.objects.get().pk}/"))
    assert "この言葉では送りません：「The bridge is closed」" in shown


def test_as_many_queries_for_twenty_orders_as_for_two(
    client: Client, officer, towns, django_assert_max_num_queries
):
    client.force_login(officer)
    for _ in range(2):
        made(officer, towns[:1], stage="draft")
    with django_assert_max_num_queries(14) as few:
        client.get("/staff/orders/")
    for n in range(18):
        made(officer, towns[n : n + 3], stage="draft")
    with django_assert_max_num_queries(len(few)):
        client.get("/staff/orders/")
    order = made(officer, towns[:1])
    with django_assert_max_num_queries(40) as few:
        client.get(f"/staff/orders/{order.pk}/")
    order = made(officer, towns)
    with django_assert_max_num_queries(len(few)):
        client.get(f"/staff/orders/{order.pk}/")


def test_the_board_says_what_stands_and_what_has_to_be_decided(client: Client, officer, towns):
    made(officer, towns[:2], stage="issued")
    waits = made(officer, towns[3:6], level=Level.ELDERLY)
    client.force_login(staff(Role.COMMANDER))
    board = html.document_fromstring(client.get("/staff/").content)
    parts = {
        str(part.get("aria-labelledby")): str(part.text_content())
        for part in board.xpath("//section[@aria-labelledby]")
    }
    assert "避難指示　2町" in parts["b1"]
    assert "ひらく" in parts["b1"]
    assert "高齢者等避難" not in parts["b1"]
    assert "高齢者等避難　承認を待っています" in parts["b5"]
    assert f"/staff/orders/{waits.pk}/" in client.get("/staff/").content.decode()
    client.force_login(staff(Role.EDITOR))
    other = client.get("/staff/").content.decode()
    assert "避難指示　2町" in other
    assert "/staff/orders/" not in other
