"""Each morning the administrators hear how the system stands, once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from policity.back_office.presenters import health
from policity.back_office.presenters.morning import morning
from policity.back_office.tasks import HANDLERS, day, staff
from policity.foundations.accounts.models import AuditEntry, Role, RoleGrant, User
from policity.foundations.accounts.rules.mails import About
from policity.foundations.accounts.services import create_staff
from policity.foundations.continuity.rules.health import State
from policity.foundations.delivery.services import send, tell
from policity.foundations.delivery.services.counting import count
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.work.models import Item
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")

SEVEN = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def _new_worker(monkeypatch):
    monkeypatch.setattr(day, "_told", [])


@pytest.fixture
def readers():
    """An administrator with an address; one without, one who has left, one of another role."""
    users = {}
    for name, role, mail in (
        ("reader", Role.ADMINISTRATOR, "reader@city.example"),
        ("mute", Role.ADMINISTRATOR, ""),
        ("gone", Role.ADMINISTRATOR, "gone@city.example"),
        ("other", Role.DUTY_OFFICER, "other@city.example"),
    ):
        user = create_staff(
            username=name, password="correct-horse-battery", display_name=name, roles=[role],
            starts=TODAY - timedelta(days=9),
        )  # fmt: skip
        User.objects.filter(pk=user.pk).update(email=mail)
        users[name] = User.objects.get(pk=user.pk)
    RoleGrant.objects.filter(user=users["gone"]).update(
        starts=TODAY - timedelta(days=9), ends=TODAY - timedelta(days=1)
    )
    return users


def test_it_goes_once_a_day_to_administrators_who_have_an_address(readers, monkeypatch):
    assert "status-mail" in {handler.kind for handler in HANDLERS}
    assert day.tell(SEVEN - timedelta(seconds=1)) == 0
    assert day.tell(SEVEN) == 1
    item = Item.objects.get(kind=staff.MAIL)
    assert item.key.startswith(f"day:{TODAY.toordinal()}:{readers['reader'].pk}:")
    assert day.tell(SEVEN + timedelta(hours=1)) == 0
    # A restart knows of it.
    monkeypatch.setattr(day, "_told", [])
    assert day.tell(SEVEN + timedelta(hours=2)) == 0
    assert AuditEntry.objects.get(act="status.mailed").on == "day:2026-11-26"
    assert day.tell(SEVEN + timedelta(days=1)) == 1


def test_who_has_no_administrator_with_an_address_tells_nobody(city):
    assert day.tell(SEVEN) == 0
    assert not AuditEntry.objects.filter(act="status.mailed").exists()


def test_it_says_the_worst_first_and_what_was_sent(readers, monkeypatch):
    texts = {one.code: {"title": f"大雨 {one.code}", "body": "x"} for one in LANGUAGES}
    yesterday = SEVEN - timedelta(days=1)
    message = tell(
        kind="weather", thread="t:1", severity=Severity.SEVERE, level=4, texts=texts,
        told_at=yesterday, now=yesterday,
    )  # fmt: skip
    send(messages=[message], audience=Audience("weather", Severity.SEVERE), by=None, now=yesterday)
    count(now=yesterday)
    monkeypatch.setattr(
        "policity.back_office.presenters.morning.lines",
        lambda now: (
            health.Line(
                "disk", "ディスク", State.BROKEN, "いっぱいです。", "止まります。", "増やす。"
            ),
            health.Line("mail", "メールの送信", State.WEAK, "ありません。"),
            health.Line("clock", "時計", State.UNKNOWN, "分かりません。"),
            health.Line("feeds", "電文", State.GOOD, "届いています。"),
        ),
    )
    subject, text = morning(now=SEVEN)
    assert subject == "きょうの状態：異常（2件）"
    order = [
        text.index(word)
        for word in ("【異常】ディスク", "増やす。", "【注意】メール", "正常：電文")
    ]
    assert order == sorted(order)
    assert "・7:00 大雨 ja：あて先0人、届いた人0人" in text
    assert "分かりません" not in text
    assert text.rstrip().endswith("/staff/health/")


def test_where_all_is_well_it_says_so(readers, monkeypatch):
    monkeypatch.setattr(
        "policity.back_office.presenters.morning.lines",
        lambda now: (health.Line("feeds", "電文", State.GOOD, "届いています。"),),
    )
    subject, text = morning(now=SEVEN)
    assert subject == "きょうの状態：正常"
    assert "きのう送った知らせ：ありません" in text


def test_the_mail_is_of_its_own_day(readers, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: SEVEN)
    said = staff._said(About.DAY, TODAY.toordinal(), readers["reader"])
    assert said
    assert staff._said(About.DAY, TODAY.toordinal() - 1, readers["reader"]) is None
