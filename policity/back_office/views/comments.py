"""What residents said of a plan: found, typed in, put together, answered, withheld."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.comments import (
    AnswerForm,
    FindForm,
    GroupForm,
    MailFileForm,
    MeasureForm,
    TypedForm,
    WithholdForm,
)
from policity.back_office.presenters import comments as present
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.city_plan import services
from policity.foundations.city_plan.formats import mails
from policity.foundations.city_plan.queries import comments as queries
from policity.foundations.city_plan.rules.commenting import Channel


@require_safe
@never_cache
def desk(request: HttpRequest, call: int) -> HttpResponse:
    """A call: how it stands, its comments, its groups."""
    require(request, Act.KEEP_PLAN)
    return desk_of(request, call, [])


def desk_of(
    request: HttpRequest, call: int, faults: list[str], *, typed: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The page of a call, with what is wrong and what was typed. Five queries. Raises Http404."""
    view = _call(call)
    asked, number = FindForm.read(request.GET)
    some = Paginator(queries.found(call, asked), queries.PAGE).get_page(number)
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "call": present.call(view),
        "view": view,
        "sums": present.sums(queries.numbers(call)),
        "rows": [present.row(one) for one in queries.comments(some)],
        "some": some,
        "query": query.urlencode(),
        "find": FindForm(request.GET),
        "asked": asked,
        "groups": [present.group(one) for one in queries.groups(call)],
        "faults": faults,
        "typed": typed or {},
        "ticked": GroupForm(request.POST).ticked if request.method == "POST" else [],
    }
    return page(request, "call", context, status=400 if faults else 200)


@require_safe
@never_cache
def as_csv(request: HttpRequest, call: int) -> HttpResponse:
    """The comments that are looked for, for a spreadsheet, without names."""
    user = require(request, Act.KEEP_PLAN)
    _call(call)
    views = queries.comments(queries.found(call, FindForm.read(request.GET)[0]))
    services.exported(call=call, count=len(views), by=user, now=timezone.now())
    answer = HttpResponse(present.table(views), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="comments-{call}.csv"'
    return answer


@require_http_methods(["GET", "POST"])
@never_cache
def type_in(request: HttpRequest, call: int) -> HttpResponse:
    """A comment from paper or from a mail. A mail's file is read and shown; nothing is kept yet."""
    user = require(request, Act.KEEP_PLAN)
    view = _call(call)
    fields = queries.measures(view.plan, view.year)
    today = timezone.localdate().isoformat()
    form = TypedForm(fields=fields, initial={"channel": "paper", "received": today})
    faults: list[str] = []
    if "read" in request.POST:
        form, faults = _mail(request, fields)
    elif request.method == "POST":
        form = TypedForm(request.POST, fields=fields)
        faults = form.faults
        if form.is_valid():
            said = form.cleaned_data
            try:
                kept = services.type_in(
                    call=call, sent=form.sent, channel=Channel(said["channel"]),
                    received=said["received"], by=user, now=timezone.now(),
                )  # fmt: skip
            except services.PlanRefused as error:
                faults = [str(error)]
            else:
                messages.success(request, f"入れました。受付番号は {kept.pk} です。")
                return redirect("back_office:type_comment", call)
    context = {
        "call": present.call(view), "form": form, "faults": faults, "page": "call",
        "is_read": "read" in request.POST and not faults,
    }  # fmt: skip
    return page(request, "comment_form", context, status=400 if faults else 200)


def _mail(request: HttpRequest, fields: Any) -> tuple[TypedForm, list[str]]:
    """The form with what a mail says; what cannot be read is said beside what was typed."""
    chosen = MailFileForm(request.POST, request.FILES)
    typed = {name: request.POST.get(name, "") for name in TypedForm.base_fields}
    if not chosen.is_valid():
        return TypedForm(fields=fields, initial=typed), [str(chosen.errors["mail"][0])]
    try:
        mail = mails.read(chosen.cleaned_data["mail"].read(mails.LARGEST + 1))
    except mails.BadMail as error:
        return TypedForm(fields=fields, initial=typed), [str(error)]
    received = timezone.localdate()
    if mail.at and timezone.is_aware(mail.at):
        received = timezone.localdate(mail.at)
    read = {
        "channel": "mail", "received": received.isoformat(), "text": mail.text,
        "measure": typed["measure"], "name": mail.name, "address": mail.address,
    }  # fmt: skip
    return TypedForm(fields=fields, initial=read), []


@require_http_methods(["GET", "POST"])
@never_cache
def group(request: HttpRequest, call: int) -> HttpResponse:
    """Put what was ticked together, or take it out again."""
    user = require(request, Act.KEEP_PLAN)
    _call(call)
    if request.method == "GET":
        return redirect("back_office:call", call)
    form, now = GroupForm(request.POST), timezone.now()
    faults = [str(error) for errors in form.errors.values() for error in errors]
    if form.is_valid():
        said = form.cleaned_data
        try:
            if said["do"] == "out":
                count = services.take_out(call=call, comments=form.ticked, by=user, now=now)
                messages.success(request, f"{count}件を、まとまりから出しました。")
                return redirect("back_office:call", call)
            made = services.put_together(
                call=call, comments=form.ticked, group=said["group"], title=said["title"],
                by=user, now=now,
            )  # fmt: skip
        except services.PlanRefused as error:
            faults = [str(error)]
        else:
            messages.success(request, "まとめました。市の考えを書いてください。")
            return redirect("back_office:answer_group", made.pk)
    return desk_of(request, call, faults, typed=request.POST)


@require_http_methods(["GET", "POST"])
@never_cache
def answer(request: HttpRequest, group: int) -> HttpResponse:
    """A group with its comments: what they say, and what the city answers."""
    user = require(request, Act.KEEP_PLAN)
    call = queries.call_of_group(group)
    view = _call(call) if call else None
    here = {one.id: one for one in queries.groups(call)}.get(group) if call else None
    if view is None or here is None:
        raise Http404
    sent = request.POST if request.method == "POST" else None
    form = AnswerForm(sent, initial=AnswerForm.initial_of(here))
    faults, doubtful, seen = form.faults, here.is_checked, request.POST.get("seen", here.revision)
    moved_on = False
    if form.is_valid():
        try:
            services.answer(group=group, **form.said, by=user, now=timezone.now())
        except services.PlanRefused as error:
            faults, doubtful = [str(error)], isinstance(error, services.NamesSomebody)
            # Whoever has seen what another wrote meanwhile may write over it.
            moved_on = isinstance(error, services.MovedOn)
            seen = here.revision if moved_on else seen
        else:
            messages.success(request, "保存しました。公開するまで、市民には見えません。")
            return redirect("back_office:call", view.id)
    rows = queries.comments(queries.found(view.id, queries.Asked(group=group)))
    context = {
        "call": present.call(view), "group": present.group(here), "form": form, "faults": faults,
        "doubtful": doubtful or "is_checked" in request.POST,
        "rows": [present.row(one) for one in rows], "page": "call",
        "seen": seen, "theirs": here.texts["ja"] if moved_on else None,
    }  # fmt: skip
    return page(request, "comment_group", context, status=400 if faults else 200)


@require_http_methods(["GET", "POST"])
@never_cache
def one(request: HttpRequest, comment: int) -> HttpResponse:
    """One comment, word for word; and which measure it is about."""
    user = require(request, Act.KEEP_PLAN)
    view = _comment(comment)
    call = _call(view.call)
    form = MeasureForm(request.POST, fields=queries.measures(call.plan, call.year))
    faults: list[str] = []
    if request.method == "POST":
        faults = [] if form.is_valid() else ["施策を、選びなおしてください。"]
        if not faults:
            said = form.cleaned_data["measure"]
            measure = int(said) if said else None
            try:
                services.place(comment=comment, measure=measure, by=user, now=timezone.now())
            except services.PlanRefused as error:
                faults = [str(error)]
            else:
                messages.success(request, "保存しました。")
                return redirect("back_office:comment", comment)
    return _one(request, view, WithholdForm(), faults)


@require_http_methods(["GET", "POST"])
@never_cache
def withhold(request: HttpRequest, comment: int) -> HttpResponse:
    """Leave it out of what is published, and say why."""
    user = require(request, Act.KEEP_PLAN)
    view = _comment(comment)
    if request.method == "GET":
        return redirect("back_office:comment", comment)
    form = WithholdForm(request.POST)
    faults = form.faults
    if form.is_valid():
        try:
            services.withhold(comment=comment, **form.said, by=user, now=timezone.now())
        except services.PlanRefused as error:
            faults = [str(error)]
        else:
            messages.success(request, "公開しないことにしました。件数にだけ、数えます。")
            return redirect("back_office:call", view.call)
    return _one(request, view, form, faults)


@require_http_methods(["GET", "POST"])
@never_cache
def release(request: HttpRequest, comment: int) -> HttpResponse:
    """Withhold it no longer."""
    user = require(request, Act.KEEP_PLAN)
    _comment(comment)
    if request.method == "POST":
        try:
            services.release(comment=comment, by=user, now=timezone.now())
        except services.PlanRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "まだまとめていない意見に、もどしました。")
    return redirect("back_office:comment", comment)


def _one(
    request: HttpRequest, view: queries.CommentView, form: WithholdForm, faults: list[str]
) -> HttpResponse:
    call = _call(view.call)
    context = {
        "call": present.call(call), "one": present.row(view), "form": form, "faults": faults,
        "measure": view.measure, "fields": queries.measures(call.plan, call.year), "page": "call",
    }  # fmt: skip
    return page(request, "comment", context, status=400 if faults else 200)


def _call(call: int) -> queries.CallView:
    """The call of a number. Raises Http404."""
    view = queries.call(call, public=False)
    if view is None:
        raise Http404
    return view


def _comment(comment: int) -> queries.CommentView:
    """The comment of a number. Raises Http404."""
    view = queries.comment(comment)
    if view is None:
        raise Http404
    return view
