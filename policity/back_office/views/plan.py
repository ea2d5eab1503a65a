"""The plan's year: what waits for whom, the sheet of a measure, and the days."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policity.back_office.forms.events import SeenForm
from policity.back_office.forms.plan import ActForm, ActNameForm, DaysForm, YearForm
from policity.back_office.presenters import plan as present
from policity.back_office.presenters import plan_sheet
from policity.back_office.views.frame import page, require
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act
from policity.foundations.city_plan import policies, services
from policity.foundations.city_plan.models import Plan, Sheet
from policity.foundations.city_plan.queries.deadlines import deadlines
from policity.foundations.city_plan.rules.cycle import FORWARD, NEXT, Said, Turn
from policity.foundations.city_plan.rules.cycle import Act as Deed

BUTTONS: Mapping[Deed, str] = {
    Deed.RATE: "自己評価を出す",
    Deed.CHECK: "確かめて、委員会に送る",
    Deed.REVIEW: "委員会の評価を出す",
    Deed.HEAR: "意見をまとめて、本部に送る",
    Deed.DECIDE: "決定する",
    Deed.PUBLISH: "公開する",
    Deed.RETURN: "担当課に差し戻す",
}
DONE: Mapping[Deed, str] = {
    Deed.RATE: "自己評価を出しました。企画の番です。",
    Deed.CHECK: "委員会に送りました。",
    Deed.REVIEW: "委員会の評価を出しました。市民の意見の番です。",
    Deed.HEAR: "本部に送りました。",
    Deed.DECIDE: "決定しました。数字は、いまのもので固定しました。",
    Deed.PUBLISH: "公開しました。",
    Deed.RETURN: "担当課に差し戻しました。",
}


@require_safe
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """What is late, what waits for me, how many sheets stand where."""
    user, now = require(request, Act.SEE_PLAN), timezone.now()
    asked = YearForm.read(request.GET)
    plans = present.plans()
    if not plans and not asked["plan"]:
        return page(request, "plan", {"plan": None})
    plan, year = _chosen(request.GET)
    found = present.overview(
        plan, year, user, department=asked["department"], turn=asked["turn"], now=now
    )
    context = {
        "plan": plan,
        "plans": plans,
        "year": year,
        "years": present.years(plan),
        "found": found,
        "turns": present.TURNS,
        "short": present.SHORT,
        "asked": asked,
    }
    return page(request, "plan", context)


@require_POST
def open_year(request: HttpRequest) -> HttpResponse:
    """Open the sheets of a year for every measure that has none."""
    user = require(request, Act.KEEP_PLAN)
    plan, year = _chosen(request.POST)
    try:
        count = services.open_year(plan=plan, fiscal=year, by=user, now=timezone.now())
    except services.PlanRefused as error:
        messages.error(request, str(error))
    else:
        done = f"{count}件のシートを開きました。担当課の自己評価の番です。"
        messages.success(request, done if count else "新しく開くシートは、ありませんでした。")
    return redirect(_to(plan, year))


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def sheet(request: HttpRequest, sheet: int) -> HttpResponse:
    """A measure's sheet of a year, and the turn that whoever asks may take."""
    user = require(request, Act.SEE_PLAN)
    row = _sheet(sheet)
    sent = request.POST if request.method == "POST" else typed_before(request)
    shown = plan_sheet.page(row, now=timezone.now())
    deed = ActNameForm.read(sent or {})
    form = ActForm(sent, act=deed, asked=shown.asked, scheme=shown.scheme) if deed else None
    faults: list[str] = []
    if request.method == "POST":
        faults = _act(row, form, SeenForm.read(request.POST), user)
        if not faults and deed:
            messages.success(request, DONE[deed])
            return redirect("back_office:plan_sheet", row.pk)
        # Somebody else may have gone on meanwhile: what is shown is how it stands now.
        row = _sheet(sheet)
        shown = plan_sheet.page(row, now=timezone.now())
    forms = [form if form and form.act is one else _blank(one, shown) for one in _deeds(row, user)]
    lost = form.typed if form and faults and form not in forms else []
    context = {
        "shown": shown,
        "forms": [(one, BUTTONS[one.act]) for one in forms],
        "faults": faults,
        "lost": lost,
        "records": policies.may_record(user, row.measure, row, on=timezone.localdate()),
        "page": "plan",
    }
    return page(request, "plan_sheet", context, status=400 if faults else 200)


def _act(row: Sheet, form: ActForm | None, seen: int, user: User) -> list[str]:
    if form is None:
        return ["何をするかのボタンを、もう一度押してください。"]
    if not form.is_valid():
        return form.faults
    try:
        services.act(
            sheet=row.pk, what=form.act, said=form.said, seen=seen, by=user, now=timezone.now()
        )
    except services.PlanRefused as error:
        return str(error).splitlines()
    return []


def _deeds(row: Sheet, user: User) -> list[Deed]:
    """What somebody may do with a sheet now, what leads on first."""
    turn, today = Turn(row.turn), timezone.localdate()
    some = [deed for deed in (FORWARD.get(turn), Deed.RETURN) if deed and (turn, deed) in NEXT]
    return [deed for deed in some if policies.may(user, deed, row, on=today)]


def _blank(deed: Deed, shown: plan_sheet.Page) -> ActForm:
    """A form with what is likely to be said: what was said before, or is proposed."""
    before = shown.last.get(deed) if deed is Deed.RATE else None
    if deed is Deed.DECIDE:
        rated = shown.last.get(Deed.RATE, Said())
        before = Said(stage=shown.sheet.stage, actions=rated.actions)
    if deed is Deed.HEAR:
        before = Said(text=plan_sheet.heard(shown.sheet))
    return ActForm(None, act=deed, asked=shown.asked, scheme=shown.scheme, before=before)


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def days(request: HttpRequest) -> HttpResponse:
    """By when each turn of a year should be taken, and who was reminded."""
    user = require(request, Act.KEEP_PLAN)
    plan, year = _chosen(request.GET)
    sent = request.POST if request.method == "POST" else typed_before(request)
    form = DaysForm(sent, initial=deadlines(plan, year))
    faults = form.faults
    if request.method == "POST" and form.is_valid():
        try:
            services.set_deadlines(
                plan=plan, fiscal=year, days=form.days, by=user, now=timezone.now()
            )
        except services.PlanRefused as error:
            faults = [str(error)]
        else:
            messages.success(request, "期限を保存しました。")
            return redirect(_to(plan, year))
    context = {
        "plan": plan,
        "year": dict(present.years(plan))[year],
        "form": form,
        "faults": faults,
        "reminded": present.reminded(plan, year),
        "back": _to(plan, year),
        "page": "plan",
    }
    return page(request, "plan_days", context, status=400 if faults else 200)


def _chosen(given: Mapping[str, object]) -> tuple[Plan, int]:
    """The plan and the year that are asked for. Raises Http404."""
    asked, today = YearForm.read(given), timezone.localdate()
    plan = present.chosen_plan(present.plans(), asked["plan"], today)
    year = present.chosen_year(plan, asked["year"], today) if plan else None
    if plan is None or year is None:
        raise Http404
    return plan, year


def _to(plan: Plan, year: int) -> str:
    return f"{reverse('back_office:plan')}?{urlencode({'plan': plan.code, 'year': str(year)})}"


def _sheet(number: int) -> Sheet:
    rows = Sheet.objects.select_related("measure__plan", "measure__department", "measure__field")
    row = rows.filter(pk=number).first()
    if row is None:
        raise Http404
    return row
