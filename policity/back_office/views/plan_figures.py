"""Figures and targets by hand, a table after a look at it, and what the system counts."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.plan import (
    FigureForm,
    PartsForm,
    TableForm,
    TargetForm,
    YearForm,
    keep,
)
from policity.back_office.presenters import plan as present_plan
from policity.back_office.presenters import plan_figures as present
from policity.back_office.views.frame import page, require
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act
from policity.foundations.city_plan import policies, services
from policity.foundations.city_plan.formats.cells import BadTable
from policity.foundations.city_plan.models import Indicator, Plan, Sheet
from policity.foundations.city_plan.queries.metrics import metrics as all_metrics
from policity.foundations.city_plan.rules.attaining import Direction
from policity.kit.eras import fiscal_name

NOT_NOW = "いまは、この指標の実績を入れる番ではありません。企画に相談してください。"


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def indicator(request: HttpRequest, indicator: int, year: int) -> HttpResponse:
    """An indicator in a year: what was brought, and a figure to bring."""
    user = require(request, Act.SEE_PLAN)
    row, sheet = _indicator(indicator, year)
    sent = request.POST if request.method == "POST" else typed_before(request)
    form = FigureForm(sent)
    faults = form.faults
    if request.method == "POST":
        if not _records(row, sheet, user):
            faults = [NOT_NOW]
        elif form.is_valid():
            try:
                services.record(
                    indicator=row, fiscal=year, entry=form.entry, by=user, now=timezone.now()
                )
            except services.PlanRefused as error:
                faults = str(error).splitlines()
            else:
                messages.success(request, "実績を入れました。前の数字も、記録に残ります。")
                return redirect("back_office:plan_indicator", indicator, year)
    target = TargetForm(None, direction=Direction(row.direction))
    return _page(request, row, year, sheet, form, target, faults)


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def target(request: HttpRequest, indicator: int, year: int) -> HttpResponse:
    """Set a year's target, or another one with its reason."""
    user = require(request, Act.KEEP_PLAN)
    row, sheet = _indicator(indicator, year)
    sent = request.POST if request.method == "POST" else typed_before(request)
    form = TargetForm(sent, direction=Direction(row.direction))
    faults = form.faults
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            services.set_target(
                indicator=row, fiscal=year, aim=form.aim, reason=reason, by=user,
                now=timezone.now(),
            )  # fmt: skip
        except services.PlanRefused as error:
            faults = str(error).splitlines()
        else:
            messages.success(request, "目標を決めました。前の目標も、記録に残ります。")
            return redirect("back_office:plan_indicator", indicator, year)
    return _page(request, row, year, sheet, FigureForm(None), form, faults)


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def parts(request: HttpRequest, indicator: int, year: int) -> HttpResponse:
    """The figures of an indicator's parts: towns, ages, languages."""
    user = require(request, Act.SEE_PLAN)
    row, sheet = _indicator(indicator, year)
    sent = request.POST if request.method == "POST" else typed_before(request)
    form = PartsForm(sent, unit=row.unit, splits=row.splits)
    faults = form.faults
    if request.method == "POST":
        if not _records(row, sheet, user):
            faults = [NOT_NOW]
        elif form.is_valid():
            said = form.cleaned_data
            try:
                count = services.record_parts(
                    indicator=row, fiscal=year, split=said["split"], parts=said["lines"],
                    evidence=said["evidence"], by=user, now=timezone.now(),
                )  # fmt: skip
            except services.PlanRefused as error:
                faults = str(error).splitlines()
            else:
                messages.success(request, _told(count))
                return redirect("back_office:plan_indicator", indicator, year)
    target = TargetForm(None, direction=Direction(row.direction))
    return _page(request, row, year, sheet, FigureForm(None), target, faults, form)


def _told(count: int) -> str:
    return f"内訳を、{count}件入れました。" if count else "前と同じ数字です。何も変わりません。"


def _page(
    request: HttpRequest, row: Indicator, year: int, sheet: Sheet | None, figure: FigureForm,
    target: TargetForm, faults: list[str], parts: PartsForm | None = None,
) -> HttpResponse:  # fmt: skip
    user = require(request, Act.SEE_PLAN)
    context = {
        "one": row,
        "direction": Indicator.DIRECTIONS[Direction(row.direction)],
        "sheet": sheet,
        "year": year,
        "year_name": fiscal_name(year),
        "figures": present.figures(row, year),
        "targets": present.targets(row, year),
        "form": figure,
        "target": target,
        "splits": present.splits(row, year),
        "parts": parts or PartsForm(None, unit=row.unit, splits=row.splits),
        "faults": faults,
        "of": "target" if target.is_bound else "parts" if parts else "figure",
        "records": _records(row, sheet, user) and not row.metric,
        "page": "plan",
    }
    return page(request, "plan_indicator", context, status=400 if faults else 200)


def _records(row: Indicator, sheet: Sheet | None, user: User) -> bool:
    return policies.may_record(user, row.measure, sheet, on=timezone.localdate())


def _indicator(number: int, year: int) -> tuple[Indicator, Sheet | None]:
    rows = Indicator.objects.select_related("measure__plan", "measure__department")
    row = rows.filter(pk=number).first()
    if row is None or not row.measure.plan.first_year <= year <= row.measure.plan.last_year:
        raise Http404
    return row, Sheet.objects.filter(measure=row.measure, year=year).first()


@require_http_methods(["GET", "POST"])
@never_cache
def table(request: HttpRequest) -> HttpResponse:
    """Look at what a table of measures would change; then take it."""
    user = require(request, Act.KEEP_PLAN)
    plan = _plan(request)
    if request.method == "GET":
        return _table(request, plan)
    form, now = TableForm(request.POST, request.FILES), timezone.now()
    kept = form.kept(plan.code)
    data = kept[0] if kept else form.data_sent
    if not data:
        return _table(request, plan, ["表のファイルを選んでください。"])
    try:
        found = services.look(plan=plan, data=data, now=now)
        if kept and found == kept[1]:
            services.take_over(plan=plan, data=data, by=user, now=now)
            messages.success(request, "表を取り込みました。")
            return redirect(f"{reverse('back_office:plan')}?plan={plan.code}")
    except BadTable as error:
        return _table(request, plan, list(error.problems))
    looked_at = keep(plan.code, data, found)
    if not looked_at:
        return _table(request, plan, [
            "この表は、画面から取り込むには大きすぎます。分けるか、サーバーで"
            " policity plan import を使ってください。"
        ])  # fmt: skip
    context = {
        "plan": plan,
        "taken": found,
        "anything": present.has_any(found),
        "changes": present.changes(found),
        "looked_at": looked_at,
        "moved": kept is not None,
        "page": "plan",
    }
    return page(request, "plan_table_look", context)


def _table(request: HttpRequest, plan: Plan, faults: list[str] | None = None) -> HttpResponse:
    context = {"plan": plan, "faults": faults, "page": "plan"}
    return page(request, "plan_table", context, status=400 if faults else 200)


def _plan(request: HttpRequest) -> Plan:
    asked = YearForm.read(request.GET)
    found = present_plan.chosen_plan(present_plan.plans(), asked["plan"], timezone.localdate())
    if found is None:
        raise Http404
    return found


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """What the system counts by itself."""
    require(request, Act.SEE_PLAN)
    found = sorted(all_metrics().values(), key=lambda one: one.name)
    return page(request, "plan_metrics", {"metrics": found, "page": "plan"})


@require_safe
@never_cache
def metric(request: HttpRequest, name: str) -> HttpResponse:
    """One of these: its words, its rows, what it leaves out, month by month and year by year."""
    require(request, Act.SEE_PLAN)
    found = present.metric(name, now=timezone.now())
    if found is None:
        raise Http404
    return page(request, "plan_metric", {"found": found, "page": "plan"})
