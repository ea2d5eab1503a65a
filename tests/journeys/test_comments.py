"""A city asks what residents think of its plan; they say it on a phone and on paper; it answers."""

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_events import DESK, picture
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.living import City, asked, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]
NAME = "見本 名字花子"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def sends(page: Page, address: str, words: dict[str, str], found: list[str]) -> str:
    """Somebody on a phone finds the call, errs, and sends a comment; where they see it then."""
    page.goto(address)
    found += faults(page, f"call {words['lang']}")
    page.get_by_role("link", name=words["write"]).click()
    found += faults(page, f"form {words['lang']}")
    page.get_by_label(words["name"], exact=False).first.fill(NAME)
    page.get_by_role("button", name=words["send"], exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(words["fault"])
    expect(page.get_by_label(words["name"], exact=False).first).to_have_value(NAME)
    found += faults(page, f"form with faults {words['lang']}")
    page.locator("#text").fill(words["text"])
    picture(page, f"comment-form-{words['lang']}")
    # Who is used to icons presses twice.
    page.get_by_role("button", name=words["send"], exact=True).dblclick()
    expect(page.get_by_role("status")).to_contain_text(words["done"])
    found += faults(page, f"sent {words['lang']}")
    picture(page, f"comment-sent-{words['lang']}")
    return page.url


JAPANESE = {
    "lang": "ja", "write": "意見を書く", "name": "名前", "send": "送る", "fault": "意見を書いて",
    "text": "避難所の案内を、英語でも出してください。", "done": "受け取りました",
}  # fmt: skip
ENGLISH = {
    "lang": "en", "write": "Write a comment", "name": "Name", "send": "Send",
    "fault": "Please write your comment", "text": "Please give shelter information in English.",
    "done": "Received",
}  # fmt: skip


def test_a_call_from_the_web_and_paper_to_the_answers(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    found: list[str] = []
    here = f"http://127.0.0.1:{city.port}"
    number = asked(city.home, "SELECT id FROM city_plan_call WHERE stage = 'open'")[0]
    until(lambda: b"<h1" in city.get(f"/plan/comments/{number}/"), "the call has a page")
    page.set_viewport_size(PHONE)
    page.goto(f"{here}/plan/comments/")
    found += faults(page, "calls")
    own = sends(page, f"{here}/plan/comments/{number}/", JAPANESE, found)
    sends(page, f"{here}/en/plan/comments/{number}/", ENGLISH, found)

    staff = signed_in(city, browser, "kikaku", DESK)
    staff.goto(f"{here}/staff/plan/comments/{number}/")
    found += faults(staff, "desk")
    staff.get_by_role("link", name="紙・メールの意見を入れる").click()
    found += faults(staff, "typing")
    staff.get_by_label("書かれたとおりに").fill("避難所に、外国の人にも分かる絵がほしい。")
    staff.get_by_label("住所か連絡先").fill("見本町 9-8-7")
    staff.get_by_role("button", name="入れる", exact=True).click()
    expect(staff.get_by_role("status")).to_contain_text("受付番号は")
    mail = EmailMessage()
    mail["From"] = "見本 太郎 <taro@example.jp>"
    mail.set_content("この店を見に来てください。")
    file = {"name": "a.eml", "mimeType": "message/rfc822", "buffer": mail.as_bytes()}
    staff.get_by_label("メールのファイル（.eml）").set_input_files(file)  # type: ignore[arg-type]
    staff.get_by_role("button", name="読んで、下に写す").click()
    expect(staff.get_by_role("status")).to_contain_text("まだ入れていません")
    expect(staff.locator("#text")).to_have_value("この店を見に来てください。")
    found += faults(staff, "mail read")
    staff.get_by_role("button", name="入れる", exact=True).click()
    expect(staff.get_by_role("status")).to_contain_text("受付番号は")

    staff.goto(f"{here}/staff/plan/comments/{number}/?q=この店")
    staff.get_by_role("link", name="くわしく").click()
    found += faults(staff, "one")
    staff.get_by_label("宣伝・関係のないこと").check()
    staff.get_by_role("button", name="公開しない", exact=True).click()
    expect(staff.get_by_role("status")).to_contain_text("件数にだけ")
    boxes = staff.locator("input[name=comment]")
    expect(boxes).to_have_count(4)
    for box in boxes.all():
        box.check()
    staff.get_by_label("新しいまとまりの名前").fill("避難所の案内を、ほかの言葉でも")
    picture(staff, "staff-comments")
    staff.get_by_role("button", name="まとめる", exact=True).click()
    found += faults(staff, "group")
    staff.locator("#id_summary_ja").fill("避難所の案内を、英語や絵でも。")
    staff.locator("#id_answer_ja").fill(f"{NAME}さんのとおり、英語と絵でも出します。")
    staff.locator("#id_change_ja").fill("施策2-1に足しました。")
    staff.get_by_label("反映した", exact=True).check()
    staff.get_by_role("button", name="保存する").click()
    expect(staff.get_by_role("alert")).to_contain_text("名前か住所")
    found += faults(staff, "group with a name")
    staff.locator("#id_answer_ja").fill("英語と絵でも出します。")
    staff.get_by_role("button", name="保存する").click()
    expect(staff.get_by_role("status")).to_contain_text("保存しました")
    staff.get_by_text("終わりの日を変える・早く終わりにする").click()
    staff.get_by_label("早く終わりにする理由").fill("試すため（見本）")
    staff.get_by_role("button", name="受け付けを終わりにする").click()
    expect(staff.get_by_role("status")).to_contain_text("終わりにしました")
    staff.get_by_role("button", name="結果を公開する").click()
    expect(staff.get_by_role("status")).to_contain_text("公開しました")
    picture(staff, "staff-comments-published")

    result = f"/plan/comments/{number}/result/"
    until(lambda: "英語と絵でも".encode() in city.get(result), "the answers are there")
    until(lambda: b"result/" in city.get(f"/plan/comments/{number}/"), "the call leads to them")
    page.goto(f"{here}/plan/comments/{number}/")
    page.get_by_role("link", name="意見と、市の考えを読む").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("意見と、市の考え")
    found += faults(page, "answers")
    picture(page, "comment-answers")
    for address in (
        result,
        f"/easy{result}",
        f"/en{result}",
        f"/plan/comments/{number}/result.csv",
    ):
        body = city.get(address).decode()
        assert "花子" not in body
        assert "9-8-7" not in body
        assert "外国の人にも分かる絵" not in body
    page.goto(own)
    expect(page.locator("main")).to_contain_text("反映しました")
    found += faults(page, "own")
    page.goto(f"{here}/plan/comments/send/{number}/")
    expect(page.get_by_role("alert")).to_contain_text("受け付けていません")
    found += faults(page, "closed form")
    assert page.context.cookies() == []
    assert found == []
