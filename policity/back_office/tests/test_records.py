"""The chronology, hand-overs and the switch of the state of emergency, as staff meet them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.presenters import chronology as present
from policity.back_office.tests.test_access import PASSWORD, staff
from policity.back_office.tests.test_queue import dispatch
from policity.fields.alerts.models import Emergency, HandOver, Note
from policity.fields.alerts.queries import records as queries
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import orders, records
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.tests.factors import sign_in
from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.models import Alarm, LedgerRow, Reply
from policity.foundations.places.models import Site, Town
from policity.foundations.places.rules.openings import Openness
from policity.foundations.places.services.opening import set_opening

pytestmark = pytest.mark.usefixtures("city")

CRISIS_ROOM = {Role.COMMANDER, Role.DUTY_OFFICER}
READERS = CRISIS_ROOM | {Role.ADMINISTRATOR, Role.VIEWER, Role.AGENCY}
PHONE = "090-1234-5678"
PERSON = 987654


def somebody(role: Role, name: str) -> User:
    made = staff(role)
    User.objects.filter(pk=made.pk).update(username=f"other-{role}", display_name=name)
    made.refresh_from_db()
    return made


@pytest.fixture
def officer():
    return somebody(Role.DUTY_OFFICER, "見本 当直")


@pytest.fixture
def commander():
    return somebody(Role.COMMANDER, "見本 本部長")


@pytest.fixture
def over(officer) -> HandOver:
    return records.hand_over(text="川を見る", summary=[], by=officer, now=timezone.now())


ALLOWED = {
    "chronology": READERS,
    "csv": READERS,
    "text": READERS,
    "note form": CRISIS_ROOM,
    "write": CRISIS_ROOM,
    "hand-overs": READERS,
    "hand over": CRISIS_ROOM,
    "hand-over": READERS,
    "receive": CRISIS_ROOM,
    "switch": CRISIS_ROOM,
    "declare": CRISIS_ROOM,
    "end": CRISIS_ROOM,
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("what", ALLOWED)
def test_who_may_and_who_may_not(client: Client, over, commander, role, what):
    standing = None
    if what == "end":
        now = timezone.now()
        standing = records.declare_emergency(why="大雨", by=commander, now=now)
    client.force_login(staff(role))
    page, ends = f"/staff/hand-over/{over.pk}/", standing.pk if standing else ""
    answer = {
        "chronology": lambda: client.get("/staff/chronology/"),
        "csv": lambda: client.get("/staff/chronology.csv"),
        "text": lambda: client.get("/staff/chronology.txt"),
        "note form": lambda: client.get("/staff/chronology/note/"),
        "write": lambda: client.post("/staff/chronology/note/", {"text": "電話"}),
        "hand-overs": lambda: client.get("/staff/hand-over/"),
        "hand over": lambda: client.post("/staff/hand-over/", {"text": "橋を見る"}),
        "hand-over": lambda: client.get(page),
        "receive": lambda: client.post(page),
        "switch": lambda: client.get("/staff/emergency/"),
        "declare": lambda: client.post("/staff/emergency/", {"why": "大雨"}),
        "end": lambda: client.post("/staff/emergency/", {"ends": ends}),
    }[what]()
    acted = role in ALLOWED[what]
    assert answer.status_code in ((200, 302) if acted else (403,))
    over.refresh_from_db()
    assert Note.objects.exists() == (acted and what == "write")
    assert HandOver.objects.filter(text="橋を見る").exists() == (acted and what == "hand over")
    assert (over.received_by is not None) == (acted and what == "receive")
    assert Emergency.objects.exists() == ((acted and what == "declare") or what == "end")
    assert Emergency.objects.filter(ended_at=None).exists() == (
        (acted and what == "declare") or (not acted and what == "end")
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/staff/chronology/note/?corrects=999", 404),
        ("/staff/chronology/note/?corrects=x", 404),
        ("/staff/hand-over/999/", 404),
        ("/staff/chronology/?since=x&until=99&kind=none&order=up&q=", 200),
    ],
)
def test_what_is_not_there(client: Client, officer, path, status):
    client.force_login(officer)
    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/staff/chronology/", "/staff/chronology.csv"])
def test_reading_writes_nothing(client: Client, officer, path):
    client.force_login(officer)
    assert client.post(path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/staff/chronology/",
        "/staff/chronology.csv",
        "/staff/chronology.txt",
        "/staff/chronology/note/",
        "/staff/hand-over/",
        "/staff/hand-over/1/",
        "/staff/emergency/",
    ],
)
def test_a_stranger_is_asked_to_sign_in(client: Client, path):
    answer = client.get(path)
    assert urlsplit(answer["Location"]).path == "/staff/sign-in/"
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [path]


def night(officer: User, commander: User, *, times: int = 1) -> None:
    """An evening in which everything happens that the chronology tells of, `times` over."""
    now = timezone.now()
    towns = [town.pk for town in Town.objects.here()[:8]]
    sites = list(Site.objects.here()[:times])
    records.declare_emergency(why="石神井川の水位", by=commander, now=now)
    for n in range(times):
        at = now + timedelta(seconds=n)
        draft = orders.Draft(Level.EVACUATE, tuple(towns), "flood", {}, {})
        made = orders.compose(draft=draft, by=officer, now=at)
        orders.submit(order=made.pk, seen=made.version, by=officer, now=at)
        orders.issue(order=made.pk, seen=made.version, by=commander, now=at)
        set_opening(
            site=sites[n].pk, state=Openness.OPEN, evacuees=84, note="", by=officer, now=at, seen=0
        )
        message = dispatch(approved=False)
        delivery.approve(message=message, by=commander, now=at)
        LedgerRow.objects.create(
            message_id=message, person=PERSON, channel="mail", state=4, changed_at=at
        )
        alarm = delivery.reply(
            message=message, person=PERSON, channel="mail", answer=Reply.Answer.HELP, now=at
        )
        assert alarm is not None
        delivery.tell_more(message=message, person=PERSON, phone=PHONE, situation=["hurt"], now=at)
        delivery.own_alarm(alarm=alarm.pk, by=officer, now=at)
        delivery.close_alarm(alarm=alarm.pk, outcome=f"{PHONE}に電話", by=officer, now=at)
        over = records.hand_over(text=f"川を見る {n}", summary=[], by=officer, now=at)
        records.receive(hand_over=over.pk, by=commander, now=at)
        records.write_note(text=f"石神井川の水位を消防に確認 {n}", at=at, by=officer, now=at)


def lines(client: Client, query: str = "") -> list[str]:
    page: Any = html.document_fromstring(client.get(f"/staff/chronology/{query}").content)
    return [li.text_content() for li in page.xpath("//ol[@class='minutes__list']/li")]


def test_it_reads_like_minutes(client: Client, officer, commander):
    night(officer, commander)
    client.force_login(officer)
    found = lines(client, "?order=old")
    said = " ".join(found)
    for words in (
        "見本 本部長が、災害対策本部を設置",
        "理由は石神井川の水位",
        "見本 当直が、避難指示（8町）を作成",
        "見本 当直が、避難指示（8町）の承認を依頼",
        "見本 本部長が、避難指示（8町）を承認・発令",
        "を開設（84人）",
        "未開設 → 開設",
        "見本 本部長が、「大雨警報」の送信を承認",
        "から、助けを求める返事",
        "の助けの呼びかけを受け持ち",
        "の助けの呼びかけへの対応を終了",
        "見本 当直が、次の当番への引き継ぎを記入",
        "見本 本部長が、見本 当直から引き継ぎ",
        "見本 当直：石神井川の水位を消防に確認 0",
    ):
        assert words in said, words
    assert found[0].startswith(f"{timezone.localtime():%H:}")
    assert lines(client) == found[::-1]


@pytest.mark.parametrize("path", ["chronology/", "chronology.csv", "chronology.txt"])
def test_no_residents_number_and_no_telephone_is_in_it(client: Client, officer, commander, path):
    night(officer, commander)
    assert Alarm.objects.filter(person=PERSON).exists()
    client.force_login(officer)
    text = client.get(f"/staff/{path}").content.decode()
    assert "助けを求める返事" in text
    for secret in (PHONE, str(PERSON), "hurt", "けがをした"):
        assert secret not in text
    over = HandOver.objects.last()
    assert over is not None
    for page in ("/staff/hand-over/", f"/staff/hand-over/{over.pk}/"):
        assert PHONE not in client.get(page).content.decode()


@pytest.mark.parametrize("times", [1, 4])
def test_as_many_queries_for_one_line_as_for_hundreds(
    client: Client, officer, commander, times, django_assert_num_queries
):
    night(officer, commander, times=times)
    client.force_login(officer)
    client.get("/staff/chronology/")
    with django_assert_num_queries(19):
        client.get("/staff/chronology/")


def test_it_is_filtered_by_kind_words_and_days(client: Client, officer, commander):
    night(officer, commander)
    client.force_login(officer)
    assert len(lines(client, "?kind=order")) == 3
    assert all("引き継ぎ" in line for line in lines(client, "?kind=hand_over"))
    assert len(lines(client, "?q=水位 消防")) == 1
    assert lines(client, "?q=水位 警察") == []
    yesterday = timezone.localdate() - timedelta(days=1)
    assert lines(client, f"?since={yesterday}&until={yesterday}") == []
    text = client.get("/staff/chronology.csv?kind=order").content.decode("utf-8-sig")
    assert len(text.splitlines()) == 4


def test_what_is_not_shown_is_said_and_is_in_the_files(
    client: Client, officer, commander, monkeypatch
):
    night(officer, commander)
    client.force_login(officer)
    every = len(lines(client))
    monkeypatch.setattr(present, "MOST", 5)
    text = client.get("/staff/chronology/").content.decode()
    assert f"{every}件のうち、新しいほうから5件を出しています。のこり{every - 5}件は" in text
    assert len(lines(client)) == 5
    rows = client.get("/staff/chronology.csv").content.decode("utf-8-sig").splitlines()
    assert len(rows) == every + 1


def test_the_files(client: Client, officer):
    now = timezone.now()
    records.write_note(text="=1+1", at=now - timedelta(days=1), by=officer, now=now)
    client.force_login(officer)
    table = client.get("/staff/chronology.csv")
    assert table["Content-Type"] == "text/csv; charset=utf-8"
    assert table.content.startswith(b"\xef\xbb\xbf")
    # A spreadsheet would compute it.
    assert ",'=1+1," in table.content.decode()
    text = client.get("/staff/chronology.txt").content.decode("utf-8-sig")
    assert text.startswith("西東京市　クロノロジー　")
    assert "　見本 当直：=1+1\r\n" in text


def test_an_order_that_was_changed_is_not_said_to_have_been_so_before(officer):
    at = datetime(2026, 9, 18, 11, 0, tzinfo=UTC)
    minute = timedelta(minutes=1)
    towns = [town.pk for town in Town.objects.here()[:3]]
    User.objects.get(pk=officer.pk).grants.update(starts=at.date())
    first = orders.Draft(Level.ELDERLY, (towns[0],), "flood", {}, {})
    second = orders.Draft(Level.EVACUATE, tuple(towns), "flood", {}, {})
    made = orders.compose(draft=first, by=officer, now=at)
    orders.compose(draft=second, by=officer, now=at + minute, order=made.pk, seen=1)
    found = present.minutes(present.read(at, at + 2 * minute), at, at + 2 * minute)
    assert [line.what for line in found] == ["避難情報の案を作成", "避難指示（3町）を変更"]


def test_a_note_is_written_later_and_corrected(client: Client, officer):
    client.force_login(officer)
    at = timezone.localtime() - timedelta(minutes=30)
    stamp = at.strftime("%Y-%m-%dT%H:%M")
    client.post("/staff/chronology/note/", {"at": stamp, "text": "水位 2.1m"})
    wrong = Note.objects.get()
    assert timezone.localtime(wrong.at).strftime("%H:%M") == f"{at:%H:%M}"
    form = client.get(f"/staff/chronology/note/?corrects={wrong.pk}").content.decode()
    assert "水位 2.1m</textarea>" in form
    assert f'value="{stamp}"' in form
    client.post("/staff/chronology/note/", {"at": stamp, "text": "水位 1.2m", "corrects": wrong.pk})
    said = "".join(lines(client))
    for words in ("に記入", "の記録を訂正", "のちに訂正", "水位 2.1m", "水位 1.2m"):
        assert words in said
    assert "：水位 2.1m</s>" in client.get("/staff/chronology/").content.decode()
    again = client.post("/staff/chronology/note/", {"text": "水位 3m", "corrects": wrong.pk})
    assert again.status_code == 400
    assert "もう訂正しました" in again.content.decode()
    assert "水位 3m</textarea>" in again.content.decode()


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/staff/chronology/note/", {"text": "橋が<通れない>", "at": "2026-09-18T20:55"}),
        ("/staff/hand-over/", {"text": "橋が<通れない>"}),
        ("/staff/emergency/", {"why": "橋が<通れない>"}),
    ],
)
def test_what_was_typed_outlives_the_session(client: Client, path, typed):
    user = staff(Role.DUTY_OFFICER)
    page: Any = html.document_fromstring(client.post(path, typed).content)
    form = {field.get("name"): field.get("value", "") for field in page.xpath("//input[@name]")}
    answer = sign_in(client, user, PASSWORD, **form)
    assert answer["Location"] == path
    text = client.get(path).content.decode()
    assert "橋が&lt;通れない&gt;" in text
    assert typed.get("at", "") in text
    assert not Note.objects.exists()
    assert not HandOver.objects.exists()
    assert not Emergency.objects.exists()


def test_a_hand_over_keeps_how_things_stood(client: Client, officer, commander):
    night(officer, commander)
    User.objects.filter(pk=officer.pk).update(display_name="見本 当直")
    client.force_login(officer)
    form = client.get("/staff/hand-over/").content.decode()
    for words in ("避難指示　8町", "84人", "災害対策本部"):
        assert words in form
    client.post("/staff/hand-over/", {"text": "橋を見る"})
    kept = HandOver.objects.get(text="橋を見る")
    site = Site.objects.here()[0]
    newest = site.openings.latest("pk")
    set_opening(
        site=site.pk, state=Openness.FULL, evacuees=300, note="", by=officer,
        now=timezone.now(), seen=newest.pk,
    )  # fmt: skip
    text = client.get(f"/staff/hand-over/{kept.pk}/").content.decode()
    assert "84人" in text
    assert "300人" not in text
    assert "次の人が、自分でサインインして" in text
    client.force_login(commander)
    page = f"/staff/hand-over/{kept.pk}/"
    assert "引き継いだ</button>" in client.get(page).content.decode()
    client.post(page)
    assert "引き継ぎ済み" in client.get(page).content.decode()
    assert "引き継いだ</button>" not in client.get(page).content.decode()


def test_an_empty_hand_over_is_asked_for_again(client: Client, officer):
    client.force_login(officer)
    answer = client.post("/staff/hand-over/", {"text": " "})
    assert answer.status_code == 400
    assert "特になし" in answer.content.decode()


def test_the_switch_says_first_what_it_does_and_then_does_it(client: Client, commander):
    client.force_login(commander)
    text = client.get("/staff/emergency/").content.decode()
    for words in ("災害対策本部を設けました", "急がない知らせ", "情報ボード", "クロノロジー"):
        assert words in text
    assert "災害対策本部を設けています" not in client.get("/staff/").content.decode()
    assert client.post("/staff/emergency/", {"why": ""}).status_code == 400
    client.post("/staff/emergency/", {"why": "石神井川の水位"})
    board = client.get("/staff/").content.decode()
    for words in ("災害対策本部を設けています", "見本 本部長", "0件</b>が待っています"):
        assert words in board
    text = client.get("/staff/emergency/").content.decode()
    assert "緊急時を終えますか" in text
    standing = queries.emergency()
    assert standing is not None
    client.post("/staff/emergency/", {"ends": standing.id})
    assert queries.emergency() is None
    assert "災害対策本部を設けています" not in client.get("/staff/").content.decode()
    late = client.post("/staff/emergency/", {"ends": standing.id})
    assert "もう終わっています" in late.content.decode()
