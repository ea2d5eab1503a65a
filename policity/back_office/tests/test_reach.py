"""The reach of a message on the board, on its page and in its exports is what the ledger says."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.presenters.reach import lasting, percent, sentence
from policity.back_office.tests.conftest import EVERY_STATE
from policity.back_office.tests.test_access import staff
from policity.back_office.tests.test_queue import dispatch
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.policies import MAY, Act
from policity.foundations.delivery import services
from policity.foundations.delivery.models import Alarm, LedgerRow
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services.counting import moved
from policity.foundations.residents.models import Resident

pytestmark = pytest.mark.usefixtures("city")

WORDS = {
    State.CONFIRMED: "返事があった",
    State.SEEN: "見た",
    State.DELIVERED: "届いた",
    State.HANDED: "渡した",
    State.QUEUED: "待ち",
    State.FAILED: "失敗",
    State.UNREACHABLE: "手段なし",
    State.WITHDRAWN: "取り下げ",
}


@pytest.fixture
def officer(client: Client) -> Client:
    client.force_login(staff(Role.DUTY_OFFICER))
    return client


# Other agencies look on; experts from outside see the plan alone.
LOOKERS = sorted(MAY[Act.SEE_BOARD])
PATHS = ("", "reach/{}/", "reach/{}.csv", "reach/{}.json")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", LOOKERS)
def test_every_role_sees_how_many_were_reached(client: Client, told, path, role):
    client.force_login(staff(role))
    message = told({State.HANDED: 1})
    answer = client.get(f"/staff/{path.format(message)}")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", PATHS[1:])
def test_experts_from_outside_do_not(client: Client, told, path):
    client.force_login(staff(Role.ASSESSOR))
    assert client.get(f"/staff/{path.format(told({State.HANDED: 1}))}").status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_who_has_no_role_sees_nothing(client: Client, told, path):
    message = told({State.HANDED: 1})
    assert client.get(f"/staff/{path.format(message)}").status_code == 302
    client.force_login(User.objects.create(username="no-role", is_superuser=True))
    assert client.get(f"/staff/{path.format(message)}").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "reach/{}/", 405),
        ("post", "reach/{}.csv", 405),
        ("get", "reach/99/", 404),
        ("get", "reach/99.csv", 404),
        ("get", "reach/99.json", 404),
        ("get", "reach/x.csv", 404),
        ("get", "?message=99", 404),
        ("get", "?message=x", 200),
        ("get", "?message={}", 200),
    ],
)
def test_wrong_methods_and_messages(officer, told, method, path, status):
    message = told({State.HANDED: 1})
    assert getattr(officer, method)(f"/staff/{path.format(message)}").status_code == status


def test_what_waits_for_approval_has_reached_nobody(officer):
    waiting = dispatch(approved=False)
    assert officer.get(f"/staff/reach/{waiting}/").status_code == 404
    assert "送った知らせは、まだありません" in officer.get("/staff/").content.decode()


def test_the_numbers_of_the_page_are_the_ledgers(officer, told):
    told(EVERY_STATE)
    page = html.document_fromstring(officer.get("/staff/").content)
    shown = {
        part.xpath("string(dt)"): int(str(part.xpath("string(dd)")))
        for part in page.xpath("//dl[@class='states']/div")
    }
    rows = LedgerRow.objects.values_list("state", flat=True)
    assert shown == {WORDS[State(state)]: list(rows).count(state) for state in State}
    total = sum(EVERY_STATE.values())
    head = page.xpath("//h2[@id='b6']")[0]
    assert head.text_content() == f"送信　対象 {total}人"
    assert sum(shown.values()) == total
    widths = [float(str(x)) for x in page.xpath("//svg[contains(@class, 'flow')]/rect/@width")]
    assert sum(widths) == pytest.approx(1180, abs=1)
    reached = sum(count for state, count in EVERY_STATE.items() if state >= State.HANDED)
    headline = page.xpath("//p[@data-headline]")[0]
    assert f"{total}人のうち {reached}人" in headline.text_content()


def test_a_ledger_that_does_not_add_up_is_said(officer, told):
    told(EVERY_STATE)
    assert "台帳と一致" in officer.get("/staff/").content.decode()
    LedgerRow.objects.filter(state=State.SEEN)[:1].get().delete()
    text = officer.get("/staff/").content.decode()
    assert "台帳と合いません" in text


def test_towns_come_lowest_first_and_their_sums_are_everybody(officer, told):
    message = told({State.HANDED: 6, State.FAILED: 1, State.QUEUED: 1})
    data = json.loads(officer.get(f"/staff/reach/{message}.json").content)
    shares = [town["reached"] / town["targets"] for town in data["towns"]]
    assert shares == sorted(shares)
    for split in ("towns", "languages", "channels", "ages"):
        assert sum(line["targets"] for line in data[split]) == data["targets"] == 8
        assert sum(line["reached"] for line in data[split]) == data["reached"] == 6


def test_ages_are_told_where_any_is_known(officer, told):
    message = told({State.HANDED: 3, State.QUEUED: 1})
    assert "年齢ごと" not in officer.get("/staff/").content.decode()
    this = timezone.localdate().year
    old, young, *_ = Resident.objects.order_by("pk")
    Resident.objects.filter(pk=old.pk).update(born=this - 80)
    Resident.objects.filter(pk=young.pk).update(born=this - 18)
    moved([message])
    services.count(now=timezone.now())
    data = json.loads(officer.get(f"/staff/reach/{message}.json").content)
    assert [(line["key"], line["targets"], line["reached"]) for line in data["ages"]] == [
        ("old", 1, 1), ("young", 1, 1), ("unknown", 2, 1),
    ]  # fmt: skip
    for page in ("/staff/", f"/staff/reach/{message}/"):
        tables = html.document_fromstring(officer.get(page).content).xpath("//table")
        [table] = [one for one in tables if "75歳以上" in one.text_content()]
        names = table.xpath(".//th[@scope='row']/text()")
        assert names == ["75歳以上", "18〜39歳", "書いていない人"]
    rows = list(
        csv.DictReader(
            io.StringIO(officer.get(f"/staff/reach/{message}.csv").content.decode("utf-8-sig"))
        )
    )
    assert sum(int(row["対象"]) for row in rows if row["区分"] == "年齢") == 4
    # Who has left since has no age.
    Resident.objects.filter(pk=old.pk).delete()
    moved([message])
    services.count(now=timezone.now())
    data = json.loads(officer.get(f"/staff/reach/{message}.json").content)
    assert [line["name"] for line in data["ages"]][-1] == "登録をやめた人"


def test_data_is_the_count(officer, told):
    message = told(EVERY_STATE)
    data = json.loads(officer.get(f"/staff/reach/{message}.json").content)
    assert data["states"] == {state.word: count for state, count in EVERY_STATE.items()}
    assert data["whole"] is True
    assert data["failed"] == {"unknown": EVERY_STATE[State.FAILED]}
    assert data["seconds_to"]["95%"] is None


def test_the_table_opens_in_a_spreadsheet_and_adds_up(officer, told):
    message = told(EVERY_STATE)
    answer = officer.get(f"/staff/reach/{message}.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="reach-{message}.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    whole = next(row for row in rows if row["区分"] == "全体")
    for state, count in EVERY_STATE.items():
        name = WORDS[state]
        if state is State.DELIVERED:
            continue  # the column's name is that of the sum, too
        assert int(whole[name]) == count
        towns = [row for row in rows if row["区分"] == "町"]
        assert sum(int(row[name]) for row in towns) == count
    assert int(whole["対象"]) == sum(EVERY_STATE.values())


@pytest.mark.parametrize("path", PATHS)
def test_nobodys_particulars_are_shown(officer, told, path):
    message = told(EVERY_STATE)
    text = officer.get(f"/staff/{path.format(message)}").content.decode()
    assert "example.jp" not in text
    assert not re.search(r"\bp7\b", text)


def test_another_message_can_be_chosen(officer, told):
    first = told({State.HANDED: 3})
    told({State.HANDED: 5})
    assert "5人のうち 5人" in officer.get("/staff/").content.decode()
    text = officer.get(f"/staff/?message={first}").content.decode()
    assert "3人のうち 3人" in text
    assert f"/staff/live/?message={first}" in text
    assert "新しい知らせを見る" in text


def test_times_are_said_and_what_is_not_yet_is_said_too(officer, told):
    told({State.HANDED: 9, State.QUEUED: 1})
    page = html.document_fromstring(officer.get("/staff/").content)
    times = page.xpath("//section[@aria-labelledby='b10']//dl/div")
    said = {part.xpath("string(dt)"): part.xpath("string(dd)") for part in times}
    assert said["95%まで"] == "まだ"
    assert "秒" in said["90%まで"]


@pytest.mark.parametrize("role", LOOKERS)
def test_who_called_for_help_is_for_those_on_duty(client: Client, told, role):
    message = told({State.CONFIRMED: 1})
    Alarm.objects.create(
        message_id=message, person=1, town="泉町三丁目", language="ja", phone="090-1",
        raised_at=timezone.now(),
    )  # fmt: skip
    client.force_login(staff(role))
    text = client.get("/staff/").content.decode()
    assert "担当が決まっていません" in text
    assert "090-1" not in text
    on_duty = role in (Role.COMMANDER, Role.DUTY_OFFICER)
    assert ("助けを求める人の町" in text) is on_duty


@pytest.mark.parametrize(
    ("there", "targets", "expanding", "said"),
    [
        (1578, 2000, False, "2,000人のうち 1,578人（78.9%）に届きました。90%まで あと 222人。"),
        (1900, 2000, False, "2,000人のうち 1,900人（95.0%）に届きました。まだの人は 100人。"),
        (1850, 2000, False, "2,000人のうち 1,850人（92.5%）に届きました。95%まで あと 50人。"),
        (1999, 2000, False, "2,000人のうち 1,999人（99.9%）に届きました。まだの人は 1人。"),
        (3, 3, False, "3人のうち 3人（100.0%）に届きました。全員です。"),
        (3, 9, True, "9人のうち 3人（33.3%）に届きました。対象の人は、まだふえています。"),
        (0, 0, True, "対象の人を数えています。"),
        (0, 0, False, "対象の人はいませんでした。"),
    ],
)
def test_the_sentence_a_mayor_reads(there, targets, expanding, said):
    assert sentence(there, targets, expanding=expanding) == said


def test_a_count_that_is_not_new_says_when_it_was(officer, told):
    message = told({State.HANDED: 1})
    now = timezone.now()
    services.count(now=now - timedelta(seconds=9))
    at = f"{timezone.localtime(now - timedelta(seconds=9)):%H:%M:%S} の数"
    assert at not in officer.get("/staff/").content.decode()
    # More has happened since.
    moved([message])
    assert at in officer.get("/staff/").content.decode()


def test_nearly_everybody_is_not_everybody():
    assert percent(199_999, 200_000) == "99.9%"
    assert percent(0, 0) == "–"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0秒"), (52, "52秒"), (62, "1分02秒"), (7500, "2時間05分")],
)
def test_times_in_words(seconds, said):
    assert lasting(timedelta(seconds=seconds)) == said
