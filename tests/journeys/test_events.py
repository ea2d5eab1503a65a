"""A full event: somebody waits, moves up when another cancels, and is reminded, by real mail.

An editor writes the event in a browser; residents sign up on phones; the mails go through the
ledger to a real mail server. Every page holds for everyone (axe, 320 px, a finger).
"""

import email
import email.policy
import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from policity.foundations.delivery.rules.ledger import State
from policity.kit.languages import LANGUAGES
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.journeys.test_seen_to_work import policity as command
from tests.living import City, asked, demo, until
from tests.mail_sink import MailSink

pytestmark = [pytest.mark.journey, pytest.mark.process]

DESK = {"width": 1280, "height": 900}
# Where pictures of the pages are put, for whoever wants to look at them.
PICTURES = "POLICITY_TEST_PICTURES"


@pytest.fixture(scope="module")
def sink() -> Iterator[MailSink]:
    with MailSink(keep=True) as sink:
        yield sink


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, sink: MailSink) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLICITY_EMAIL_URL", f"smtp://127.0.0.1:{sink.port}")
        with demo(tmp_path_factory.mktemp("city")) as city:
            yield city


def picture(page: Page, name: str) -> None:
    folder = os.environ.get(PICTURES)
    if not folder:
        return
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        page.screenshot(path=Path(folder) / f"{name}.{width}.png", full_page=True)
    page.set_viewport_size(PHONE)


def mails(sink: MailSink, address: str, word: str) -> list[str]:
    """The texts of the mails to somebody whose subject has this word."""
    found = []
    for body in list(sink.bodies.values()):
        mail = email.message_from_bytes(body, policy=email.policy.default)
        if address in str(mail["To"]) and word in str(mail["Subject"]):
            found.append(str(mail.get_content()))
    return found


def link(sink: MailSink, address: str, word: str, path: str) -> str:
    until(lambda: mails(sink, address, word), f"{address} is told 「{word}」")
    found = re.search(rf"http\S+{path}\S+/", mails(sink, address, word)[-1])
    assert found
    return found[0]


def write(page: Page, city: City, starts: datetime, *, title: str, capacity: int) -> str:
    """An editor writes an event and publishes it; its number."""
    page.goto(f"http://127.0.0.1:{city.port}/staff/events/new/")
    page.get_by_label("名前", exact=True).fill(title)
    page.get_by_label("内容", exact=False).first.fill(
        "木の実と落ち葉で、リースを作ります。（見本）"
    )
    page.get_by_label("場所（ほかの場所のとき）").fill("市民会館の中庭")
    page.get_by_label("始まりの日", exact=True).fill(f"{starts:%Y-%m-%d}")
    page.get_by_label("始まりの時刻").fill(f"{starts:%H:%M}")
    page.get_by_label("申込みを受ける").check()
    page.get_by_label("定員（空なら、決めない）").fill(str(capacity))
    page.get_by_label("始まりの何時間前に閉めるか").fill("0")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.get_by_role("button", name="公開する").click()
    expect(page.get_by_role("status")).to_contain_text("公開しました")
    found = re.search(r"/events/(\d+)/", page.url)
    assert found
    return found[1]


def sign_up(page: Page, city: City, number: str, address: str, sink: MailSink) -> None:
    """From the event's page to the word that was given by mail."""
    page.goto(f"http://127.0.0.1:{city.port}/events/{number}/")
    page.locator("a.btn--main").click()
    page.get_by_label("メールアドレス").fill(address)
    page.get_by_label("名前", exact=False).first.fill("見本 花子")
    page.locator("button.btn--main").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("メールを見てください")
    page.goto(link(sink, address, "申込みの確認", "/events/me/join/"))
    page.get_by_role("button", name="申し込む").click()
    expect(page.get_by_role("status")).to_contain_text("申し込みました")


def test_a_full_event_from_the_desk_to_the_reminder(city: City, page: Page, sink: MailSink) -> None:
    found: list[str] = []
    browser = page.context.browser
    assert browser
    staff = signed_in(city, browser, "koho", DESK)
    tomorrow = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(hours=30)
    title = "落ち葉のリース作り（見本）"
    number = write(staff, city, tomorrow, title=title, capacity=1)
    staff.goto(f"http://127.0.0.1:{city.port}/staff/events/{number}/edit/")
    found += faults(staff, "edit")
    picture(staff, "staff-edit")

    page.set_viewport_size(PHONE)
    until(lambda: title.encode() in city.get(f"/events/{number}/"), "the page is written")
    until(lambda: title.encode() in city.get("/events/"), "the list is written")
    page.goto(f"http://127.0.0.1:{city.port}/")
    page.locator("footer").get_by_role("link", name="イベント").click()
    picture(page, "list")
    page.get_by_role("link", name=re.compile("リース")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    picture(page, "event")
    page.locator("a.btn--main").click()
    found += faults(page, "register")
    picture(page, "register")
    page.locator("button.btn--main").click()
    found += faults(page, "register with a fault")
    sign_up(page, city, number, "hanako@example.jp", sink)
    first = page.url
    picture(page, "mine")

    until(
        lambda: "キャンセル待ちをする".encode() in city.get(f"/events/{number}/"),
        "the page says that it is full",
    )
    sign_up(page, city, number, "taro@example.jp", sink)
    second = page.url
    expect(page.locator("main")).to_contain_text("あなたの番が次です")
    found += faults(page, "mine")
    assert mails(sink, "taro@example.jp", "席が空きました") == []

    staff.goto(f"http://127.0.0.1:{city.port}/staff/events/{number}/")
    staff.locator("main").get_by_role("link", name=re.compile("年")).first.click()
    found += faults(staff, "people")
    picture(staff, "staff-people")

    page.goto(first)
    page.get_by_role("button", name=re.compile("取り消す")).click()
    expect(page.get_by_role("status")).to_contain_text("取り消しました")
    until(lambda: mails(sink, "taro@example.jp", "席が空きました"), "who waited is told")
    page.goto(second)
    expect(page.locator("main")).to_contain_text("席があります")

    # Whoever comes is reminded a day before; here that moment is brought near.
    assert mails(sink, "taro@example.jp", "もうすぐです") == []
    staff.goto(f"http://127.0.0.1:{city.port}/staff/events/{number}/edit/")
    staff.get_by_label("始まりの何時間前に知らせるか").fill("48")
    staff.get_by_role("button", name="保存する").click()
    until(lambda: mails(sink, "taro@example.jp", "もうすぐです"), "the reminder")
    assert mails(sink, "hanako@example.jp", "もうすぐです") == []
    # The reminder stands in the ledger: handed over, to who moved up and to nobody else.
    rows = (
        "SELECT COUNT(*), MIN(a.value), MIN(l.state) FROM delivery_ledger AS l"
        " JOIN residents_address AS a ON a.resident_id = l.person WHERE l.message_id ="
        " (SELECT MAX(id) FROM delivery_message WHERE thread LIKE 'events:time:%')"
    )
    handed = (1, "taro@example.jp", State.HANDED)
    until(lambda: asked(city.home, rows) == handed, "the reminder stands in the ledger")
    assert page.context.cookies() == []
    assert found == []


# The event took place, as the clock will have it.
_OVER = """
from datetime import timedelta
from django.utils import timezone
from policity.foundations.events.models import Occurrence
now = timezone.now()
Occurrence.objects.filter(event={}).update(
    starts=now - timedelta(hours=2), ends=now - timedelta(hours=1))
"""


def test_who_came_answers_the_questions_that_the_editor_wrote(
    city: City, page: Page, sink: MailSink
) -> None:
    found: list[str] = []
    browser = page.context.browser
    assert browser
    staff = signed_in(city, browser, "koho", DESK)
    soon = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(hours=30)
    number = write(staff, city, soon, title="聞く会（見本）", capacity=5)
    staff.goto(f"http://127.0.0.1:{city.port}/staff/events/{number}/edit/")
    staff.get_by_label("終わったあとに、感想を聞く").check()
    staff.get_by_text("質問を足す").click()
    for one, (text, kind, choices) in enumerate(
        (("どこから来ましたか", "1つ選ぶ", "市内\n市外"), ("次に聞きたい話", "文で答える", "")), 1
    ):
        staff.locator("summary", has_text=re.compile(f"^質問{one}　")).click()
        staff.get_by_label(f"質問{one}の文", exact=True).fill(text)
        staff.get_by_label(f"質問{one}の答え方").select_option(kind)
        staff.get_by_label(f"質問{one}の選択肢").first.fill(choices)
    staff.get_by_label("かならず答えてもらう").first.check()
    found += faults(staff, "edit with questions")
    picture(staff, "staff-questions")
    staff.get_by_role("button", name="保存する").click()
    expect(staff.locator("main")).to_contain_text("2つの質問を聞きます")

    page.set_viewport_size(PHONE)
    until(lambda: "聞く会".encode() in city.get(f"/events/{number}/"), "the page is written")
    sign_up(page, city, number, "hanako@example.jp", sink)
    mine = page.url.partition("?")[0]
    assert command(city.home, "shell", "-c", _OVER.format(number)).returncode == 0
    until(lambda: mails(sink, "hanako@example.jp", "ありがとうございました"), "she is asked")
    page.goto(mine)
    page.get_by_role("link", name="感想を送る").click()
    page.get_by_label("とてもよかった").check()
    page.get_by_role("button", name="送る").click()
    # The fault leads to its question.
    page.get_by_role("link", name="質問1に、答えてください。").click()
    found += faults(page, "answer with a fault")
    page.get_by_label("市内").check()
    page.get_by_label("質問2").fill("川の話")
    picture(page, "answer")
    page.get_by_role("button", name="送る").click()
    expect(page.get_by_role("status")).to_contain_text("ありがとうございました")

    staff.locator("main").get_by_role("link", name=re.compile("年")).first.click()
    expect(staff.get_by_role("row", name="市内")).to_contain_text("1")
    expect(staff.locator("main")).to_contain_text("川の話")
    found += faults(staff, "answers")
    picture(staff, "staff-answers")
    assert found == []


def test_every_public_page_in_every_language_holds_for_everyone(city: City, page: Page) -> None:
    number, month = asked(
        city.home, "SELECT event_id, strftime('%Y-%m', starts, '+9 hours') FROM events_occurrence"
    )
    time = asked(city.home, "SELECT id FROM events_occurrence")[0]
    found: list[str] = []
    for language in LANGUAGES:
        for path in (
            "", "places/", f"month/{month}/", f"{number}/", f"register/{time}/", "register/done/",
            "me/broken/",
        ):  # fmt: skip
            address = f"{language.prefix}events/{path}"
            page.goto(f"http://127.0.0.1:{city.port}{address}")
            found += faults(page, address)
            if language.code in ("ja", "ja-easy", "en"):
                picture(page, f"{language.code}-{path.strip('/').replace('/', '-') or 'list'}")
    assert found == []


def test_the_staffs_pages_hold_for_everyone(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    staff = signed_in(city, browser, "koho", DESK)
    number = asked(city.home, "SELECT event_id FROM events_occurrence")[0]
    found: list[str] = []
    for path in ("", "new/", f"{number}/", f"{number}/off/", "calendars/"):
        staff.goto(f"http://127.0.0.1:{city.port}/staff/events/{path}")
        found += faults(staff, path)
        picture(staff, f"staff-{path.strip('/').replace('/', '-') or 'list'}")
    assert found == []
