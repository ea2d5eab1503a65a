"""The audit trail on the web: the administrator alone reads it, and nobody writes to it."""

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.presenters import audit as present
from policity.back_office.tests.test_orders_web import create, made
from policity.foundations.accounts.models import AuditEntry, Role
from policity.foundations.accounts.services import audit
from policity.foundations.accounts.tests.test_audit import acts
from policity.foundations.places.models import Town

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def administrator(client: Client):
    user = create(Role.ADMINISTRATOR, "administrator")
    client.force_login(user)
    return user


def rows(answer) -> list[list[str]]:
    """Number, who, what and to what."""
    page = html.document_fromstring(answer.content)
    cells = [[cell.text_content() for cell in row] for row in page.xpath("//tbody/tr")]
    return [[number, *rest] for number, _, *rest, _ in cells]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", ["/staff/audit/", "/staff/audit.csv"])
def test_who_may_read_it(client: Client, role, path):
    client.force_login(create(role, "someone"))
    assert client.get(path).status_code == (200 if role == Role.ADMINISTRATOR else 403)
    assert client.post(path).status_code == 405
    assert ("/staff/audit/" in client.get("/staff/").content.decode()) == (
        role == Role.ADMINISTRATOR
    )


def test_it_tells_who_did_what(client: Client, administrator):
    officer = create(Role.DUTY_OFFICER, "officer")
    order = made(officer, [Town.objects.here()[0].pk])
    said = rows(client.get("/staff/audit/"))
    assert [row[1:] for row in said] == [
        ["officer", "避難情報：承認を依頼", f"alerts.order:{order.pk}"],
        ["officer", "避難情報：作成", f"alerts.order:{order.pk}"],
        ["administrator", "サインイン：入った", f"accounts.user:{administrator.pk}"],
        ["（機械）", "市のデータ：読み込み", "places.city:13229"],
    ]
    assert len(rows(client.get("/staff/audit/?by=officer"))) == 2
    assert len(rows(client.get("/staff/audit/?about=staff"))) == 1
    assert rows(client.get("/staff/audit/?about=sta")) == []
    assert len(rows(client.get(f"/staff/audit/?on=alerts.order:{order.pk}"))) == 2
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert rows(client.get(f"/staff/audit/?since={tomorrow}")) == []
    assert len(rows(client.get(f"/staff/audit/?until={tomorrow}&since=x&before=-1"))) == 4


def test_all_of_it_can_be_paged_through(client: Client, administrator):
    for _ in range(2 * present.SHOWN):
        audit.record("note.written", by=None, now=timezone.now())
    seen, path = [], "/staff/audit/"
    while path:
        answer = client.get(path)
        seen += [int(row[0]) for row in rows(answer)]
        more = html.document_fromstring(answer.content).xpath("//a[text()='前の記録を見る']/@href")
        path = "/staff/audit/" + str(more[0]) if more else ""
    assert seen == list(range(2 * present.SHOWN + 2, 0, -1))


def test_the_table_holds_everything_and_no_formula(client: Client, administrator):
    audit.record("note.written", on="=1+1", by=None, now=timezone.now(), words="+cmd")
    answer = client.get("/staff/audit.csv")
    text = answer.getvalue().decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text)))
    assert [row["番号"] for row in found] == ["4", "3", "2", "1"]
    assert found[0]["何を"] == "監査の記録：ファイルにした"
    assert found[1]["何に"] == "'=1+1"
    assert found[1]["要約値"] == AuditEntry.objects.get(number=3).digest


def test_it_says_whether_it_is_kept_elsewhere(client: Client, administrator, settings, tmp_path):
    settings.HOME = tmp_path
    (tmp_path / "run").mkdir()
    assert "外に置いていません" in client.get("/staff/audit/").content.decode()
    settings.AUDIT_HEADS = str(tmp_path / "heads")
    assert "2件を、まだ外の控えに送れていません" in client.get("/staff/audit/").content.decode()
    audit.ship()
    page = client.get("/staff/audit/").content.decode()
    assert 'class="fault"' not in page


@pytest.mark.parametrize("act", sorted(acts()))
def test_every_act_has_words(act):
    about, _, done = act.partition(".")
    assert about in present.ABOUT
    assert not done or done in present.DONE
