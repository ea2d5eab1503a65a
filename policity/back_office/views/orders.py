"""Evacuation information: composed by one, approved by another, on a phone or at a desk."""

from collections.abc import Callable, Collection
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policity.back_office.forms import DecisionForm, OrderForm
from policity.back_office.presenters import orders as present
from policity.back_office.views.frame import held, page, require
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.fields.alerts.models import Order
from policity.fields.alerts.queries import orders as queries
from policity.fields.alerts.queries.orders import OrderView
from policity.fields.alerts.queries.words import order_texts
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import orders as services
from policity.fields.alerts.services.orders import ChangedError, OrderError
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.delivery import services as delivery
from policity.foundations.places import queries as places
from policity.kit.geometry import BadPolygon
from policity.kit.languages import LANGUAGES

RESTORED = "サインインし直しました。書いた内容は残っています。まだ保存していません。"


@require_safe
@never_cache
def orders(request: HttpRequest) -> HttpResponse:
    """What stands, what waits, what was."""
    require(request, Act.READ_CHRONOLOGY)
    return page(request, "orders", {"found": present.overview()})


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def compose(request: HttpRequest, order: int | None = None) -> HttpResponse:
    """Fill in an order: a new one, one that goes on with another, or a draft once more."""
    user = require(request, Act.COMPOSE)
    known = [town.id for town in places.towns()]
    draft = _draft(order)
    if request.method == "POST":
        return _save(request, OrderForm(request.POST, towns=known), draft, user)
    if (typed := typed_before(request)) is not None:
        messages.success(request, RESTORED)
        return _form(request, OrderForm(typed, towns=known), draft)
    return _form(request, OrderForm(_initial(request, draft), towns=known), draft)


def _save(
    request: HttpRequest, form: OrderForm, draft: OrderView | None, user: User
) -> HttpResponse:
    valid = form.is_valid()
    if "pick" in request.POST:
        return _pick(request, form, draft)
    if not valid:
        return _form(request, form, draft, faults=form.faults, status=400)
    try:
        saved = services.compose(
            draft=form.draft,
            by=user,
            now=timezone.now(),
            order=draft.id if draft else None,
            seen=form.cleaned_data["seen"] or 0,
        )
    except ChangedError as error:
        # What was typed stays; what the other wrote stands beside it, and counts as read.
        return _form(request, form, _draft(draft.id if draft else None), faults=error.faults,
                     changed=True, status=409)  # fmt: skip
    except OrderError as error:
        return _form(request, form, draft, faults=error.faults, status=400)
    return redirect("back_office:order", saved.pk)


def _pick(request: HttpRequest, form: OrderForm, draft: OrderView | None) -> HttpResponse:
    """Add the towns that the drawn lines touch to those that are chosen."""
    try:
        touched = present.chosen_by(request.POST.get("area", ""))
    except BadPolygon as error:
        fault = f"囲んだ線が使えません：{error}。線が交わらないように、囲み直してください。"
        return _form(request, form, draft, faults=[fault], status=400)
    if not touched:
        fault = "囲んだ所に、この市の町がありません。"
        return _form(request, form, draft, faults=[fault], status=400)
    return _form(request, form, draft, added=touched)


def _draft(number: int | None) -> OrderView | None:
    if number is None:
        return None
    found = queries.order(number)
    if found is None:
        raise Http404
    return found


def _initial(request: HttpRequest, draft: OrderView | None) -> QueryDict | None:
    """What stands in the form at first: the draft, or the order that this one goes on with."""
    basis = draft
    values = QueryDict(mutable=True)
    if draft is None:
        number = request.GET.get("from", "")
        basis = queries.order(int(number)) if number.isdecimal() else None
        if basis is None:
            return None
        if request.GET.get("do") == "lift":
            values["level"] = OrderForm.LIFT
    if basis is None:
        return None
    values.setdefault("level", str(basis.level.value) if basis.level else OrderForm.LIFT)
    values.setlist("towns", [str(town) for town in basis.towns])
    values["reason"] = basis.reason
    if draft:
        values["seen"] = str(draft.version)
        for code, text in draft.notes.items():
            values[f"note_{code}"] = text
            values[f"checked_{code}"] = draft.notes_checked.get(code, "")
    return values


def _form(
    request: HttpRequest,
    form: OrderForm,
    draft: OrderView | None,
    *,
    faults: Collection[str] = (),
    added: Collection[int] = (),
    changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    data: Any = form.data or {}
    listed = data.getlist("towns") if hasattr(data, "getlist") else []
    chosen = {int(town) for town in listed if town.isdecimal()} | set(added)
    seen = draft.version if draft and (changed or "seen" not in data) else data.get("seen", "")
    context = {
        "page": "orders",
        "form": data,
        "draft": draft,
        "seen": seen,
        "faults": faults,
        "other": present.order_page(draft.id, now=timezone.now()) if changed and draft else None,
        "added": present.names(added) if added else "",
        "groups": present.town_groups(chosen),
        "map": present.city_map(),
        "chosen": chosen,
        "levels": [(level, order_texts().name("ja", level)) for level in reversed(Level)],
        "reasons": [
            (one, order_texts().reason_name("ja", one)) for one in order_texts().plan.reasons
        ],
        "notes": [
            (one, data.get(f"note_{one.code}", ""), data.get(f"checked_{one.code}", ""))
            for one in LANGUAGES
        ],
    }
    return page(request, "order_form", context, status=status)


@require_http_methods(["GET", "HEAD"])
@never_cache
def order(request: HttpRequest, order: int) -> HttpResponse:
    """One order: whom it reaches, how it will look, who decides, what became of it."""
    require(request, Act.READ_CHRONOLOGY)
    return _page(request, order)


def _page(
    request: HttpRequest, number: int, *, fault: str = "", words: str = "", status: int = 200
) -> HttpResponse:
    found = present.order_page(number, now=timezone.now())
    if found is None:
        raise Http404
    mine = request.user.pk in found.composers
    context = {
        "page": "orders",
        "found": found,
        "mine": mine,
        "alone": mine and may(held(request), Act.ISSUE_ALONE),
        "fault": fault,
        "words": words,
        "drafted": found.order.stage == Order.Stage.DRAFT,
        "submitted": found.order.stage == Order.Stage.SUBMITTED,
        "issued": found.order.stage == Order.Stage.ISSUED,
    }
    return page(request, "order", context, status=status)


def _decide(
    act: Act, do: Callable[[int, DecisionForm, User], object], said: str
) -> Callable[..., HttpResponse]:
    """A view by which somebody decides about an order, and says how it went."""

    @require_POST
    @never_cache
    def decide(request: HttpRequest, order: int) -> HttpResponse:
        user = require(request, act)
        form = DecisionForm(request.POST)
        words = request.POST.get("words", "")
        if not form.is_valid():
            return _page(request, order, fault=form.fault, words=words, status=400)
        try:
            do(order, form, user)
        except ChangedError as error:
            return _page(request, order, fault=str(error), words=words, status=409)
        except OrderError as error:
            return _page(request, order, fault=str(error), words=words, status=400)
        messages.success(request, said)
        return redirect("back_office:order", order)

    return decide


def _submit(order: int, form: DecisionForm, by: User) -> None:
    services.submit(order=order, seen=form.cleaned_data["seen"], by=by, now=timezone.now())


def _issue(order: int, form: DecisionForm, by: User) -> None:
    said = form.cleaned_data
    services.issue(order=order, seen=said["seen"], by=by, now=timezone.now(), alone=said["words"])


def _turn_down(order: int, form: DecisionForm, by: User) -> None:
    said = form.cleaned_data
    services.turn_down(order=order, seen=said["seen"], why=said["words"], by=by, now=timezone.now())


def _discard(order: int, form: DecisionForm, by: User) -> None:
    services.discard(order=order, seen=form.cleaned_data["seen"], by=by, now=timezone.now())


def _withdraw(order: int, form: DecisionForm, by: User) -> None:
    services.withdraw(order=order, why=form.cleaned_data["words"], by=by, now=timezone.now())


def _review(order: int, form: DecisionForm, by: User) -> None:
    services.review(order=order, words=form.cleaned_data["words"], by=by, now=timezone.now())


submit = _decide(Act.COMPOSE, _submit, "承認を依頼しました。ほかの人が承認すると、発令されます。")
issue = _decide(Act.APPROVE, _issue, "発令しました。送信と公開が始まっています。")
turn_down = _decide(Act.APPROVE, _turn_down, "差し戻しました。理由は、作った人に見えます。")
discard = _decide(Act.COMPOSE, _discard, "取りやめました。記録は残ります。")
withdraw = _decide(
    Act.APPROVE, _withdraw, "誤りとして取り消しました。届いた人に、訂正を最優先で送っています。"
)
review = _decide(Act.APPROVE, _review, "確かめたことを記録しました。")


@require_POST
@never_cache
def told_by_hand(request: HttpRequest, order: int, outlet: str) -> HttpResponse:
    """Note that somebody has put the text where it belongs."""
    user = require(request, Act.COMPOSE)
    found = _draft(order)
    ready = present.ready_texts(found) if found else {}
    text = ready.get(outlet)
    if found is None or found.message is None or text is None:
        raise Http404
    new = delivery.told_by_hand(
        message=found.message,
        outlet=outlet,
        text="\n".join(filter(None, [text.title, text.body])),
        by=user,
        now=timezone.now(),
    )
    if new:
        messages.success(request, "手で送ったことを、台帳に記録しました。")
    else:
        messages.error(request, "もう記録してあります。")
    return redirect("back_office:order", order)
