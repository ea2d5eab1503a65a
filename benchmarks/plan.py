"""A year of a large plan evaluated, beside a loop that asks the database row by row.

500 measures of 4 indicators with 10 years of targets and figures: 20,000 of each. Both read the
same SQLite file and reckon by the same rules; what differs is how they ask. The loop is the plain
one: each measure's indicators, each indicator's years, each year's last target and figure. Both
must give every measure the same attainment, or the benchmark fails. The peer is timed on a tenth
of the measures, and its time taken ten times: as a whole it would take minutes.

Then the report of that year is printed by its command, and all pages of the plan are drawn in every
language, charts and all; these have no peer.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median, pstdev

MEASURES, INDICATORS, FIRST, YEARS = 500, 4, 2017, 10
PART = 10
ROUNDS = 5
GOAL, PRINTED = 2.0, 60.0
NOW = datetime(2027, 6, 1, tzinfo=UTC)


def measure() -> list[dict[str, object]]:
    """Seconds for the last year with all years before it, the median of the rounds."""
    with tempfile.TemporaryDirectory() as name:
        _home(Path(name))
        from policity.foundations.city_plan.models import Plan
        from policity.foundations.city_plan.queries.evaluating import evaluate

        _fill()
        plan, last = Plan.objects.get(), FIRST + YEARS - 1
        ours, busy, found = _timed(lambda: evaluate(plan, last, now=NOW), ROUNDS)
        peer, _, looped = _timed(lambda: _loop(plan, last), 1)
        shares = {one.code: one.whole.share for one in found.measures}
        assert len(shares) == MEASURES
        assert all(shares[code] == share for code, share in looped.items())
        assert len(looped) == MEASURES // PART
        printed, pages = _printed(Path(name))
        drawn = _drawn()
    seconds, theirs = median(ours), peer[0] * PART
    return [
        {
            "figure": round(seconds, 3), "unit": "s, 500 measures × 4 indicators × 10 years",
            "peer": "row by row with the ORM, a tenth of the measures times ten",
            "peer_figure": round(theirs, 1), "ratio": round(theirs / seconds, 1),
            "spread": round(pstdev(ours), 3), "cpu": round(median(busy), 3), "goal": GOAL,
        },
        {"figure": round(printed, 1), "unit": "s, its report as PDF", "pages": pages,
         "goal": PRINTED},
        {"figure": round(drawn["plan-fronts"][1], 2), "unit": "s, the dashboard in every language",
         "pages": drawn["plan-fronts"][0]},
        {"figure": round(sum(seconds for _, seconds in drawn.values()), 1),
         "unit": "s, every page and file of the plan",
         "pages": sum(pages for pages, _ in drawn.values())},
    ]  # fmt: skip


def _printed(folder: Path) -> tuple[float, int]:
    """Seconds until the report is there, and its pages."""
    from django.core.management import call_command
    from pypdf import PdfReader

    out = folder / "report.pdf"
    began = time.perf_counter()
    call_command("plan", "report", str(FIRST + YEARS - 1), "--out", str(out), stdout=sys.stderr)
    return time.perf_counter() - began, len(PdfReader(out).pages)


def _drawn() -> dict[str, tuple[int, float]]:
    """How many pages each family has, and the seconds until they were drawn."""
    from policity.foundations.city_plan.declarations.plans import PAGES

    found = {}
    for family in PAGES:
        began = time.perf_counter()
        pages = [rendered for _, rendered in family.render(list(family.addresses()))]
        assert all(pages)
        found[family.name] = len(pages), time.perf_counter() - began
    return found


def _timed(run: Callable[[], object], rounds: int) -> tuple[list[float], list[float], object]:
    """Seconds by the clock, and of the processor: others may be at work on the machine."""
    times, busy, found = [], [], None
    for _ in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        found = run()
        times.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    return times, busy, found


def _home(folder: Path) -> None:
    """A database of its own, with every table."""
    os.environ["POLICITY_HOME"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "policity.project.settings.embedded"
    import django

    from policity.project import home

    home.make_folders(folder)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _fill() -> None:
    from policity.foundations import places
    from policity.foundations.city_plan import services
    from policity.foundations.city_plan.formats.facts import frame_of
    from policity.foundations.city_plan.models import Facet, Indicator, Measure, Target, Value
    from policity.foundations.city_plan.rules.stages import Kind
    from policity.foundations.places.services import load_city

    cities = Path(places.__path__[0]) / "facts" / "cities"
    load_city(min(cities.iterdir()), by=None, now=NOW)
    chosen = random.Random(2026)
    frame = frame_of(
        {"code": "large", "name": "large", "first_year": FIRST, "last_year": FIRST + YEARS - 1,
         "fields": [{"name": f"f{number}"} for number in range(7)]}
    )  # fmt: skip
    plan = services.draw(frame=frame, by=None, now=NOW)
    fields = list(Facet.objects.filter(plan=plan))
    rows = Measure.objects.bulk_create(
        Measure(plan=plan, code=f"{number:03}", name="m", field=fields[number % 7], stage="in_use",
                first_year=plan.first_year, last_year=plan.last_year)
        for number in range(MEASURES)
    )  # fmt: skip
    indicators = Indicator.objects.bulk_create(
        Indicator(measure=row, code=str(number), name="i", kind=list(Kind)[number % 3], unit="件",
                  direction="up", reckoning="target" if number % 2 else "baseline",
                  baseline=Decimal(50))
        for row in rows for number in range(INDICATORS)
    )  # fmt: skip
    years = [(one, FIRST + back) for one in indicators for back in range(YEARS)]
    Target.objects.bulk_create(
        (Target(indicator=one, year=year, low=Decimal(chosen.randint(60, 90)), at=NOW)
         for one, year in years),
        batch_size=2000,
    )  # fmt: skip
    Value.objects.bulk_create(
        (Value(indicator=one, year=year, number=Decimal(chosen.randint(40, 100)), at=NOW)
         for one, year in years),
        batch_size=2000,
    )  # fmt: skip


def _loop(plan: object, last: int) -> dict[str, object]:
    from policity.foundations.city_plan.formats.facts import schemes, stages
    from policity.foundations.city_plan.models import Measure, Target, Value
    from policity.foundations.city_plan.rules.attaining import Aim, Figure, Reckoning, stand
    from policity.foundations.city_plan.rules.grading import together
    from policity.foundations.city_plan.rules.stages import Kind

    scheme, found = schemes()["aichi"], {}
    for row in Measure.objects.filter(plan=plan).order_by("code")[: MEASURES // PART]:
        now = []
        for one in row.indicators.all():
            for year in range(FIRST, last + 1):
                aim = Target.objects.filter(indicator=one, year=year).order_by("pk").last()
                value = Value.objects.filter(indicator=one, year=year).order_by("pk").last()
                attained = stand(
                    Figure(value.number), [Aim(aim.low, aim.high)], baseline=one.baseline,
                    reckoning=Reckoning(one.reckoning), adds_up=one.adds_up,
                )  # fmt: skip
                scheme.grade(attained)
            now.append((Kind(one.kind), attained))
        whole = together(now, stages()[row.stage].weights)
        scheme.grade_measure(whole.share)
        found[row.code] = whole.share
    return found
