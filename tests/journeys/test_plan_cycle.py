"""A measure's year from hand to hand, from the opening of its sheet to its publication."""

import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from policity.kit.eras import fiscal_name, fiscal_year
from tests.journeys.test_events import DESK, picture
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import faults
from tests.journeys.test_seen_to_work import policity as command
from tests.living import City, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

NAME = "見本 学校からの知らせを1つの道で"
QUESTIONS = ("予定どおりに始まりましたか", "使い始めた人は、どこで")
TABLE = """施策番号,施策名,分野,指標番号,指標名,種類,単位,向き
9-1,見本 新しい施策,2,1,回数,活動,回,増やす
"""
ACTION = "紙の知らせを、申し出た家だけにする"

_TOLD = """
from django.utils import timezone
from policity.foundations.accounts.models import User
from policity.foundations.city_plan import services
User.objects.filter(username="kodomo").update(email="kodomo@example.jp")
print("SHEETS", services.remind(now=timezone.now()), services.remind(now=timezone.now()))
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def look(page: Page, name: str, found: list[str]) -> None:
    """Nothing is wrong with the page as it is, on a phone; and a picture of it."""
    found += faults(page, name)
    picture(page, f"plan-{name}")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]  # width and height


def own(page: Page, here: str) -> None:
    """Open the measure's sheet from what waits for whoever looks."""
    page.goto(f"{here}/staff/plan/")
    page.locator("section", has_text="あなたの番").get_by_role("link", name=NAME).first.click()


def rate(page: Page) -> None:
    for number, question in enumerate(QUESTIONS):
        page.locator("#act").get_by_label(question).fill(f"見本の答え{number}")
    page.locator("#act").get_by_label("「紙で配った知らせの枚数」が目標に").fill("紙を望む家が多い")
    page.locator("#act .picks").get_by_text("目標をおおむね達成した").click()
    page.get_by_label("来年度に変えること").fill(ACTION)


def test_a_year_through_every_role(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    here, found = f"http://127.0.0.1:{city.port}", list[str]()
    last_year = fiscal_year(timezone.localdate()) - 1
    planner = signed_in(city, browser, "kikaku", DESK)

    # The planner opens the year and sets its days.
    planner.goto(f"{here}/staff/plan/")
    look(planner, "not-opened", found)
    planner.get_by_role("button", name="この年度のシートを開く").click()
    expect(planner.get_by_role("status")).to_contain_text("件のシートを開きました")
    planner.get_by_role("link", name="期限を決める").click()
    today = timezone.localdate()
    planner.get_by_label("担当課の自己評価").fill((today - timedelta(days=1)).isoformat())
    planner.get_by_label("企画の確認").fill((today - timedelta(days=2)).isoformat())
    planner.get_by_role("button", name="保存する").click()
    expect(planner.get_by_role("alert")).to_contain_text("より早くなっています")
    look(planner, "days", found)
    planner.get_by_label("企画の確認").fill((today + timedelta(days=9)).isoformat())
    planner.get_by_role("button", name="保存する").click()
    expect(planner.get_by_role("status")).to_contain_text("期限を保存しました")
    look(planner, "overview", found)

    # Whoever holds the turn is told, once a day.
    told = command(city.home, "shell", "-c", _TOLD)
    assert "SHEETS 8 0" in told.stdout, told.stdout + told.stderr
    until(lambda: "計画の評価で、あなたの番" in mails(city), "the department is told")
    assert NAME in mails(city)

    # The department rates itself; what is missing is told and nothing is lost.
    department = signed_in(city, browser, "kodomo", DESK)
    own(department, here)
    look(department, "to-rate", found)
    department.get_by_label("予定どおりに").fill("見本の答え")
    department.get_by_role("button", name="自己評価を出す").click()
    expect(department.get_by_role("alert")).to_contain_text("に答えてください")
    expect(department.get_by_label("予定どおりに")).to_have_value("見本の答え")
    look(department, "faults", found)
    department.get_by_role("link", name="紙で配った知らせの枚数").click()
    department.get_by_label("数字（枚）").fill("６２，０００")
    department.get_by_role("button", name="実績を入れる").click()
    expect(department.get_by_role("alert")).to_contain_text("根拠")
    look(department, "figure", found)
    department.get_by_label("根拠").fill("見本の数え直し")
    department.get_by_role("button", name="実績を入れる").click()
    expect(department.get_by_role("status")).to_contain_text("実績を入れました")
    department.get_by_role("link", name="シートにもどる").click()
    expect(department.get_by_text("62,000枚")).to_be_visible()
    rate(department)
    department.get_by_role("button", name="自己評価を出す").click()
    expect(department.get_by_role("status")).to_contain_text("企画の番です")

    # The planner returns it; what the department said is there again.
    own(planner, here)
    look(planner, "to-check", found)
    planner.get_by_role("button", name="担当課に差し戻す").click()
    expect(planner.get_by_role("alert")).to_contain_text("差し戻すわけを書いて")
    planner.get_by_label("差し戻すわけ").fill("枚数の数え方を書いてください")
    planner.get_by_role("button", name="担当課に差し戻す").click()
    expect(planner.get_by_role("status")).to_contain_text("差し戻しました")
    own(department, here)
    expect(department.get_by_text("枚数の数え方を書いてください")).to_be_visible()
    expect(department.get_by_label("来年度に変えること")).to_have_value(ACTION)
    department.get_by_label("予定どおりに").fill("見本の答え。印刷の記録から数えた")
    department.get_by_role("button", name="自己評価を出す").click()
    expect(department.get_by_role("status")).to_contain_text("企画の番です")

    # Two at once: who comes second keeps what they wrote, and nothing happens twice.
    own(planner, here)
    second = planner.context.new_page()
    second.goto(planner.url)
    second.get_by_label("差し戻すわけ").fill("もう一度見てください")
    planner.get_by_role("button", name="確かめて、委員会に送る").click()
    expect(planner.get_by_role("status")).to_contain_text("委員会に送りました")
    second.get_by_role("button", name="担当課に差し戻す").click()
    expect(second.get_by_role("alert")).to_contain_text("先に進めました")
    expect(second.get_by_label("差し戻すわけ")).to_have_value("もう一度見てください")
    look(second, "second", found)
    second.close()

    # The committee's expert sees this and nothing else of the desk.
    assessor = signed_in(city, browser, "iin", DESK)
    expect(assessor.get_by_role("heading", level=1)).to_have_text("計画の評価")
    assert assessor.goto(f"{here}/staff/events/").status == 403  # type: ignore[union-attr]
    own(assessor, here)
    late = assessor.context.new_page()
    late.goto(assessor.url)
    look(assessor, "to-review", found)
    assessor.locator("#act .picks").get_by_text("目標をおおむね達成した").click()
    assessor.get_by_label("委員会の意見").fill("家に合わせた知らせ方を")
    late.get_by_label("委員会の意見").fill("二人めの意見")
    assessor.get_by_role("button", name="委員会の評価を出す").click()
    expect(assessor.get_by_role("status")).to_contain_text("市民の意見の番")
    late.get_by_role("button", name="委員会の評価を出す").click()
    # The turn is another's now: what was written can still be copied.
    expect(late.get_by_role("alert")).to_contain_text("先に進めました")
    expect(late.get_by_label("委員会の意見")).to_have_value("二人めの意見")
    look(late, "too-late", found)

    own(planner, here)
    planner.get_by_label("寄せられた意見と、市の考え").fill("意見なし")
    look(planner, "to-hear", found)
    planner.get_by_role("button", name="意見をまとめて、本部に送る").click()
    expect(planner.get_by_role("status")).to_contain_text("本部に送りました")

    steering = signed_in(city, browser, "suishin", DESK)
    own(steering, here)
    expect(steering.get_by_label("来年度に変えること")).to_have_value(ACTION)
    look(steering, "to-decide", found)
    steering.locator("#act .picks").get_by_text("目標をおおむね達成した").click()
    steering.get_by_role("button", name="決定する").click()
    expect(steering.get_by_role("status")).to_contain_text("決定しました")

    own(planner, here)
    planner.get_by_role("button", name="公開する").click()
    expect(planner.get_by_role("status")).to_contain_text("公開しました")
    expect(planner.get_by_text("公開ずみ")).to_be_visible()
    look(planner, "published", found)

    # What was decided opens the next year's sheet.
    planner.goto(f"{here}/staff/plan/?plan=mihon&year={last_year + 1}")
    planner.get_by_role("button", name="この年度のシートを開く").click()
    own(department, here)
    expect(department.get_by_text(f"{fiscal_name(last_year + 1)}の評価シート")).to_be_visible()
    expect(department.get_by_role("group", name=ACTION)).to_be_visible()
    look(department, "next-year", found)

    # A figure that nobody types, and a table after a look at it.
    planner.goto(f"{here}/staff/plan/metrics/")
    look(planner, "metrics", found)
    planner.goto(f"{here}/staff/plan/metrics/residents.registered/")
    look(planner, "metric", found)
    planner.goto(f"{here}/staff/plan/table/?plan=mihon")
    look(planner, "table", found)
    file = {"name": "table.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    planner.get_by_label("ファイル").set_input_files(file)  # type: ignore[arg-type]
    planner.get_by_role("button", name="何が変わるかを見る").click()
    expect(planner.get_by_role("heading", level=1)).to_contain_text("まだ取り込んでいません")
    look(planner, "table-look", found)
    planner.get_by_role("button", name="取り込む").click()
    expect(planner.get_by_role("status")).to_contain_text("取り込みました")
    assert found == []


def mails(city: City) -> str:
    """What was sent to the department, subject and text."""
    said = []
    for file in (city.home / "outbox").glob("*.eml"):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if "kodomo@example.jp" in str(mail["To"]):
            said.append(f"{mail['Subject']}\n{mail.get_content()}")
    return "\n".join(said)
