"""Who works here: the administrator's pages."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policity.back_office.forms import AccountForm, LastDayForm, RoleForm
from policity.back_office.presenters import people as present
from policity.back_office.views.frame import page, require
from policity.foundations.accounts import queries
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.policies import Act
from policity.foundations.accounts.services import entering, staff
from policity.foundations.places import queries as places


@require_safe
@never_cache
def accounts(request: HttpRequest) -> HttpResponse:
    """Everybody, or those that were asked for."""
    require(request, Act.MANAGE_STAFF)
    asked = request.GET.get("q", "")[:100]
    here, others = present.lines(queries.people(asked), on=timezone.localdate())
    context = {"here": here, "others": others, "asked": asked, "glass": queries.glass()}
    return page(request, "accounts", context)


@require_http_methods(["GET", "POST"])
@never_cache
def new_account(request: HttpRequest) -> HttpResponse:
    """Open an account. Its role is given on the next page."""
    by = require(request, Act.MANAGE_STAFF)
    faults: list[str] = []
    if request.method == "POST":
        form = AccountForm(request.POST)
        faults = form.faults
        if form.is_valid():
            try:
                made = staff.open_account(by=by, now=timezone.now(), **form.cleaned_data)
            except staff.StaffRefused as error:
                faults = [str(error)]
            else:
                messages.success(request, "登録しました。つぎに、役割を与えてください。")
                return redirect("back_office:account", made.pk)
    context = {"faults": faults, "typed": request.POST, "page": "accounts"}
    return page(request, "new_account", context, status=400 if faults else 200)


@require_safe
@never_cache
def account(request: HttpRequest, user: int) -> HttpResponse:
    """One of them: roles, keys, sessions, and how it ends."""
    by = require(request, Act.MANAGE_STAFF)
    return _account(request, _whose(user), by)


def _account(
    request: HttpRequest, whose: User, by: User, *, faults: list[str] | None = None, link: str = ""
) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    (person,) = queries.people(only=whose.pk)
    context = {
        "found": present.line(person, on=today),
        "sessions": present.sessions(whose, request.session.session_key, now=now),
        "roles": Role.choices,
        "towns": [town.name for town in places.towns()],
        "departments": queries.departments(),
        "chosen_departments": request.POST.getlist("departments"),
        "typed": request.POST,
        "starts": request.POST.get("starts") or today.isoformat(),
        "chosen": request.POST.getlist("towns"),
        "today": today,
        "yesterday": today - timedelta(days=1),
        "oneself": whose.pk == by.pk,
        "faults": faults or [],
        "link": link,
        "picture": present.picture(link, "登録のリンク") if link else "",
        "page": "accounts",
    }
    return page(request, "account", context, status=400 if faults else 200)


@require_POST
@never_cache
def give_role(request: HttpRequest, user: int) -> HttpResponse:
    """Give a role, for a time, for some towns and some departments."""
    by, whose = require(request, Act.MANAGE_STAFF), _whose(user)
    towns, departments = [town.name for town in places.towns()], queries.departments()
    form = RoleForm(request.POST, towns=towns, departments=departments)
    if not form.is_valid():
        return _account(request, whose, by, faults=form.faults)
    said = form.cleaned_data | {"role": Role(form.cleaned_data["role"])}
    try:
        staff.give_role(user=whose, by=by, now=timezone.now(), **said)
    except staff.StaffRefused as error:
        return _account(request, whose, by, faults=[str(error)])
    return _done(request, whose, "役割を与えました。")


@require_POST
@never_cache
def end_role(request: HttpRequest, user: int, grant: int) -> HttpResponse:
    """End a role with a day."""
    by, whose, form = require(request, Act.MANAGE_STAFF), _whose(user), LastDayForm(request.POST)
    if not form.is_valid() or not whose.grants.filter(pk=grant).exists():
        return _account(request, whose, by, faults=["終わりの日を入れてください。"])
    try:
        staff.end_role(grant=grant, by=by, now=timezone.now(), **form.cleaned_data)
    except staff.StaffRefused as error:
        return _account(request, whose, by, faults=[str(error)])
    return _done(request, whose, "役割の終わりの日を決めました。")


@require_POST
@never_cache
def end_account(request: HttpRequest, user: int) -> HttpResponse:
    """Somebody leaves, with a day."""
    by, whose, form = require(request, Act.MANAGE_STAFF), _whose(user), LastDayForm(request.POST)
    if not form.is_valid():
        return _account(request, whose, by, faults=["最後の日を入れてください。"])
    try:
        staff.end_account(user=whose, by=by, now=timezone.now(), **form.cleaned_data)
    except staff.StaffRefused as error:
        return _account(request, whose, by, faults=[str(error)])
    return _done(request, whose, "最後の日を決めました。次の日から、何も使えません。")


@require_POST
@never_cache
def reset(request: HttpRequest, user: int) -> HttpResponse:
    """A telephone was lost: keys, password and sessions end."""
    by, whose = require(request, Act.MANAGE_STAFF), _whose(user)
    try:
        staff.reset(user=whose, by=by, now=timezone.now())
    except staff.StaffRefused as error:
        return _account(request, whose, by, faults=[str(error)])
    return _done(request, whose, "リセットしました。つぎに、新しいリンクを渡してください。")


@require_POST
@never_cache
def link(request: HttpRequest, user: int) -> HttpResponse:
    """The link that lets somebody in for the first time: on paper, or by mail."""
    by, whose, now = require(request, Act.MANAGE_STAFF), _whose(user), timezone.now()
    try:
        if "mail" in request.POST:
            staff.mail_link(whose, by=by, now=now)
            return _done(request, whose, f"{whose.email} に、リンクを送ります。")
        number, token = staff.link(whose, by=by, now=now).split("/")
    except staff.StaffRefused as error:
        return _account(request, whose, by, faults=[str(error)])
    way = reverse("back_office:welcome", args=[number, token])
    return _account(request, whose, by, link=request.build_absolute_uri(way))


@require_POST
@never_cache
def end_session(request: HttpRequest, user: int, session: int) -> HttpResponse:
    """End a session of somebody else."""
    by, whose = require(request, Act.MANAGE_STAFF), _whose(user)
    entering.end_sessions(whose, by=by, now=timezone.now(), only=session)
    return _done(request, whose, "そのセッションを終わらせました。")


def _whose(number: int) -> User:
    found = User.objects.filter(pk=number, is_active=True).exclude(username=queries.GLASS).first()
    if found is None:
        raise Http404
    return found


def _done(request: HttpRequest, whose: User, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("back_office:account", whose.pk)
