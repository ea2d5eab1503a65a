"""A drill is sent, and the year's figure follows: evaluated, graded, commented on, published and
printed, without anybody having typed the number.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from policity.kit.eras import fiscal_year
from tests.journeys.test_comments import JAPANESE, sends
from tests.journeys.test_hearing import listed
from tests.journeys.test_registering import PHONE
from tests.journeys.test_seen_to_work import policity
from tests.living import City, asked, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

MEASURE, INDICATOR = "3-1", "1"

# Nobody signs in here: the verbs, and who takes each turn, are those of the desk.
_BEGIN = """
from django.utils import timezone
from policity.fields.alerts.rules.drill_texts import drill_texts
from policity.fields.alerts.services import drilling
from policity.foundations.accounts.models import User
from policity.foundations.delivery import services as delivery
people = {user.username: user for user in User.objects.all()}
now = timezone.now()
message = drilling.compose(text=next(iter(drill_texts())), by=people["bosai"], now=now)
for name in ("honbu", "yakin"):
    delivery.approve_drill(message=message, by=people[name], now=now)
print("MESSAGE", message)
"""
_TURNS = """
import json, sys
from django.utils import timezone
from policity.foundations.accounts.models import User
from policity.foundations.city_plan import queries, services
from policity.foundations.city_plan.models import Sheet
from policity.foundations.city_plan.rules.cycle import Act, Done, FollowUp, Said
from policity.kit.eras import fiscal_year
people = {user.username: user for user in User.objects.all()}
now = timezone.now()
year = fiscal_year(timezone.localdate(now))
services.open_year(plan=queries.plan("mihon"), fiscal=year, by=people["kikaku"], now=now)
sheet = Sheet.objects.get(measure__code="3-1", measure__plan__code="mihon", year=year)
asked = services.asked(sheet, now=now)
grade, direction = sorted(asked.grades)[0], next(iter(sorted(asked.directions)), "")
rating = Said(
    grade=grade,
    answers=dict.fromkeys(asked.questions, "見本の答え"),
    reasons=dict.fromkeys(asked.missed, "見本のわけ"),
    follow_ups=[FollowUp(action, Done.DONE) for action in asked.decided],
)
TURNS
"""
_UNTIL_COMMENT = """
for name, what, said in (
    ("koho", Act.RATE, rating),
    ("kikaku", Act.CHECK, Said()),
    ("iin", Act.REVIEW, Said(grade=grade, text="見本の意見")),
):
    sheet = Sheet.objects.get(pk=sheet.pk)
    services.act(
        sheet=sheet.pk, what=what, said=said, seen=sheet.revision, by=people[name], now=now)
print("SHEET", sheet.pk)
"""
_TO_THE_END = """
for name, what, said in (
    ("kikaku", Act.HEAR, Said(text="英語でも、という意見が1件。見本の答え")),
    ("suishin", Act.DECIDE, Said(
        grade=grade, direction=direction, actions=["見本 夜の訓練を足す"])),
    ("kikaku", Act.PUBLISH, Said()),
):
    sheet = Sheet.objects.get(pk=sheet.pk)
    services.act(
        sheet=sheet.pk, what=what, said=said, seen=sheet.revision, by=people[name], now=now)
print("SHEET", sheet.pk)
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def told(city: City, script: str, word: str) -> int:
    done = policity(city.home, "shell", "-c", script)
    found = re.search(rf"^{word} (\d+)", done.stdout, re.M)
    assert found, done.stdout + done.stderr
    return int(found[1])


def figure(city: City) -> str | None:
    """What the command says of the indicator this year."""
    year = str(fiscal_year(timezone.localdate()))
    done = policity(city.home, "plan", "evaluate", year, "--plan", "mihon", "--json")
    measures = {one["code"]: one for one in json.loads(done.stdout)["measures"]}
    indicators = {one["code"]: one for one in measures[MEASURE]["indicators"]}
    found = indicators[INDICATOR]["years"][-1]["figure"]
    return found and found["number"]


def test_a_drill_moves_a_figure_that_is_published_and_printed(
    city: City, page: Page, tmp_path: Path
) -> None:
    assert figure(city) is None
    rows = (
        {"external_id": f"r{n}", "email": f"p{n}@example.jp", "town": "泉町一丁目",
         "language": "ja", "kinds": "drill:1"}
        for n in range(3)
    )  # fmt: skip
    done = policity(city.home, "residents", "import", str(listed(tmp_path / "p.csv", *rows)))
    assert done.returncode == 0, done.stderr
    told(city, _BEGIN, "MESSAGE")
    until(lambda: len(list((city.home / "outbox").glob("*.eml"))) == 3, "three mails")
    until(lambda: figure(city) is not None, "the figure follows")
    assert float(figure(city) or 0) == 100

    told(city, _TURNS.replace("TURNS", _UNTIL_COMMENT), "SHEET")
    call = asked(city.home, "SELECT id FROM city_plan_call WHERE stage = 'open'")[0]
    page.set_viewport_size(PHONE)
    faults: list[str] = []
    sends(page, f"http://127.0.0.1:{city.port}/plan/comments/{call}/", JAPANESE, faults)
    assert faults == []
    told(city, _TURNS.replace("TURNS", _TO_THE_END), "SHEET")

    address = f"/plan/mihon/measures/{MEASURE}/"
    until(lambda: "夜の訓練を足す" in city.get(address).decode(), "the page says what was decided")
    page.goto(f"http://127.0.0.1:{city.port}{address}")
    expect(page.locator("main")).to_contain_text("100%")
    year = fiscal_year(timezone.localdate())
    table = csv.DictReader(io.StringIO(city.get(f"/plan/mihon/{year}.csv").decode("utf-8-sig")))
    # The figure as a whole: below it stand its parts, by town and so on.
    (row,) = [
        row for row in table
        if row["指標名"] == "訓練で10分以内に届いた人の割合"
        and (row["年度（西暦）"], row["内訳"]) == (str(year), "")
    ]  # fmt: skip
    assert row["実績"] == "100"
    out = tmp_path / "report.pdf"
    done = policity(city.home, "plan", "report", str(year), "--plan", "mihon", "--out", str(out))
    assert done.returncode == 0, done.stderr
    printed = "".join(one.extract_text() for one in PdfReader(out).pages)
    assert "訓練で10分以内に届いた人の割合" in printed
    assert "100%" in printed
    # Nobody typed it: it stands in the ledger, and nowhere else.
    typed = "SELECT COUNT(*) FROM city_plan_value AS v JOIN city_plan_indicator AS i"
    typed += " ON i.id = v.indicator_id WHERE i.metric LIKE 'delivery.%'"
    assert asked(city.home, typed) == (0,)
    handed = "SELECT COUNT(*) FROM delivery_ledger WHERE state >= 4 AND message_id = (SELECT"
    handed += " MAX(id) FROM delivery_message WHERE kind = 'drill')"
    assert asked(city.home, handed) == (3,)
