"""The pages of the city's plan: how far it is, a page each for fields and measures, and a report.

And its figures for machines.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_noop

from policity.foundations.city_plan.models import Facet, Measure, Plan
from policity.foundations.city_plan.presenters import figures, pages, printing, tables
from policity.foundations.city_plan.queries import showing
from policity.foundations.city_plan.queries.evaluating import evaluate
from policity.foundations.city_plan.queries.metrics import moments
from policity.foundations.city_plan.queries.showing import (
    PLANS,
    PlanView,
    Standing,
    measure_key,
    plan_key,
)
from policity.foundations.city_plan.rules import spans
from policity.foundations.city_plan.rules.addresses import part
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.declarations import (
    CITY,
    born_with_city,
    fixed,
    in_each_language,
)
from policity.foundations.publishing.formats import document, page
from policity.kit.declare import Document, Lane, PageFamily, Rendered, Stage
from policity.kit.eras import fiscal_year
from policity.kit.languages import split

_PLAN = re.compile(r"plan/([^/]+)/")
_PLAN_KEY = re.compile(re.escape(plan_key(0)).replace("0", r"(\d+)"))
_MEASURE_KEY = re.compile(re.escape(measure_key(0)).replace("0", r"(\d+)"))
_FIELD, _MEASURE = gettext_noop("分野"), gettext_noop("施策")

Found = tuple[str, Rendered | None]


def _plans() -> dict[str, Plan]:
    """Every plan by what stands for it in an address."""
    return {part(one.code): one for one in showing.plans()}


def _grouped(addresses: Sequence[str]) -> dict[str, list[str]]:
    """Addresses by the plan that they name."""
    found: dict[str, list[str]] = {}
    for address in addresses:
        named = _PLAN.match(split(address)[1])
        found.setdefault(named[1] if named else "", []).append(address)
    return found


def _renewed(now: datetime, *, daily: bool) -> datetime:
    """When to look again: the next day where the running year's figures move, else next year."""
    today = timezone.localdate(now)
    if not daily:
        return moments(spans.year(fiscal_year(today)))[1]
    midnight = datetime.min.time()
    return timezone.make_aware(datetime.combine(today + timedelta(days=1), midnight))


def _moves(standings: Sequence[Standing]) -> bool:
    """Whether anything of it is counted by the system."""
    return any(one.metric for standing in standings for one in standing.begun.indicators)


def _fronts(addresses: Sequence[str]) -> Iterator[Found]:
    """The plan in force at /plan/, and each at its own address."""
    city, known, now = places_queries.city(), _plans(), timezone.now()
    force = showing.in_force(now=now)
    for name, some in _grouped(addresses).items():
        plan = known.get(name) if name else force
        if name and plan is None:
            yield from ((address, None) for address in some)
            continue
        keys = frozenset({PLANS, CITY, *([plan_key(plan.pk)] if plan else [])})
        view = showing.view(plan) if plan else None
        standings = list(showing.standing(plan, view, now=now).values()) if plan and view else []
        sheets = [_over(view, one) for one in standings] if view else []
        for address in some:
            language, rest = split(address)
            with translation.override(language.code):
                context = pages.dashboard(view, sheets, now=now) if view else {}
                context["others"] = [pages.other(one) for one in known.values() if one != plan]
            context["city_name"] = places.city_name(city, language.code)
            body = page("city_plan/plan.html", language, rest, context)
            found = _document(body, language.code, "案内")
            yield address, Rendered(body, keys, _renewed(now, daily=_moves(standings)), (found,))


def _fields(addresses: Sequence[str]) -> Iterator[Found]:
    def draw(view: PlanView, rest: str, standings: dict[str, Standing]) -> dict[str, object] | None:
        number = int(rest.rstrip("/").rpartition("/")[2])
        if all(one.number != number for one in view.fields()):
            return None
        sheets = [_over(view, one) for one in standings.values() if one.card.field == number]
        years = showing.years(view.first_year, view.last_year, now=now)
        return pages.field(view, number, sheets, years)

    now = timezone.now()
    yield from _drawn(addresses, "city_plan/field.html", draw, now, kind=_FIELD)


def _measures(addresses: Sequence[str]) -> Iterator[Found]:
    def draw(view: PlanView, rest: str, standings: dict[str, Standing]) -> dict[str, object] | None:
        named = rest.rstrip("/").rpartition("/")[2]
        standing = standings.get(named)
        if standing is None:
            return None
        card = standing.card
        told = view.told.get(card.code, {})
        begun = figures.sheet(standing.begun, card, told, standing.years.begun)
        over = _over(view, standing)
        return pages.measure(view, over, begun, told=told, span=standing.years)

    now = timezone.now()
    yield from _drawn(addresses, "city_plan/measure.html", draw, now, kind=_MEASURE, own=True)


def _drawn(
    addresses: Sequence[str],
    template: str,
    draw: Callable[[PlanView, str, dict[str, Standing]], dict[str, object] | None],
    now: datetime,
    *,
    kind: str,
    own: bool = False,
) -> Iterator[Found]:
    """Pages of a plan's parts, each in its language; `own`: of one measure alone."""
    city, known = places_queries.city(), _plans()
    for name, some in _grouped(addresses).items():
        plan = known.get(name)
        if plan is None:
            yield from ((address, None) for address in some)
            continue
        view = showing.view(plan)
        wanted = {address.rstrip("/").rpartition("/")[2] for address in some}
        codes = {code for code in view.measures if part(code) in wanted} if own else None
        standings = {
            part(code): one
            for code, one in showing.standing(plan, view, now=now, codes=codes).items()
        }
        for address in some:
            language, rest = split(address)
            with translation.override(language.code):
                context = draw(view, rest, standings)
            if context is None:
                yield address, None
                continue
            shown = standings.get(rest.rstrip("/").rpartition("/")[2]) if own else None
            key = measure_key(shown.card.id) if shown else plan_key(plan.pk)
            moves = _moves([shown] if shown else list(standings.values()))
            context["city_name"] = places.city_name(city, language.code)
            body = page(template, language, rest, context)
            found = _document(body, language.code, kind, listed=False)
            keys = frozenset({key, CITY})
            yield address, Rendered(body, keys, _renewed(now, daily=moves), (found,))


def _over(view: PlanView, one: Standing) -> figures.Sheet:
    told = view.told.get(one.card.code, {})
    return figures.sheet(one.over, one.card, told, one.years.over)


_TABLE = re.compile(r"plan/[^/]+/(?:report/)?(\d{4})(?:\.(csv|json)|/)")


def _files(addresses: Sequence[str]) -> Iterator[Found]:
    """A year's figures as a table, a document, and a page to print, all of one evaluation."""
    city, known, now = places_queries.city(), _plans(), timezone.now()
    for name, some in _grouped(addresses).items():
        plan = known.get(name)
        view = showing.view(plan) if plan else None
        years = showing.evaluated_years(plan, now=now) if plan else range(0)
        by_year: dict[int, list[str]] = {}
        for address in some:
            by_year.setdefault(int(_TABLE.search(address)[1]), []).append(address)  # type: ignore[index]  # ours
        for fiscal, few in by_year.items():
            if plan is None or view is None or fiscal not in years:
                yield from ((address, None) for address in few)
                continue
            found = evaluate(plan, fiscal, now=now)
            sheets = list(figures.sheets(found, view))
            running = fiscal == fiscal_year(timezone.localdate(now))
            moves = running and any(one.metric for row in found.measures for one in row.indicators)
            keys = frozenset({plan_key(plan.pk), CITY})
            for address in few:
                if address.endswith(".csv"):
                    body = tables.table(view, sheets)
                elif address.endswith(".json"):
                    body = tables.document(view, fiscal, sheets)
                else:
                    language, rest = split(address)
                    context = printing.report(view, fiscal, sheets) | {"city_name": city.name}
                    body = page("city_plan/report.html", language, rest, context)
                yield address, Rendered(body, keys, _renewed(now, daily=moves))


def _document(body: bytes, code: str, kind: str, *, listed: bool = True) -> Document:
    """What searching finds of a page; its kind is told in Japanese."""
    with translation.override(code):
        return document(body, kind=gettext(kind), section=gettext("計画と評価"), listed=listed)


_FRONT = in_each_language("plan/")


def _of_plan(key: str) -> Iterator[Plan]:
    """The plans that a key may bring pages of."""
    if key in (PLANS, CITY):
        yield from showing.plans()
    elif found := _PLAN_KEY.fullmatch(key):
        yield from Plan.objects.filter(pk=int(found[1]))


def _fronts_of(plans: Iterable[Plan]) -> Iterator[str]:
    for one in plans:
        yield from in_each_language(pages.plan_page(one.code))


def _fields_of(plans: Iterable[Plan]) -> Iterator[str]:
    for one in plans:
        for number in one.facets.filter(kind=Facet.Kind.FIELD).values_list("number", flat=True):
            yield from in_each_language(pages.field_page(one.code, number))


def _measures_of(measures: QuerySet[Measure]) -> Iterator[str]:
    for plan, code in measures.order_by("pk").values_list("plan__code", "code"):
        yield from in_each_language(pages.measure_page(plan, code))


def _files_of(plans: Iterable[Plan]) -> Iterator[str]:
    now = timezone.now()
    for one in plans:
        for fiscal in showing.evaluated_years(one, now=now):
            yield from (f"/{pages.data(one.code, fiscal, ending)}" for ending in ("csv", "json"))
            yield f"/{pages.report_page(one.code, fiscal)}"


def _all(of: Callable[[Iterable[Plan]], Iterator[str]]) -> Iterator[str]:
    """Every address of a family, once there is a city."""
    if list(fixed("/")):
        yield from of(showing.plans())


def _born(of: Callable[[Iterable[Plan]], Iterator[str]], key: str) -> Iterator[str]:
    yield from of(_of_plan(key))


def _front_addresses() -> Iterator[str]:
    yield from fixed(*_FRONT)
    yield from _all(_fronts_of)


def _fronts_born(key: str) -> Iterator[str]:
    yield from born_with_city(_FRONT, key)
    yield from _fronts_of(_of_plan(key))


def _measure_addresses() -> Iterator[str]:
    if list(fixed("/")):
        yield from _measures_of(Measure.objects.all())


def _measures_born(key: str) -> Iterator[str]:
    if key == CITY:
        yield from _measures_of(Measure.objects.all())
    elif found := _MEASURE_KEY.fullmatch(key):
        yield from _measures_of(Measure.objects.filter(pk=int(found[1])))


PAGES = (
    PageFamily(
        name="plan-files",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=partial(_all, _files_of),
        born_of=partial(_born, _files_of),
        render=_files,
        is_linked=False,
    ),
    PageFamily(
        name="plan-measures",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=_measure_addresses,
        born_of=_measures_born,
        render=_measures,
        is_linked=False,
    ),
    PageFamily(
        name="plan-fields",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=partial(_all, _fields_of),
        born_of=partial(_born, _fields_of),
        render=_fields,
        is_linked=False,
    ),
    PageFamily(
        name="plan-fronts",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=_front_addresses,
        born_of=_fronts_born,
        render=_fronts,
    ),
)
