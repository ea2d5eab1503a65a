"""Who may open sites, how it is done on a phone, and what it announces."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.tests.test_access import PASSWORD, staff
from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.tests.factors import sign_in
from policity.foundations.delivery.models import Dispatch, Message
from policity.foundations.places.models import Opening, Site
from policity.foundations.places.rules.openings import Openness
from policity.foundations.places.services import edit_site, set_opening

pytestmark = pytest.mark.usefixtures("city")

OPENERS = {Role.COMMANDER, Role.DUTY_OFFICER, Role.SITE_STAFF}
SCHOOL = "E1322900002201"  # 中原小学校, an emergency site in ひばりが丘二丁目
WELFARE = "E1322900001121"  # ひばりが丘保育園


def pk(source_id=SCHOOL) -> int:
    return int(Site.objects.values_list("pk", flat=True).get(source_id=source_id))


def opened(user, site=None, state=Openness.OPEN, seen=0, **told) -> Opening:
    said = {"evacuees": None, "note": ""} | told
    return set_opening(
        site=site or pk(), state=state, by=user, now=timezone.now(), seen=seen, **said
    )


def document(answer):
    return html.document_fromstring(answer.content)


def row(answer, site=None):
    return document(answer).get_element_by_id(f"site-{site or pk()}")


@pytest.fixture
def officer(client):
    user = staff(Role.SITE_STAFF)
    client.force_login(user)
    return user


ACTS = {
    "look": lambda client, site, opening: client.get("/staff/sites/"),
    "set": lambda client, site, opening: client.post(
        f"/staff/sites/{site}/", {"state": "full", "seen": opening}
    ),
    "take back": lambda client, site, opening: client.post(f"/staff/sites/{site}/{opening}/"),
    "look at closing": lambda client, site, opening: client.get("/staff/sites/close/"),
    "close": lambda client, site, opening: client.post(
        "/staff/sites/close/", {"listed": f"{site}:{opening}"}
    ),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("what", ACTS)
def test_who_may_and_who_may_not(client: Client, role, what):
    user = staff(role)
    client.force_login(user)
    before = opened(create(Role.COMMANDER, "opener"))
    answer = ACTS[what](client, before.site_id, before.pk)
    assert answer.status_code in ((200, 302) if role in OPENERS else (403,))
    acted = role in OPENERS and not what.startswith("look")
    assert Opening.objects.count() == 1 + acted


@pytest.mark.parametrize("path", ["/staff/sites/", "/staff/sites/1/", "/staff/sites/close/"])
def test_a_stranger_is_asked_to_sign_in(client: Client, path):
    assert client.get(path)["Location"].startswith("/staff/sign-in/?next=")


@pytest.mark.parametrize("role", Role)
def test_the_menu_shows_what_one_may(client: Client, role):
    client.force_login(staff(role))
    links = document(client.get("/staff/", follow=True)).xpath("//nav/a/@href")
    assert ("/staff/sites/" in links) == (role in OPENERS)


def test_a_site_is_opened_filled_and_closed(client: Client, officer):
    site, seen = pk(), "0"
    for state, word in (
        ("open", "空いている"),
        ("crowded", "混んでいる"),
        ("full", "満員"),
        ("closed", "閉じた"),
    ):
        told = {"state": state, "seen": seen, "evacuees": "８４"}
        answer = client.post(f"/staff/sites/{site}/", told, follow=True)
        found = row(answer)
        assert f"「{word}」と記録しました" in found.text_content()
        seen = found.xpath(".//input[@name='seen']/@value")[0]
        pressed = found.xpath(".//button[@aria-pressed='true']/@value")
        assert pressed == ([] if state == "closed" else [state])
    assert [one.evacuees for one in Opening.objects.order_by("pk")] == [84, 84, 84, None]


def test_what_was_asked_for_stays_and_what_was_done_is_shown_whatever_was_asked(
    client: Client, officer
):
    first = opened(officer)
    told = {"state": "closed", "seen": first.pk}
    answer = client.post(f"/staff/sites/{pk()}/?q=中原&open=1", told)
    place = answer["Location"]
    assert "q=%E4%B8%AD%E5%8E%9F" in place
    assert "open=1" in place
    assert "「閉じた」と記録しました" in row(client.get(place)).text_content()
    # Once it is looked at afresh, it is not among the open ones.
    assert "見つかりません" in client.get("/staff/sites/?open=1").content.decode()


def test_undo_is_offered_right_after_a_change_to_who_made_it(client: Client, officer):
    site = pk()
    place = client.post(f"/staff/sites/{site}/", {"state": "open", "seen": 0})["Location"]
    (undo,) = row(client.get(place)).xpath(".//form[@class='done']/@action")
    assert undo.partition("#")[0] == f"/staff/sites/{site}/{Opening.objects.get().pk}/"
    assert undo.endswith(f"#site-{site}")
    answer = client.post(undo.partition("#")[0], follow=True)
    assert row(answer).xpath(".//form[@class='done']") == []
    assert Opening.objects.order_by("-pk")[0].state == Openness.UNOPENED
    client.force_login(staff(Role.COMMANDER))
    assert row(client.get(place)).xpath(".//form[@class='done']") == []


def test_two_at_one_site_are_told_of_each_other(client: Client, officer):
    first = opened(officer)
    opened(staff(Role.COMMANDER), state=Openness.FULL, seen=first.pk, evacuees=350)
    told = {"state": "closed", "seen": first.pk, "evacuees": "12"}
    answer = client.post(f"/staff/sites/{pk()}/", told)
    assert answer.status_code == 409
    found = row(answer)
    (fault,) = found.xpath(".//p[@role='alert']")
    for word in ("見本さんが", "満員", "350人", "記録していません"):
        assert word in fault.text_content()
    # What they see next is how it stands now.
    assert found.xpath(".//button[@aria-pressed='true']/@value") == ["full"]
    assert Opening.objects.count() == 2


@pytest.mark.parametrize(
    ("told", "fault", "status"),
    [
        ({"evacuees": "八十"}, "数字だけで", 400),
        ({"evacuees": "-3"}, "数字で入れて", 409),
        ({"evacuees": "999999"}, "20000までの", 409),
        ({"note": "長" * 101}, "100字まで", 400),
        ({"state": "unopened"}, "画面が古く", 400),
        ({"seen": "x"}, "画面が古く", 400),
    ],
)
def test_a_fault_is_said_at_the_site_and_nothing_typed_is_lost(
    client: Client, officer, told, fault, status
):
    first = opened(officer)
    sent = {"state": "crowded", "seen": first.pk, "evacuees": "12", "note": ""} | told
    answer = client.post(f"/staff/sites/{pk()}/", sent)
    assert answer.status_code == status
    found = row(answer)
    assert fault in found.xpath("string(.//p[@role='alert'])")
    assert found.xpath(".//input[@name='evacuees']/@value") == [sent["evacuees"]]
    assert Opening.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "first", "count"),
    [
        ("中原", "中原小学校", 2),
        ("ひばりが丘二丁目", "中原小学校", None),
        ("ひばりが丘　中原", "中原小学校", 2),
        ("ヒバリガオカ", "中原小学校", None),
        ("ﾋﾊﾞﾘ", "中原小学校", None),
        ("中原 田無", "", 0),
        ("<b>", "", 0),
    ],
)
def test_a_site_is_found_by_name_town_and_reading(client: Client, officer, words, first, count):
    page = document(client.get("/staff/sites/", {"q": words}))
    names = page.xpath("//h3/text()")
    assert names[:1] == ([first] if first else [])
    assert count is None or len(names) == count
    assert page.get_element_by_id("q").get("value") == words


def test_only_open_ones_can_be_shown(client: Client, officer):
    opened(officer)
    page = document(client.get("/staff/sites/", {"open": "1"}))
    assert page.xpath("//h3/text()") == ["中原小学校"]


def test_the_page_says_the_sum_and_who_said_it_when(client: Client, officer):
    opened(officer, evacuees=84, note="北門から")
    opened(officer, site=pk(WELFARE), state=Openness.FULL)
    page = document(client.get("/staff/sites/"))
    sums = [" ".join(dd.text_content().split()) for dd in page.xpath("//dl[@class='sums']//dd")]
    assert sums == ["2か所", "1か所", "84人"]
    assert "1か所は数なし" in page.text_content()
    said = row(client.get("/staff/sites/")).xpath("string(.//p[@class='site__last'])")
    for word in ("84人", "見本", "メモ：北門から"):
        assert word in said
    assert "no-store" in client.get("/staff/sites/")["Cache-Control"]


def test_a_welfare_shelter_names_whom_it_receives(client: Client, officer):
    said = row(client.get("/staff/sites/"), pk(WELFARE)).text_content()
    assert "受け入れる人：妊婦、乳幼児・保護者" in said


def test_enter_in_the_number_changes_no_state(client: Client, officer):
    """Enter presses the first button of a form: it must be the one that keeps the state."""
    opened(officer, state=Openness.FULL)
    buttons = row(client.get("/staff/sites/")).xpath(".//form[@class='site__do']//button")
    assert [b.get("value") for b in buttons] == ["full", "open", "crowded", "full", "closed"]


def test_all_are_closed_after_a_look_at_which(client: Client, officer):
    opened(officer, evacuees=84)
    opened(officer, site=pk(WELFARE))
    page = document(client.get("/staff/sites/close/"))
    assert page.xpath("//li/b[1]/text()") == ["中原小学校", "ひばりが丘保育園"]
    assert Opening.objects.count() == 2
    (listed,) = page.xpath("//input[@name='listed']/@value")
    answer = client.post("/staff/sites/close/", {"listed": listed}, follow=True)
    assert "2か所を、すべて閉じました。" in answer.content.decode()
    assert set(Opening.objects.newest().values_list("state", flat=True)) == {"closed"}


@pytest.mark.parametrize("listed", ["", "x", "1:2 ", None])
def test_a_list_that_is_not_true_closes_nothing(client: Client, officer, listed):
    opened(officer)
    told = {} if listed is None else {"listed": listed}
    answer = client.post("/staff/sites/close/", told)
    assert answer.status_code == 200
    assert "閉じていません" in answer.content.decode()
    assert Opening.objects.newest().get().state == "open"


def test_a_session_that_ran_out_comes_back_and_says_that_nothing_was_recorded(client: Client):
    user = staff(Role.SITE_STAFF)
    place = f"/staff/sites/{pk()}/?q=中原"
    gate = client.post(place, {"state": "open", "seen": 0})["Location"]
    assert gate.startswith("/staff/sign-in/?next=/staff/sites/")
    came = sign_in(client, user, PASSWORD, next=parse_qs(urlsplit(gate).query)["next"][0])
    assert came["Location"].startswith(f"/staff/sites/{pk()}/?q=")
    answer = client.get(came["Location"])
    assert "さきほどの操作は記録していません" in row(answer).xpath("string(.//p[@role='alert'])")
    assert Opening.objects.count() == 0


@pytest.mark.parametrize("path", ["/staff/sites/1/", "/staff/sites/1/1/"])
def test_nothing_is_done_by_looking(client: Client, officer, path):
    assert "記録していません" in client.get(path).content.decode()
    assert Opening.objects.count() == 0


def test_a_site_that_is_gone_is_not_opened(client: Client, officer):
    site = pk()
    Site.objects.filter(pk=site).update(closed_at=timezone.now())
    for number in (site, 999_999):
        answer = client.post(f"/staff/sites/{number}/", {"state": "open", "seen": 0})
        assert answer.status_code == 409
        assert "一覧にありません" in answer.content.decode()


@pytest.mark.parametrize("count", [1, 50])
def test_as_many_queries_for_one_open_site_as_for_fifty(
    client: Client, officer, count, django_assert_num_queries
):
    for number in Site.objects.values_list("pk", flat=True)[:count]:
        opened(officer, site=number)
    client.get("/staff/sites/")  # the warning areas are looked up once for each process
    with django_assert_num_queries(9):
        client.get("/staff/sites/")


def test_editing_a_master_record_announces_nothing(client: Client, officer):
    opened(officer)
    edit_site(pk(), by=officer, now=timezone.now(), name="新しい名前", hazards=["earthquake"])
    assert Opening.objects.count() == 1
    assert (Message.objects.count(), Dispatch.objects.count()) == (0, 0)


def test_opening_a_site_sends_nobody_a_message(client: Client, officer):
    client.post(f"/staff/sites/{pk()}/", {"state": "open", "seen": 0})
    assert Opening.objects.count() == 1
    assert (Message.objects.count(), Dispatch.objects.count()) == (0, 0)


def test_who_is_there_for_some_towns_sees_and_sets_their_sites_alone(client: Client):
    commander = create(Role.COMMANDER, "opener")
    here = Site.objects.here().filter(town__isnull=False)
    mine = here.first()
    other = here.exclude(town=mine.town).first()
    assert mine
    assert other
    theirs = opened(commander, site=other.pk)
    local = staff(Role.SITE_STAFF, towns=[mine.town.name])
    client.force_login(local)
    page = document(client.get("/staff/sites/"))
    assert page.xpath(f"//*[@id='site-{mine.pk}']")
    assert not page.xpath(f"//*[@id='site-{other.pk}']")
    assert mine.town.name in page.xpath("string(//section[1])")
    for path, told in (
        (f"/staff/sites/{other.pk}/", {"state": "full", "seen": theirs.pk}),
        (f"/staff/sites/{other.pk}/{theirs.pk}/", {}),
        ("/staff/sites/close/", {"listed": f"{other.pk}:{theirs.pk}"}),
    ):
        client.post(path, told)
        assert Opening.objects.newest().get(site=other).state == "open", path
    assert client.post(f"/staff/sites/{mine.pk}/", {"state": "open", "seen": 0}).status_code == 302
    listed = f"{mine.pk}:{Opening.objects.newest().get(site=mine).pk}"
    client.post("/staff/sites/close/", {"listed": listed})
    assert Opening.objects.newest().get(site=mine).state == "closed"
    assert Opening.objects.newest().get(site=other).state == "open"
