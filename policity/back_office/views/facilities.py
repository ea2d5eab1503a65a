"""Facilities: what is there, writing one, taking over a list after a look at its changes."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.events import SeenForm
from policity.back_office.forms.facilities import FacilityForm, FacilityListForm, initial, keep
from policity.back_office.presenters import facilities as present
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.places import services
from policity.foundations.places.formats.facilities import BadList, read
from policity.foundations.places.models import Facility
from policity.foundations.places.rules.facilities import Plan


@require_safe
@never_cache
def facilities(request: HttpRequest) -> HttpResponse:
    """Every facility, by its list."""
    require(request, Act.KEEP_FACILITIES)
    return page(request, "facilities", {"lists": present.lists()})


@require_http_methods(["GET", "POST"])
@never_cache
def write(request: HttpRequest, facility: int = 0) -> HttpResponse:
    """Write a new facility, or change one that staff wrote."""
    user = require(request, Act.KEEP_FACILITIES)
    row = _facility(facility) if facility else None
    sent = request.POST if request.method == "POST" else None
    form = FacilityForm(sent, initial=initial(row))
    faults = form.faults
    if form.is_valid():
        try:
            services.write_facility(
                number=facility or None,
                written=form.written,
                seen=SeenForm.read(request.POST),
                by=user,
                now=timezone.now(),
            )
        except services.FacilityRefused as error:
            faults = [str(error)]
        else:
            messages.success(request, "保存しました。市民のページに出ます。")
            return redirect("back_office:facilities")
    seen = request.POST.get("seen", "") if sent else (row.revision if row else 0)
    context = {"form": form, "faults": faults, "row": row, "seen": seen, "page": "facilities"}
    return page(request, "facility", context, status=400 if faults else 200)


@require_http_methods(["GET", "POST"])
@never_cache
def close(request: HttpRequest, facility: int) -> HttpResponse:
    """Take a facility off the pages."""
    user = require(request, Act.KEEP_FACILITIES)
    _facility(facility)
    if request.method == "POST":
        try:
            services.close_facility(number=facility, by=user, now=timezone.now())
        except services.FacilityRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "一覧から消しました。")
    return redirect("back_office:facilities")


@require_http_methods(["GET", "POST"])
@never_cache
def take(request: HttpRequest) -> HttpResponse:
    """Look at what a list would change; then take it."""
    user = require(request, Act.KEEP_FACILITIES)
    if request.method == "GET":
        return redirect("back_office:facilities")
    form = FacilityListForm(request.POST, request.FILES)
    kept, typed = form.kept, form.data.get("source", "").strip()
    try:
        # Cut short it would be another list's name, and that list would go.
        if "source" in form.errors:
            raise BadList([str(error) for error in form.errors["source"]])
        data = kept[1] if kept else form.data_sent
        found = read(data, boundary=present.boundary())
        if kept:
            new, changed, gone, same = kept[2]
            seen = Plan(tuple(new), tuple(changed), tuple(gone), same)
            services.take_list(source=kept[0], found=found, by=user, now=timezone.now(), seen=seen)
            messages.success(request, f"「{kept[0]}」を取り込みました。市民のページに出ます。")
            return redirect("back_office:facilities")
    except BadList as error:
        wrong = {"faults": error.problems, "lists": present.lists(), "source": typed}
        return page(request, "facilities", wrong, status=400)
    except services.FacilityRefused as error:
        messages.error(request, str(error))
        return redirect("back_office:facilities")
    source = typed or found.dataset
    plan = services.plan(source=source, found=found)
    context = {
        "source": source,
        "changes": present.changes(source, plan, found),
        "plan": plan,
        "looked_at": keep(source, data, [plan.new, plan.changed, plan.gone, plan.same]),
        "page": "facilities",
    }
    return page(request, "facility_list", context)


def _facility(number: int) -> Facility:
    row = Facility.objects.here().filter(pk=number).first()
    if row is None:
        raise Http404
    return row
