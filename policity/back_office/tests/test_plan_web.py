"""The plan's year on pages: who sees and does what, and what becomes of what they typed."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from policity.back_office.forms.plan import keep
from policity.foundations.accounts.models import Role, RoleGrant, User
from policity.foundations.city_plan import services
from policity.foundations.city_plan.models import (
    Deadline,
    Indicator,
    Measure,
    Sheet,
    Snapshot,
    Step,
    Target,
    Value,
)
from policity.foundations.city_plan.rules.cycle import Act, Said, Turn
from policity.foundations.city_plan.services import Entry
from policity.foundations.city_plan.tests.calls import ANSWER, answered, call, grouped, keeper, web
from policity.foundations.city_plan.tests.conftest import NOW, filled, plan, table
from policity.foundations.city_plan.tests.test_evaluating import RATING, step

__all__ = ["filled", "plan"]

pytestmark = pytest.mark.django_db

SEES = {Role.PLANNER, Role.ASSESSOR, Role.STEERING, Role.EDITOR, Role.PUBLISHER}
QUESTIONS = tuple(RATING.answers)
RATED = {
    "act": "rate", "seen": "0", "answer_0": "機器のない人", "answer_1": "窓口",
    "reason_0": "夜だった", "grade": "B", "actions": "夜も開ける\n\n 歩いて回る ", "text": "",
}  # fmt: skip


def somebody(role: Role, *departments: str, name: str = "") -> User:
    user = User.objects.create(username=name or f"{role}-{'-'.join(departments)}")
    RoleGrant.objects.create(
        user=user, role=role, departments=list(departments), starts=date(2026, 1, 1)
    )
    return user


def as_(role: Role, *departments: str, name: str = "") -> Client:
    client = Client()
    client.force_login(somebody(role, *departments, name=name))
    return client


@pytest.fixture
def sheet(city, filled) -> Sheet:
    services.open_year(plan=filled, fiscal=2025, by=None, now=NOW)
    return Sheet.objects.get(measure__code="1")


@pytest.fixture
def at(sheet) -> str:
    return f"/staff/plan/sheets/{sheet.pk}/"


def text(answer) -> str:
    return str(answer.content.decode())


def pages(sheet: Sheet) -> dict[str, set[Role]]:
    one = Indicator.objects.get(measure__code="1", code="1").pk
    keeps = {Role.PLANNER}
    return {
        "/staff/plan/": SEES,
        "/staff/plan/?plan=keikaku&year=2025&turn=department": SEES,
        f"/staff/plan/sheets/{sheet.pk}/": SEES,
        f"/staff/plan/indicators/{one}/2025/": SEES,
        f"/staff/plan/indicators/{one}/2025/target/": keeps,
        f"/staff/plan/indicators/{one}/2025/parts/": SEES,
        "/staff/plan/metrics/": SEES,
        "/staff/plan/metrics/sharing.opened/": SEES,
        "/staff/plan/days/?plan=keikaku&year=2025": keeps,
        "/staff/plan/table/?plan=keikaku": keeps,
    }


@pytest.mark.parametrize("role", Role)
def test_who_sees_which_page(sheet, role):
    client = as_(role)
    for page, may in pages(sheet).items():
        assert client.get(page).status_code == (200 if role in may else 403), page
    posted = client.post("/staff/plan/open/", {"plan": "keikaku", "year": "2024"})
    assert posted.status_code == (302 if role is Role.PLANNER else 403)
    assert Sheet.objects.filter(year=2024).exists() == (role is Role.PLANNER)
    menu = text(client.get("/staff/me/"))
    assert ("計画の評価" in menu) == (role in SEES)


@pytest.mark.parametrize("role", Role)
def test_whose_form_a_sheet_shows(sheet, at, role):
    found = text(as_(role, "bosai").get(at))
    assert ('value="rate"' in found) == (role in {Role.EDITOR, Role.PUBLISHER})
    step(sheet, Act.RATE, RATING, somebody(Role.EDITOR, "bosai", name="rater"))
    found = text(as_(role, "bosai", name="later").get(at))
    assert ('value="check"' in found) == ('value="return"' in found) == (role is Role.PLANNER)


def test_another_departments_sheet_is_only_read(sheet, at):
    client = as_(Role.EDITOR, "koho")
    assert "自己評価を出す" not in text(client.get(at))
    answer = client.post(at, RATED)
    assert answer.status_code == 400
    assert "この役割では、できません" in text(answer)
    # What they wrote is theirs still.
    assert "機器のない人" in text(answer)
    assert not Step.objects.exists()


def test_an_expert_from_outside_sees_nothing_else_of_the_desk(sheet):
    client = as_(Role.ASSESSOR)
    assert client.get("/staff/")["Location"] == "/staff/plan/"
    own = {"plan", "plan_metrics", "me", "set_up", "add_app", "recovery_codes"}
    doors = {"sign_in", "break_glass", "second_step", "to_provider", "from_provider", "board"}
    opened = set()
    for one in get_resolver("policity.back_office.urls").url_patterns:
        if "<" in str(one.pattern) or one.name in doors:
            continue
        if client.get(f"/staff/{one.pattern}").status_code == 200:
            opened.add(one.name)
    assert opened <= own, opened


def test_a_sheet_that_is_not_there(city, filled):
    client = as_(Role.PLANNER)
    for page in (
        "/staff/plan/sheets/99/", "/staff/plan/indicators/99/2025/",
        "/staff/plan/metrics/no.such/", "/staff/plan/?plan=nai", "/staff/plan/?year=1999",
        "/staff/plan/days/?year=2999", f"/staff/plan/indicators/{Indicator.objects.first().pk}/1/",
    ):  # fmt: skip
        assert client.get(page).status_code == 404, page


def test_empty_states(city):
    client = as_(Role.PLANNER)
    assert "計画は、まだ一つもありません" in text(client.get("/staff/plan/"))
    assert client.get("/staff/plan/table/").status_code == 404


def test_a_plan_without_measures_and_a_year_that_was_not_opened(city, plan, filled):
    client = as_(Role.PLANNER)
    assert "まだ開かれていません" in text(client.get("/staff/plan/?plan=keikaku&year=2025"))
    assert "この年度のシートを開く（2件）" in text(client.get("/staff/plan/?year=2025"))


def test_the_overview_says_what_waits_for_whom(sheet):
    yesterday = timezone.localdate() - timedelta(days=1)
    days = {Turn.DEPARTMENT: yesterday}
    services.set_deadlines(plan=sheet.measure.plan, fiscal=2025, days=days, by=None, now=NOW)
    mine = text(as_(Role.EDITOR, "bosai").get("/staff/plan/"))
    assert "1日過ぎました" in mine
    assert mine.count("届ける") == 3
    found = text(as_(Role.PLANNER).get("/staff/plan/"))
    assert "あなたを待っているシートはありません" in found
    # Nobody rates for the measure that has no department.
    assert "受け持つ人がいないもの" in found
    step(sheet, Act.RATE, RATING, somebody(Role.EDITOR, "bosai", name="x"))
    found = text(as_(Role.PLANNER, name="p").get("/staff/plan/?turn=planning"))
    assert "企画の確認" in found
    assert "見せる" not in found.partition('id="p6"')[2]


def test_as_many_queries_for_many_sheets(sheet, django_assert_max_num_queries):
    field = sheet.measure.field
    for number in range(40):
        Measure.objects.create(
            plan=sheet.measure.plan, code=f"x{number}", name="x", field=field, stage="in_use",
            first_year=2022, last_year=2026,
        )  # fmt: skip
    services.open_year(plan=sheet.measure.plan, fiscal=2025, by=None, now=NOW)
    client = as_(Role.PLANNER)
    with django_assert_max_num_queries(17):
        client.get("/staff/plan/?year=2025")
    with django_assert_max_num_queries(28):
        client.get(f"/staff/plan/sheets/{sheet.pk}/")


# ---- Taking a turn ----


def test_a_rating_that_lacks_something_is_told_and_kept(sheet, at):
    client = as_(Role.EDITOR, "bosai")
    answer = client.post(at, RATED | {"answer_1": " ", "grade": "Z"})
    assert answer.status_code == 400
    found = text(answer)
    assert f"「{QUESTIONS[1]}」に答えてください" in found
    assert "評価を、区分の中から選んでください" in found
    assert "機器のない人" in found
    assert not Step.objects.exists()
    long = client.post(at, RATED | {"text": "あ" * 4001})
    assert "4000文字まで" in text(long)
    assert client.post(at, {"seen": "0"}).status_code == 400
    assert client.post(at, RATED)["Location"] == at
    kept = Step.objects.get().said
    assert kept["actions"] == ["夜も開ける", "歩いて回る"]
    assert kept["answers"] == dict(zip(QUESTIONS, ("機器のない人", "窓口"), strict=True))


def test_what_was_rated_is_there_again_after_a_return(sheet, at):
    client, planner = as_(Role.EDITOR, "bosai"), as_(Role.PLANNER)
    client.post(at, RATED)
    answer = planner.post(at, {"act": "return", "seen": "1", "text": ""})
    assert "差し戻すわけを書いてください" in text(answer)
    planner.post(at, {"act": "return", "seen": "1", "text": "数字を確かめて"})
    found = text(client.get(at))
    assert "数字を確かめて" in found
    assert found.count("機器のない人") >= 2


def test_two_at_once_and_nothing_is_lost(sheet, at):
    first, second = as_(Role.EDITOR, "bosai"), as_(Role.PUBLISHER, "bosai")
    first.post(at, RATED)
    answer = second.post(at, RATED | {"answer_0": "二人めの答え"})
    assert answer.status_code == 400
    found = text(answer)
    assert "先に進めました" in found
    # It is the planner's turn now: what was written can be copied.
    assert "二人めの答え" in found
    assert "readonly>二人めの答え" in found
    assert Step.objects.count() == 1


def test_a_returned_sheet_keeps_the_form_of_who_comes_second(sheet, at):
    step(sheet, Act.RATE, RATING, somebody(Role.EDITOR, "bosai", name="r"))
    planner = as_(Role.PLANNER)
    answer = planner.post(at, {"act": "check", "seen": "0", "text": "よく見てください"})
    assert answer.status_code == 400
    assert "先に進めました" in text(answer)
    assert ">よく見てください</textarea>" in text(answer)
    assert 'name="seen" value="1"' in text(answer)


def test_the_whole_way(sheet, at):
    as_(Role.EDITOR, "bosai").post(at, RATED)
    planner = as_(Role.PLANNER)
    planner.post(at, {"act": "check", "seen": "1", "text": "委員会へ"})
    as_(Role.ASSESSOR).post(at, {"act": "review", "seen": "2", "text": "意見", "grade": "C"})
    planner.post(at, {"act": "hear", "seen": "3", "text": "意見なし"})
    decided = {"act": "decide", "seen": "4", "grade": "C", "stage": "in_use", "actions": "夜"}
    as_(Role.STEERING).post(at, decided)
    planner.post(at, {"act": "publish", "seen": "5"})
    sheet.refresh_from_db()
    assert sheet.turn == Turn.PUBLISHED
    assert sheet.stage == "spreading"
    assert Measure.objects.get(pk=sheet.measure_id).stage == "in_use"
    found = text(planner.get(at))
    assert "公開ずみ" in found
    assert "委員会へ" in found
    assert 'name="act"' not in found


@pytest.fixture
def to_decide(sheet) -> Client:
    """Headquarters, whose turn the sheet is."""
    Sheet.objects.filter(pk=sheet.pk).update(turn=Turn.HEADQUARTERS)
    return as_(Role.STEERING)


DECIDED = {"act": "decide", "seen": "0", "grade": "B", "stage": "spreading", "actions": ""}


def test_the_headquarters_end_a_measure_with_a_reason(sheet, at, to_decide):
    plan = sheet.measure.plan
    assert 'name="ends" value="はい">' in text(to_decide.get(at))
    answer = to_decide.post(at, DECIDED | {"ends": "はい", "text": ""})
    assert answer.status_code == 400
    assert "この年度で終えるわけを、「決定のわけ」に書いてください" in text(answer)
    assert 'name="ends" value="はい" checked' in text(answer)
    to_decide.post(at, DECIDED | {"ends": "はい", "text": "役目を終えた"})
    found = text(to_decide.get(at))
    assert "この施策は、令和7年度で終わります" in found
    assert "公開するまで、市民には見せません" in found
    assert "<b>この年度で終える</b>" in found.partition("これまでの手順")[2]
    assert services.open_year(plan=plan, fiscal=2026, by=None, now=NOW) == 1
    as_(Role.PLANNER).post(at, {"act": "publish", "seen": "1"})
    found = text(to_decide.get(at))
    assert "この施策は、令和7年度で終わります" in found
    assert "公開するまで" not in found


def test_a_decision_without_the_tick_ends_nothing(sheet, at, to_decide):
    to_decide.post(at, DECIDED | {"text": "よくできた"})
    assert Step.objects.get().said["ends"] is False
    found = text(to_decide.get(at))
    assert "で終わります" not in found
    assert "この年度で終える" not in found
    assert services.open_year(plan=sheet.measure.plan, fiscal=2026, by=None, now=NOW) == 2


def test_an_end_that_came_too_late_can_be_copied(sheet, at, to_decide):
    to_decide.post(at, DECIDED)
    answer = to_decide.post(at, DECIDED | {"ends": "はい", "text": "役目を終えた"})
    assert ">この年度で終える</label>" in text(answer)
    assert "readonly>はい</textarea>" in text(answer)


def test_where_next_years_sheet_is_open_no_end_is_offered(sheet, at, to_decide):
    services.open_year(plan=sheet.measure.plan, fiscal=2026, by=None, now=NOW)
    found = text(to_decide.get(at))
    assert 'name="ends"' not in found
    assert "令和8年度のシートがもう開いているので" in found


def test_what_was_answered_in_public_stands_in_the_form_already(sheet, at, time_machine):
    time_machine.move_to(NOW, tick=False)
    Sheet.objects.filter(pk=sheet.pk).update(turn=Turn.COMMENT)
    planner = keeper()
    client = Client()
    client.force_login(planner)
    assert "英語でも知らせて" not in text(client.get(at))
    number = call(sheet.measure.plan)
    some = [web(number, measure=sheet.measure_id), web(number, "英語も")]
    answered(grouped(number, some))
    other = grouped(number, [web(number, "別の施策のこと")], title="別のこと")
    answered(other, texts={"ja": ANSWER["ja"] | {"summary": "別の施策のこと"}})
    services.close(call=number, reason="試す", by=planner, now=NOW)
    assert "英語でも知らせて" not in text(client.get(at))
    services.publish_answers(call=number, by=planner, now=NOW)
    found = text(client.get(at))
    assert (
        "英語でも知らせてほしい。（2件）\n→ 反映した。そうします。\n施策1に、英語を足しました。"
        in found
    )
    assert "別の施策のこと" not in found


def test_last_years_decisions_are_asked_for(sheet, at):
    services.open_year(plan=sheet.measure.plan, fiscal=2026, by=None, now=NOW)
    rater = somebody(Role.EDITOR, "bosai", name="r")
    step(sheet, Act.RATE, RATING, rater)
    step(sheet, Act.CHECK, Said(), somebody(Role.PLANNER, name="p"))
    step(sheet, Act.REVIEW, Said(grade="B", text="x"), somebody(Role.ASSESSOR, name="a"))
    step(sheet, Act.HEAR, Said(text="x"), User.objects.get(username="p"))
    said = Said(grade="B", actions=["夜の訪問を組む"])
    step(sheet, Act.DECIDE, said, somebody(Role.STEERING, name="s"))
    client = Client()
    client.force_login(rater)
    number = Sheet.objects.get(measure=sheet.measure, year=2026).pk
    page = f"/staff/plan/sheets/{number}/"
    assert "<legend>夜の訪問を組む" in text(client.get(page))
    answer = client.post(page, RATED | {"done_0": "not_done", "why_0": "", "reason_1": "まだ"})
    assert "「夜の訪問を組む」をしていないわけ" in text(answer)
    assert 'value="not_done" checked' in text(answer)
    client.post(page, RATED | {"done_0": "dropped", "why_0": "人がいない", "reason_1": "まだ"})
    told = Step.objects.get(sheet=number).said["follow_ups"]
    assert told == [{"action": "夜の訪問を組む", "done": "dropped", "why": "人がいない"}]
    assert "人がいない" in text(client.get(page))


# ---- Days, figures, targets ----


def test_days_are_set_and_a_bad_one_is_told(sheet):
    client, page = as_(Role.PLANNER), "/staff/plan/days/?plan=keikaku&year=2025"
    for wrong in ("きのう", "0001-01-01", "9999-12-31"):
        answer = client.post(page, {"department": wrong, "planning": "2026-12-20"})
        assert answer.status_code == 400, wrong
        assert "「担当課の自己評価」の期限を" in text(answer)
        assert "2026-12-20" in text(answer)
    answer = client.post(page, {"department": "2026-12-21", "planning": "2026-12-20"})
    assert "より早くなっています" in text(answer)
    client.post(page, {"department": "2026-12-10", "planning": "2026-12-20"})
    assert Deadline.objects.get(turn="department").day == date(2026, 12, 10)
    assert 'value="2026-12-10"' in text(client.get(page))
    services.remind(now=NOW + timedelta(days=12))
    assert "知らせた日" in text(client.get(page))


@pytest.fixture
def figure(sheet) -> str:
    return f"/staff/plan/indicators/{Indicator.objects.get(measure__code='1', code='1').pk}/2025/"


def test_a_figure_by_hand(sheet, figure):
    client = as_(Role.EDITOR, "bosai")
    for said, words in (
        ({"number": "七"}, "1234.5 のような数字"),
        ({"number": "1.23456", "evidence": "x"}, "小数は4桁まで"),
        ({"number": "NaN", "evidence": "x"}, "1234.5 のような数字"),
        ({"number": "180", "evidence": "台帳"}, "0から100"),
        ({"number": "80"}, "根拠"),
        ({}, "測っていないわけ"),
        ({"number": "80", "evidence": "台帳", "reason": "故障"}, "両方があります"),
        ({"number": "80", "evidence": "台帳", "months": "13"}, "1から12"),
    ):
        answer = client.post(figure, said)
        assert answer.status_code == 400, said
        assert words in text(answer), said
        for name in said.keys() - {"months"}:
            assert f'value="{said[name]}"' in text(answer)
    assert client.post(figure, {"number": "８１．５", "evidence": "台帳2"}).status_code == 302
    assert Value.objects.last().number == Decimal("81.5")
    client.post(figure, {"reason": "機械の故障"})
    assert (Value.objects.last().number, Value.objects.last().reason) == (None, "機械の故障")
    found = text(client.get(figure))
    assert "81.5%" in found
    assert "測っていない" in found


def test_figures_are_brought_in_ones_own_turn(sheet, figure):
    said = {"number": "80", "evidence": "台帳"}
    other = as_(Role.EDITOR, "koho").post(figure, said)
    assert other.status_code == 400
    assert "番ではありません" in text(other)
    rater = somebody(Role.EDITOR, "bosai", name="r")
    step(sheet, Act.RATE, RATING, rater)
    client = Client()
    client.force_login(rater)
    assert client.post(figure, said).status_code == 400
    assert as_(Role.PLANNER).post(figure, said).status_code == 302


def test_figures_of_parts_are_pasted_and_all_of_them_or_none_is_taken(sheet, figure):
    Indicator.objects.filter(measure__code="1", code="1").update(splits=["town"])
    client, page = as_(Role.EDITOR, "bosai"), f"{figure}parts/"
    said = {
        "split": "town",
        "lines": "泉町\t31.5\n谷戸町\t測っていない：調査の前",
        "evidence": "台帳",
    }
    for change, words in (
        ({"lines": "泉町 31.5\n谷戸町 たくさん"}, "2行目"),
        ({"lines": ""}, "1行に1つずつ"),
        ({"evidence": ""}, "根拠"),
        ({"split": "age"}, "その内訳はありません"),
    ):
        answer = client.post(page, said | change)
        assert answer.status_code == 400
        assert words in text(answer)
        assert (said | change)["lines"] in text(answer)
        assert not Value.objects.exclude(split="").exists()
    assert as_(Role.EDITOR, "koho").post(page, said).status_code == 400
    assert client.post(page, said, follow=True).status_code == 200
    found = text(client.get(figure))
    assert "31.5%" in found
    assert "測っていない：調査の前" in found
    assert "何も変わりません" in text(client.post(page, said, follow=True))


def test_a_target_that_changes_says_why(sheet, figure):
    client, page = as_(Role.PLANNER), f"{figure}target/"
    for said, words in (
        ({"low": "", "reason": "x"}, "目標の数字を入れて"),
        ({"low": "70"}, "変えるわけ"),
        ({"low": "1e5000", "reason": "x"}, "のような数字"),
    ):
        answer = client.post(page, said)
        assert answer.status_code == 400
        assert words in text(answer)
    client.post(page, {"low": "70", "reason": "対象を広げた"})
    last = Target.objects.last()
    assert (last.low, last.high, last.reason) == (Decimal(70), None, "対象を広げた")
    assert "70%以上" in text(client.get(figure))
    assert "はじめの目標なら" in text(client.get(f"/staff/plan/sheets/{sheet.pk}/"))


def test_a_range_has_both_ends(sheet, figure):
    Indicator.objects.filter(measure__code="1", code="1").update(direction="keep")
    client, page = as_(Role.PLANNER), f"{figure}target/"
    for said, words in (
        ({"low": "70", "reason": "x"}, "両方を入れて"),
        ({"low": "70", "high": "60", "reason": "x"}, "上限より大きく"),
    ):
        assert words in text(client.post(page, said))
    assert client.post(page, {"low": "60", "high": "70", "reason": "x"}).status_code == 302


def test_a_figure_after_the_decision_stands_beside_it(sheet, at, figure):
    Sheet.objects.filter(pk=sheet.pk).update(turn="decided", decided_at=timezone.now())
    planner = as_(Role.PLANNER)
    assert "決定のあとの訂正" in text(planner.get(figure))
    planner.post(figure, {"number": "95", "evidence": "数え直し"})
    assert "決定のあとで訂正あり" in text(planner.get(at))


# ---- A table, and what the system counts ----

TABLE = "/staff/plan/table/?plan=keikaku"


def bring(client, data: bytes):
    return client.post(TABLE, {"table": SimpleUploadedFile("表.csv", data)})


def kept_in(answer) -> str:
    return text(answer).partition('name="looked_at" value="')[2].partition('"')[0]


def test_a_table_after_a_look_at_it(sheet):
    client = as_(Role.PLANNER)
    row = "1,届ける人を増やす,1,1,届いた人,成果,%,増やす"
    data = table(row, head="施策番号,施策名,分野,指標番号,指標名,種類,単位,向き")
    looked = bring(client, data)
    assert "まだ取り込んでいません" in text(looked)
    assert Measure.objects.get(code="1").name == "届ける"
    assert client.post(TABLE, {"looked_at": kept_in(looked)}).status_code == 302
    assert Measure.objects.get(code="1").name == "届ける人を増やす"
    assert "変わることは、ありません" in text(bring(client, data))


def test_a_table_is_looked_at_again_where_the_plan_moved_meanwhile(sheet):
    client = as_(Role.PLANNER)
    looked = kept_in(bring(client, table(ROW_OF_A_FIGURE, head=HEAD_OF_A_FIGURE)))
    one = Indicator.objects.get(measure__code="1", code="1")
    entry = Entry(Decimal(88), evidence="台帳")
    services.record(indicator=one, fiscal=2025, entry=entry, by=None, now=NOW)
    again = client.post(TABLE, {"looked_at": looked})
    assert "計画が変わりました" in text(again)
    assert client.post(TABLE, {"looked_at": kept_in(again)}).status_code in (200, 302)


HEAD_OF_A_FIGURE = "施策番号,施策名,分野,指標番号,指標名,種類,単位,向き,根拠,実績 令和7年度"
ROW_OF_A_FIGURE = "1,届ける,1,1,届いた人,成果,%,増やす,台帳,88"


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "選んでください"), (b"a,b\n1,2", "施策番号"), (b"PK\x03\x04", "取り込んでいません")],
)
def test_a_bad_table_is_told_and_nothing_is_taken(sheet, data, words):
    before = Measure.objects.count()
    answer = bring(as_(Role.PLANNER), data)
    assert answer.status_code == 400
    assert words in text(answer)
    assert Measure.objects.count() == before


def test_nobody_takes_over_what_was_not_looked_at(sheet):
    client = as_(Role.PLANNER)
    taken = services.look(plan=sheet.measure.plan, data=table(), now=NOW)
    for wrong in ("x", keep("another", table(), taken)):
        answer = client.post(TABLE, {"looked_at": wrong})
        assert answer.status_code == 400
        assert "選んでください" in text(answer)


def test_a_metric_says_what_it_counts_and_what_it_left_out(city, plan):
    for length, begins, ends in (
        ("month", date(2026, 3, 1), date(2026, 4, 1)), ("year", date(2025, 4, 1), date(2026, 4, 1)),
    ):  # fmt: skip
        Snapshot.objects.create(
            metric="sharing.opened", version=1, length=length, begins=begins, ends=ends,
            number=Decimal(1234), rows=56, left_out={"試し": 7, "なし": 0}, splits={}, made_at=NOW,
        )  # fmt: skip
    found = text(as_(Role.STEERING).get("/staff/plan/metrics/sharing.opened/"))
    for words in ("1,234", "56", "試し 7", "2026年3月", "令和7年度", "数え方"):
        assert words in found
    assert "なし 0" not in found
    # And to its very question: over which days, of which table.
    assert "FROM &quot;sharing_daycount&quot;" in found
    assert "-- 20" in found
