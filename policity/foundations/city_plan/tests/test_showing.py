"""The plan's pages: what they tell, in which language, and which words nobody may read yet."""

import json
import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone
from django.utils.safestring import SafeString
from lxml import html

from policity.foundations.accounts.models import Department
from policity.foundations.city_plan import services
from policity.foundations.city_plan.declarations.plans import PAGES
from policity.foundations.city_plan.formats.facts import read_frame
from policity.foundations.city_plan.models import Indicator, Measure, Sheet
from policity.foundations.city_plan.presenters.words import told as said_with
from policity.foundations.city_plan.queries import showing
from policity.foundations.city_plan.rules.cycle import Act, Said, Turn
from policity.foundations.city_plan.services import Entry
from policity.foundations.city_plan.services import showing as showing_services
from policity.foundations.city_plan.tests.conftest import FRAME, NOW, table
from policity.foundations.city_plan.tests.test_evaluating import RATING, decide, opened, step
from policity.kit.languages import LANGUAGES

FAMILIES = {family.name: family for family in PAGES}
SECRET = "だれにもまだ言っていないわけ"
SECRETS = (SECRET, "夜を見直すこと", "夜の訪問を組む", "ことばの決定", "令和7年度で終わります")


@pytest.fixture(autouse=True)
def _then(time_machine, city):
    time_machine.move_to(NOW, tick=False)


def tree() -> dict[str, bytes]:
    """Everything that the room publishes, by address."""
    found = {}
    for family in PAGES:
        for address, rendered in family.render(list(family.addresses())):
            assert rendered is not None, address
            found[address] = rendered.body
    return found


def body(address: str) -> bytes:
    for family in PAGES:
        if address in set(family.addresses()):
            return dict(family.render([address]))[address].body
    raise AssertionError(f"nobody publishes {address}")


def words(address: str) -> str:
    page: Any = html.document_fromstring(body(address).decode())
    return " ".join(page.xpath("string(//main)").split())


def test_each_plan_has_its_pages_in_every_language(filled):
    found = set(tree())
    for language in LANGUAGES:
        for rest in ("", "keikaku/", "keikaku/fields/1/", "keikaku/fields/2/",
                     "keikaku/measures/1/", "keikaku/measures/2/"):  # fmt: skip
            assert f"{language.prefix}plan/{rest}" in found
    for fiscal in range(2022, 2027):
        assert {f"/plan/keikaku/{fiscal}.csv", f"/plan/keikaku/{fiscal}.json",
                f"/plan/keikaku/report/{fiscal}/"} <= found  # fmt: skip


def test_what_is_gone_has_no_page(filled):
    for name, address in (
        ("plan-fronts", "/plan/other/"),
        ("plan-fields", "/plan/keikaku/fields/9/"),
        ("plan-fields", "/plan/other/fields/1/"),
        ("plan-measures", "/en/plan/keikaku/measures/9/"),
        ("plan-files", "/plan/keikaku/2021.csv"),
        ("plan-files", "/plan/keikaku/report/2027/"),
        ("plan-files", "/plan/other/2025.json"),
    ):
        assert dict(FAMILIES[name].render([address])) == {address: None}


def test_the_dashboard_counts_measures_by_how_they_stand(filled):
    said = words("/plan/")
    assert "試しの計画" in said
    assert "令和4年度（2022）〜令和8年度（2026）" in said
    page: Any = html.document_fromstring(body("/plan/").decode())
    counts = [dd.text_content() for dd in page.xpath("//dl[@class='tally']//dd")]
    # One reached some of its targets, of one nobody measured anything.
    assert counts == ["0", "1", "0", "1"]
    assert "FY2022–2026" in words("/en/plan/")


def test_without_a_plan_it_says_so(db):
    assert "計画は、まだありません" in words("/plan/")
    assert "There is no plan yet" in words("/en/plan/")


def test_of_two_plans_of_a_year_none_is_chosen(plan):
    services.draw(frame=read_frame(FRAME.replace("keikaku", "other")), by=None, now=NOW)
    said = words("/plan/")
    assert "ひとつに決まっていません" in said
    page: Any = html.document_fromstring(body("/plan/").decode())
    assert len(page.xpath("//main//li/a")) == 2
    assert "この計画には、まだ施策がありません" in words("/plan/other/")


def test_a_measure_tells_its_figures_and_why_there_is_none(filled):
    said = words("/plan/keikaku/measures/1/")
    for part in (
        "届ける",
        "防災課",
        "77%",
        "90%以上",
        "85%",
        "速報",
        "携帯",
        "つながり",
        "見通しは、4年分",
    ):
        assert part in said, part
    other = words("/plan/keikaku/measures/2/")
    assert "測っていない" in other
    assert "機械の故障" in other
    # Where a figure by hand stands is the office's own matter.
    assert "台帳" not in said


def test_a_figure_that_is_not_published_is_provisional(filled, people):
    sheet = opened(filled)
    decide(sheet, people)
    assert "速報です" in words("/plan/keikaku/measures/1/")
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    assert "速報です" not in words("/plan/keikaku/measures/1/")
    row = html.document_fromstring(body("/plan/keikaku/measures/1/").decode()).xpath(
        "//tr[th='令和7年度']"
    )[0]
    assert "速報" not in row.text_content()


def _all_but_publish(sheet: Sheet, people: dict[str, Any]) -> None:
    said = Said(grade="B", answers=RATING.answers, reasons={"1": SECRET})
    with patch("policity.foundations.city_plan.tests.test_evaluating.RATING", said):
        decide(sheet, people, text="ことばの決定", actions=["夜の訪問を組む"], ends=True)


def leaks() -> set[str]:
    """What of a sheet's words stands anywhere in what is published."""
    everything = b"".join(tree().values()).decode()
    return {secret for secret in SECRETS if secret in everything}


def test_words_are_public_once_they_are_published_and_never_before(filled, people):
    sheet = opened(filled)
    _all_but_publish(sheet, people)
    assert leaks() == set()
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    assert leaks() == set(SECRETS)
    said = words("/plan/keikaku/measures/1/")
    assert all(secret in said for secret in SECRETS)
    assert "目標をおおむね達成した" in said


def test_nothing_public_moves_with_a_decision_that_a_measure_ends(filled, people):
    """Neither its words nor its years, its place in next year's figures nor its period."""
    sheet = opened(filled)
    before = tree()
    _all_but_publish(sheet, people)
    assert tree() == before
    # What would move if the decision ended it at once.
    Measure.objects.filter(code="1").update(last_year=2025)
    assert {address for address, body in tree().items() if body != before[address]} >= {
        "/plan/keikaku/2026.csv", "/plan/keikaku/2026.json", "/plan/keikaku/report/2026/",
        "/en/plan/keikaku/measures/1/",
    }  # fmt: skip


def test_an_end_is_told_once_it_is_published(filled, people):
    sheet = opened(filled)
    _all_but_publish(sheet, people)
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    said = words("/plan/keikaku/measures/1/")
    assert "この施策は、令和7年度で終わります。" in said
    assert "令和4年度（2022）〜令和7年度（2025）" in said
    assert "This ends with FY2025." in words("/en/plan/keikaku/measures/1/")
    assert "終わります" not in words("/plan/keikaku/measures/2/")
    assert "令和7年度で終わります" in words("/plan/keikaku/report/2025/")
    ends = {
        one["code"]: one["ends"] for one in json.loads(body("/plan/keikaku/2025.json"))["measures"]
    }
    assert ends == {"1": True, "2": None}
    assert [one["code"] for one in json.loads(body("/plan/keikaku/2026.json"))["measures"]] == ["2"]


@pytest.mark.parametrize("turn", set(Turn) - {Turn.PUBLISHED})
def test_words_of_no_other_turn_are_public(filled, people, turn):
    sheet = opened(filled)
    _all_but_publish(sheet, people)
    Sheet.objects.filter(pk=sheet.pk).update(turn=turn)
    assert leaks() == set()


def test_the_test_would_find_a_leak(filled, people):
    """A planted defect: whatever was decided is taken for published."""
    sheet = opened(filled)
    _all_but_publish(sheet, people)
    Sheet.objects.filter(pk=sheet.pk).update(published_at=NOW)
    blind = SimpleNamespace(PUBLISHED=Turn.DECIDED, DECIDED=Turn.DECIDED)
    with patch.object(showing, "Turn", blind):
        assert leaks() == set(SECRETS)


def test_a_stage_that_is_decided_is_told_when_it_is_published(filled, people):
    sheet = opened(filled)
    decide(sheet, people, stage="in_use")
    assert '"stage": "普及"' in body("/plan/keikaku/2026.json").decode()
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    assert '"stage": "利用"' in body("/plan/keikaku/2026.json").decode()


def test_what_exists_in_japanese_alone_says_so(filled):
    for prefix in ("en", "easy", "ko", "zh-hans"):
        page: Any = html.document_fromstring(body(f"/{prefix}/plan/keikaku/measures/1/").decode())
        for part in page.xpath("//main//*[@lang='ja'] | //ruby | //style"):
            part.drop_tree()
        main = page.xpath("//main")[0]
        rest = "".join(main.itertext())
        if prefix == "zh-hans":
            assert not re.search("[ぁ-んァ-ン]", rest), rest
        elif prefix == "easy":
            assert not re.findall("[一-鿿々]", re.sub(r"2\d\d\d", "", rest)), rest
        else:
            assert not re.search("[ぁ-んァ-ン一-龠]", rest), rest


def test_a_chart_is_told_in_words(filled):
    page: Any = html.document_fromstring(body("/plan/keikaku/measures/1/").decode())
    first = page.xpath("//svg")[[one.get("class") for one in page.xpath("//svg")].index("chart")]
    ids = first.get("aria-labelledby").split()
    title, desc = (page.get_element_by_id(one) for one in ids)
    assert title.text_content() == "届いた人"
    assert "令和7年度 77 (目標 90)" in desc.text_content()
    every = page.xpath("//@id")
    assert len(every) == len(set(every))


def test_as_many_queries_for_many_measures_as_for_few(filled, django_assert_max_num_queries):
    field = Measure.objects.get(code="1").field
    for number in range(20):
        row = Measure.objects.create(
            plan=filled, code=f"x{number}", name="x", field=field, stage="in_use", first_year=2022,
            last_year=2026,
        )  # fmt: skip
        Indicator.objects.create(
            measure=row, code="1", name="x", kind="outcome", unit="", direction="up",
            reckoning="target",
        )  # fmt: skip
    for name, most in (("plan-measures", 26), ("plan-fields", 26), ("plan-fronts", 52),
                       ("plan-files", 45)):  # fmt: skip
        addresses = list(FAMILIES[name].addresses())
        with django_assert_max_num_queries(most):
            list(FAMILIES[name].render(addresses))


@pytest.fixture
def marked(monkeypatch):
    """The keys that were marked stale."""
    found: set[str] = set()
    monkeypatch.setattr(
        "policity.foundations.city_plan.services.showing.mark_stale",
        lambda keys, *, now: found.update(keys),
    )
    return found


def test_a_figure_that_comes_redraws_its_measure_and_no_other(filled, marked):
    services.record(
        indicator=Indicator.objects.get(measure__code="1", code="1"), fiscal=2025,
        entry=Entry(Decimal(95), evidence="数え直し"), by=None, now=NOW,
    )  # fmt: skip
    redrawn = {
        address
        for family in PAGES
        for address, rendered in family.render(list(family.addresses()))
        if rendered.keys & marked
    }
    assert {"/plan/", "/ko/plan/keikaku/measures/1/", "/plan/keikaku/2025.csv"} <= redrawn
    assert "/plan/keikaku/measures/2/" not in redrawn


def test_a_plan_and_its_measures_bring_their_pages_into_being(db, marked):
    Department.objects.create(slug="bosai", name="防災課")
    plan = services.draw(frame=read_frame(FRAME), by=None, now=NOW)
    services.take_over(plan=plan, data=table(), by=None, now=NOW)
    born = {address for family in PAGES for key in marked for address in family.born_of(key)}
    there = {address for family in PAGES for address in family.addresses()}
    assert there - born == {f"{language.prefix}plan/" for language in LANGUAGES}


def test_before_pages_are_compared_those_that_move_are_drawn(filled, marked):
    showing_services.on_comparing(None, now=NOW)
    assert marked == set()
    row = Indicator.objects.get(measure__code="1", code="1")
    Indicator.objects.filter(pk=row.pk).update(metric="events.filled")
    showing_services.on_comparing(None, now=NOW)
    assert marked == {showing.measure_key(row.measure_id), showing.plan_key(filled.pk)}


def test_pages_that_move_are_looked_at_again_the_next_day_and_others_next_year(filled):
    def until(address):
        family = FAMILIES["plan-measures"]
        at = dict(family.render([address]))[address].valid_until
        return timezone.localtime(at).isoformat()[:10]

    assert until("/plan/keikaku/measures/1/") == "2027-04-01"
    Indicator.objects.filter(measure__code="1", code="1").update(metric="events.filled")
    assert until("/plan/keikaku/measures/1/") == "2026-11-24"


def test_a_part_that_is_only_words_is_escaped():
    assert "<b>" not in said_with("%(a)s", a="<b>")
    assert "<b>" in said_with("%(a)s", a=SafeString("<b>"))


def test_typed_words_have_readings_in_easy_japanese_and_nowhere_else(filled):
    Measure.objects.filter(code="1").update(summary="<b>避難{所}を開く")
    easy = body("/easy/plan/keikaku/measures/1/").decode()
    assert "&lt;b&gt;<ruby>避難<rp>（</rp><rt>ひなん" in easy
    assert "｛<ruby>所<rp>" in easy
    assert "｝を<ruby>開<rp>" in easy
    assert "&lt;b&gt;避難" in body("/plan/keikaku/measures/1/").decode()


def _pictures(address: str) -> list[dict[str, str]]:
    page: Any = html.document_fromstring(body(address).decode())
    return [
        {"title": one.xpath("string(.//title)"), "desc": one.xpath("string(.//desc)"),
         "table": " ".join(one.xpath(".//tbody//text()"))}
        for one in page.xpath("//article[@class='multiple']")
    ]  # fmt: skip


def test_the_dashboard_tells_how_many_targets_each_field_reached_over_the_years(filled):
    assert _pictures("/plan/") == [
        {"title": "防災", "desc": "令和6年度 1/2; 令和7年度 1/2",
         "table": "令和6年度 1 速報 2 \n 令和7年度 1 速報 2 \n"},
        # What came of it was measured once.
        {"title": "魅力", "desc": "令和6年度 0/1", "table": "令和6年度 0 速報 1 \n"},
    ]  # fmt: skip


def test_a_field_shows_what_came_of_each_measure(filled):
    first, *others = _pictures("/plan/keikaku/fields/1/")
    assert not others
    assert first["title"] == "届いた人"
    assert first["desc"].endswith("令和6年度 79 (目標 80); 令和7年度 77 (目標 90)")


def test_a_measure_that_is_made_up_says_so_under_a_real_plan(filled):
    addresses = ("/plan/", "/plan/keikaku/fields/1/", "/plan/keikaku/measures/1/",
                 "/plan/keikaku/report/2025/")  # fmt: skip
    assert not [one for one in addresses if "見本" in words(one)]
    Measure.objects.filter(code="1").update(is_sample=True)
    assert all("見本" in words(one) for one in addresses)
    assert "見本" not in words("/plan/keikaku/measures/2/")
    marks = [one["is_sample"] for one in json.loads(body("/plan/keikaku/2025.json"))["measures"]]
    assert marks == [True, False]
