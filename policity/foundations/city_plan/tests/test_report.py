"""A year's report: page, PDF, table and document carry the same figures, all of them."""

import csv
import io
import json
import re
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from lxml import html
from pypdf import PdfReader

from policity.foundations.city_plan import services
from policity.foundations.city_plan.declarations.plans import PAGES
from policity.foundations.city_plan.formats.figures import Given
from policity.foundations.city_plan.formats.printing import pdf
from policity.foundations.city_plan.management.commands import plan as command
from policity.foundations.city_plan.models import Facet, Indicator, Measure, Plan, Serving, Snapshot
from policity.foundations.city_plan.presenters import figures, printing, tables
from policity.foundations.city_plan.queries import showing
from policity.foundations.city_plan.queries.evaluating import evaluate
from policity.foundations.city_plan.rules.attaining import Aim
from policity.foundations.city_plan.rules.cycle import Act, Said
from policity.foundations.city_plan.services import Entry
from policity.foundations.city_plan.tests.conftest import NOW
from policity.foundations.city_plan.tests.test_evaluating import decide, opened, step
from policity.kit.declare import Part
from policity.kit.languages import LANGUAGES

FILES = next(family for family in PAGES if family.name == "plan-files")


@pytest.fixture(autouse=True)
def _then(time_machine, city):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def told(filled, people):
    """A plan with a target that changed, a large and an odd figure, and one published sheet."""
    at: dict[str, Any] = {"by": None, "now": NOW}
    one = Indicator.objects.get(measure__code="1", code="1")
    services.set_target(
        indicator=one, fiscal=2025, aim=Aim(Decimal("76.5"), None), reason="広げた", **at
    )
    large = Indicator.objects.get(measure__code="2", code="1")
    entry = Entry(Decimal("1234567.25"), evidence="数え直し")
    services.record(indicator=large, fiscal=2024, entry=entry, **at)
    sheet = opened(filled)
    decide(sheet, people, actions=["夜の訪問を組む"])
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    return filled


def files(plan: str = "keikaku", fiscal: int = 2025) -> dict[str, bytes]:
    wanted = [f"/plan/{plan}/{fiscal}.csv", f"/plan/{plan}/{fiscal}.json",
              f"/plan/{plan}/report/{fiscal}/"]  # fmt: skip
    found = {address: one.body for address, one in FILES.render(wanted)}
    return dict(zip(("csv", "json", "html"), (found[one] for one in wanted), strict=True))


Figures = list[tuple[str, ...]]
"""Of each indicator and year: the year, its target's limits, figure, attainment, 速報."""


def of_the_table(body: bytes) -> Figures:
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    names = ("年度", "目標（以上）", "目標（以下）", "実績", "達成度（％）", "速報")
    return [tuple(row[name] for name in names) for row in rows if not row["内訳"]]


def of_the_document(body: bytes) -> Figures:
    from policity.kit.eras import fiscal_name

    def plain(value):
        return "" if value is None else tables.plain(Decimal(str(value)))

    return [
        (fiscal_name(year["year"]), plain(year["at_least"]), plain(year["at_most"]),
         plain(year["figure"]), plain(year["attainment_percent"]),
         "速報" if year["provisional"] else "")
        for measure in json.loads(body)["measures"]
        for one in measure["indicators"]
        for year in one["years"]
    ]  # fmt: skip


def cells_of_the_page(body: bytes) -> list[tuple[str, ...]]:
    page: Any = html.document_fromstring(body.decode())
    return [
        tuple(cell.text_content().strip() for cell in row)
        for row in page.xpath("//div[@class='indicator']//table[not(caption)]/tbody/tr")
    ]


def of_the_cells(cells: list[tuple[str, ...]], units: list[str]) -> Figures:
    """What people read, taken apart again."""
    found = []
    for (year, aim, figure, share), unit in zip(cells, units, strict=True):
        low = high = ""
        if aim.endswith("以上"):
            low = aim.removesuffix("以上").removesuffix(unit)
        elif aim.endswith("以下"):
            high = aim.removesuffix("以下").removesuffix(unit)
        elif aim:
            low, high = aim.removesuffix("まで").removesuffix(unit).split("から")
        provisional = "速報" if "（速報）" in figure else ""
        number = figure.replace("（速報）", "").removesuffix(unit)
        number = number if number[:1].isdigit() else ""
        found.append((year, *(one.replace(",", "") for one in (low, high, number)),
                      share.removesuffix("%"), provisional))  # fmt: skip
    return found


def test_page_table_and_document_carry_the_same_figures(told):
    found = files()
    table = of_the_table(found["csv"])
    rows = csv.DictReader(io.StringIO(found["csv"].decode("utf-8-sig")))
    units = [row["単位"] for row in rows if not row["内訳"]]
    assert len(table) == 3 * 4
    assert table == of_the_document(found["json"])
    assert table == of_the_cells(cells_of_the_page(found["html"]), units)
    assert ("令和6年度", "1000", "", "1234567.25", "123456", "速報") in table
    assert ("令和7年度", "76.5", "", "77", "100", "") in table


def test_parts_are_the_same_everywhere_and_nobody_is_told_of_few(told):
    one = Indicator.objects.get(measure__code="1", code="1")
    Indicator.objects.filter(pk=one.pk).update(splits=["town"], metric="a.b")
    counts = {"泉町": Part(Decimal("31.5"), 400), "谷戸町": Part(Decimal(50), 3),
              "中町": Part(Decimal(60), 12)}  # fmt: skip
    Snapshot.objects.create(
        metric="a.b", version=1, length="year", begins=date(2025, 4, 1), ends=date(2026, 4, 1),
        number=Decimal(40), rows=415, left_out={}, made_at=NOW,
        splits={"town": {name: [str(part.number), part.rows] for name, part in counts.items()}},
    )  # fmt: skip
    found = files()
    rows = [row for row in csv.DictReader(io.StringIO(found["csv"].decode("utf-8-sig")))
            if row["内訳"]]  # fmt: skip
    few = "人数が少ないので、出しません"
    expected = [("中町", "", few), ("泉町", "31.5", ""), ("谷戸町", "", few)]
    assert [(r["内訳の名前"], r["実績"], r["実績がないわけ"]) for r in rows] == expected
    assert {row["内訳"] for row in rows} == {"町ごと"}
    parts = json.loads(found["json"])["measures"][0]["indicators"][0]["parts"]
    assert [(p["name"], "" if p["figure"] is None else str(p["figure"]), p["why_none"] or "")
            for p in parts] == expected  # fmt: skip
    page: Any = html.document_fromstring(found["html"].decode())
    cells = [(tr.xpath("string(th)"), tr.xpath("string(td)"))
             for tr in page.xpath("//table[caption='令和7年度、町ごと']//tr")]  # fmt: skip
    assert cells == [("中町", few), ("泉町", "31.5%"), ("谷戸町", few)]
    view = showing.view(told)
    sheets = list(figures.sheets(evaluate(told, 2025, now=NOW), view))
    reader = PdfReader(io.BytesIO(pdf(list(printing.paper("見本市", view, 2025, sheets))[-1])))
    text = "".join("".join(page.extract_text().split()) for page in reader.pages)
    assert f"届いた人令和7年度、町ごと中町{few}泉町31.5%谷戸町{few}" in text
    own = next(family for family in PAGES if family.name == "plan-measures")
    body = dict(own.render(["/en/plan/keikaku/measures/1/"]))["/en/plan/keikaku/measures/1/"].body
    everything = b"".join((*found.values(), body)).decode()
    assert "泉町" in body.decode()
    assert "50" not in text[text.index("町ごと") :][:60]
    assert not re.search(r"谷戸町[^<]*</th><td[^>]*>[^<]*50", everything)


def test_the_pdf_carries_every_cell_of_the_page_in_its_order(told):
    cells = cells_of_the_page(files()["html"])
    view = showing.view(told)
    sheets = list(figures.sheets(evaluate(told, 2025, now=NOW), view))
    reader = PdfReader(io.BytesIO(pdf(list(printing.paper("見本市", view, 2025, sheets))[-1])))
    text = "".join("".join(page.extract_text().split()) for page in reader.pages)
    at = text.rindex("届ける")
    for row in cells:
        for cell in filter(None, row):
            words = "".join(cell.split())
            found = text.find(words, at)
            assert found >= 0, words
            at = found + len(words)


def test_table_and_document_say_what_each_measure_serves(told):
    first = Measure.objects.get(code="1")
    for kind, name in (("goal", "安心"), ("viewpoint", "=画面")):
        facet = Facet.objects.create(plan=told, kind=kind, number=9, name=name)
        Serving.objects.create(measure=first, facet=facet)
    Indicator.objects.filter(measure=first, code="1").update(splits=["town"])
    services.record_parts(
        indicator=Indicator.objects.get(measure=first, code="1"), fiscal=2025, split="town",
        parts={"泉町": Given(Decimal(70), "")}, evidence="台帳", by=None, now=NOW,
    )  # fmt: skip
    found = files()
    rows = list(csv.DictReader(io.StringIO(found["csv"].decode("utf-8-sig"))))
    served = ("視点", "課題", "上位計画の目標")
    assert tables.HEAD[-4:-1] == served
    said = {(row["施策番号"], *(row[name] for name in served)) for row in rows}
    assert said == {("1", "携帯、=画面", "つながり", "安心"), ("2", "", "", "")}
    serves = {one["code"]: one["serves"] for one in json.loads(found["json"])["measures"]}
    assert serves["2"] == []
    assert {(one["kind"], one["name"]) for one in serves["1"]} == {
        ("viewpoint", "携帯"), ("viewpoint", "=画面"), ("challenge", "つながり"), ("goal", "安心"),
    }  # fmt: skip


@pytest.fixture
def crossed(told):
    """Three measures, of which two of one field serve one viewpoint, and a challenge of nobody."""
    facets = {one.name: one for one in told.facets.all()}
    Facet.objects.create(plan=told, kind="challenge", number=2, name="だれもしない課題")
    another = Measure.objects.create(
        plan=told, code="3", name="もうひとつ", field=facets["防災"], stage="in_use",
        first_year=2022, last_year=2023,
    )  # fmt: skip
    Serving.objects.create(measure=another, facet=facets["携帯"])
    return told


CROSSED = {
    "視点": [["計画の分野", "携帯"], ["防災", "2"], ["魅力", "0"]],
    "課題": [
        ["計画の分野", "つながり", "だれもしない課題"],
        ["防災", "1", "0"],
        ["魅力", "0", "0"],
    ],
}


def crossings(body: bytes) -> dict[str, list[list[str]]]:
    page: Any = html.document_fromstring(body.decode())
    return {
        page.get_element_by_id(region.get("aria-labelledby")).text_content(): [
            [cell.text_content() for cell in row] for row in region.xpath(".//tr")
        ]
        for region in page.xpath("//div[table[contains(@class, 'matrix')]]")
    }


def test_what_measures_serve_is_the_same_on_the_page_in_the_report_and_on_paper(crossed):
    fronts = next(family for family in PAGES if family.name == "plan-fronts")
    page = dict(fronts.render(["/plan/"]))["/plan/"].body
    found = files()
    assert crossings(page) == crossings(found["html"]) == CROSSED
    view = showing.view(crossed)
    sheets = list(figures.sheets(evaluate(crossed, 2025, now=NOW), view))
    reader = PdfReader(io.BytesIO(pdf(list(printing.paper("見本市", view, 2025, sheets))[-1])))
    text = "".join("".join(one.extract_text().split()) for one in reader.pages)
    for name, rows in CROSSED.items():
        assert name + "".join(cell for row in rows for cell in row) in text


def test_a_field_of_the_matrix_leads_to_its_page_in_every_language(crossed):
    fronts = next(family for family in PAGES if family.name == "plan-fronts")
    for address, one in fronts.render([f"{each.prefix}plan/" for each in LANGUAGES]):
        page: Any = html.document_fromstring(one.body.decode())
        links = page.xpath("//table[contains(@class, 'matrix')]//th/a/@href")
        assert links == [f"{address}keikaku/fields/{number}/" for number in (1, 2, 1, 2)]
        names = page.xpath("//table[contains(@class, 'matrix')]//thead//th[position() > 1]/@lang")
        assert names == ["ja"] * 3


def test_the_plan_above_is_named_on_the_page_and_on_both_covers(told):
    fronts = next(family for family in PAGES if family.name == "plan-fronts")

    def said() -> tuple[str, str, str]:
        view = showing.view(told)
        sheets = list(figures.sheets(evaluate(told, 2025, now=NOW), view))
        body = pdf(list(printing.paper("見本市", view, 2025, sheets))[-1])
        page: Any = html.document_fromstring(dict(fronts.render(["/plan/"]))["/plan/"].body)
        report: Any = html.document_fromstring(files()["html"].decode())
        return (
            page.xpath("string(//div[contains(@class, 'page-head')])"),
            report.xpath("string(//header)"),
            PdfReader(io.BytesIO(body)).pages[0].extract_text(),
        )

    assert not any("上位計画" in one or "上の計画" in one for one in said())
    Plan.objects.filter(pk=told.pk).update(parent_name="試しの総合計画")
    told.refresh_from_db()
    page, report, paper = said()
    assert "上の計画: 試しの総合計画" in page
    assert "上位計画 試しの総合計画" in report
    assert "上位計画 試しの総合計画" in paper
    body = dict(fronts.render(["/en/plan/"]))["/en/plan/"].body.decode()
    assert 'The plan above: <span lang="ja">試しの総合計画</span>' in body


def test_a_plan_that_names_no_viewpoint_has_no_empty_table(filled):
    Serving.objects.all().delete()
    Facet.objects.filter(kind="viewpoint").delete()
    assert list(crossings(files()["html"])) == ["課題"]
    Facet.objects.filter(kind="challenge").delete()
    assert "何のためにするか" not in files()["html"].decode()


def test_the_pdf_could_go_to_print(told, tmp_path):
    out = tmp_path / "report.pdf"
    Measure.objects.update(budget=4_800_000)
    call_command("plan", "report", "R7", "--out", str(out))
    assert [one.name for one in tmp_path.iterdir()] == ["report.pdf"]
    reader = PdfReader(out)
    catalogue: Any = reader.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"] == "ja"
    assert reader.metadata.title == "試しの計画 令和7年度の報告"
    fonts = [
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    ]
    assert fonts
    assert all({"/FontFile2", "/FontFile3"} & set(font) for font in fonts)
    words = "".join(page.extract_text() for page in reader.pages)
    assert "4,800,000円" in words
    assert "<" not in words
    for part in (
        "もくじ",
        "全体のようす",
        "西東京市",
        "なぜ、届かなかったか",
        "夜だった",
        "夜の訪問を組む",
    ):
        assert part in words, part


def test_what_the_report_says_when_it_cannot_be(filled, tmp_path):
    for year, out, words in (
        ("R7", tmp_path / "no" / "x.pdf", "書き出せません"),
        ("R7", tmp_path, "書き出せません"),
        ("いつか", tmp_path / "x.pdf", "令和8年度"),
        ("R20", tmp_path / "x.pdf", "計画はありません"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("plan", "report", year, "--out", str(out))
    with pytest.raises(CommandError, match="期間の外"):
        call_command("plan", "report", "R2", "--plan", "keikaku", "--out", str(tmp_path / "x.pdf"))
    assert not list(tmp_path.iterdir())


def test_what_takes_longer_says_how_far_it_is(filled, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "TELLS", 0.02)

    def slowly(told: object) -> bytes:
        time.sleep(0.1)
        return b"%PDF"

    monkeypatch.setattr(command, "pdf", slowly)
    monkeypatch.setattr(command, "monotonic", time.perf_counter)
    call_command("plan", "report", "R7", "--out", str(tmp_path / "x.pdf"))
    assert "紙面を組んでいます" in capsys.readouterr().err


def test_nothing_in_the_table_is_a_formula(filled):
    one = Indicator.objects.get(measure__code="1", code="1")
    Indicator.objects.filter(pk=one.pk).update(name="=HYPERLINK(1)", baseline=Decimal(-5))
    body = files()["csv"]
    assert body.startswith(b"\xef\xbb\xbf")
    row = next(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert (row["指標名"], row["基準値"]) == ("'=HYPERLINK(1)", "-5")


def test_a_year_without_measures_still_has_a_report(plan, tmp_path):
    assert "まだありません" in files()["html"].decode()
    call_command("plan", "report", "R7", "--out", str(tmp_path / "x.pdf"))
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
