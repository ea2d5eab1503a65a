"""Short links: made, counted, ended."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.links import LinkForm
from policity.back_office.presenters import links as present
from policity.back_office.presenters.people import picture
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.sharing import queries, services
from policity.foundations.sharing.presenters import poster as draw_poster
from policity.foundations.sharing.queries import LinkView
from policity.foundations.sharing.rules import own_address


@require_http_methods(["GET", "POST"])
@never_cache
def links(request: HttpRequest) -> HttpResponse:
    """Every link with how often it was opened; and a new one."""
    user = require(request, Act.KEEP_LINKS)
    sent = request.POST if request.method == "POST" else None
    # A page, or whoever wrote it, leads here with its own address.
    asked = request.GET.get("address", "")
    of = (asked and own_address(asked, settings.PUBLIC_URL)) or ""
    form = LinkForm(sent, initial={"address": of})
    faults = form.faults
    if form.is_valid():
        try:
            made = services.make(**form.cleaned_data, by=user, now=timezone.now())
        except services.LinkRefused as error:
            faults = [str(error)]
        else:
            messages.success(request, "短いアドレスを作りました。")
            return redirect("back_office:link", made.pk)
    today, most = timezone.localdate(), queries.MOST
    found = queries.links(today=today, address=of, most=most)
    pages = () if of else queries.pages(today=today, most=most)
    context = {
        "links": found, "pages": pages, "of": of, "form": form, "faults": faults, "most": most,
    }  # fmt: skip
    return page(request, "links", context, status=400 if faults else 200)


@require_safe
@never_cache
def link(request: HttpRequest, number: int) -> HttpResponse:
    """One link: its code to scan, and its openings by day."""
    require(request, Act.KEEP_LINKS)
    found = _found(number)
    context = {
        "link": found,
        "code": picture(found.url, f"{found.words} のQRコード"),
        "days": present.days(number),
    }
    return page(request, "link", context)


@require_safe
@never_cache
def as_csv(request: HttpRequest, of: str) -> HttpResponse:
    """The figures for a spreadsheet: of links, of pages, or of days."""
    require(request, Act.KEEP_LINKS)
    answer = HttpResponse(present.TABLES[of](), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{of}.csv"'
    return answer


@require_safe
@never_cache
def code(request: HttpRequest, number: int) -> HttpResponse:
    """The code to scan, as a file."""
    require(request, Act.KEEP_LINKS)
    found = _found(number)
    answer = HttpResponse(present.drawing(found), content_type="image/svg+xml")
    answer["Content-Disposition"] = f'attachment; filename="{found.code}.svg"'
    return answer


@require_safe
@never_cache
def poster(request: HttpRequest, number: int) -> HttpResponse:
    """A poster for the page, to print. Made anew each time: the page may say something else."""
    require(request, Act.KEEP_LINKS)
    found = _found(number)
    drawn = draw_poster(found)
    if drawn is None:
        messages.error(request, "このページは、もう公開されていません。ポスターは作れません。")
        return redirect("back_office:link", number)
    answer = HttpResponse(drawn, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{found.code}.pdf"'
    return answer


def _pressed(verb: Callable[..., None], done: str) -> Callable[..., HttpResponse]:
    """A button about a link: done, said, and back to it."""

    @require_http_methods(["GET", "POST"])
    @never_cache
    @wraps(verb)
    def answer(request: HttpRequest, number: int) -> HttpResponse:
        user = require(request, Act.KEEP_LINKS)
        _found(number)
        if request.method == "POST":
            try:
                verb(number=number, by=user, now=timezone.now())
            except services.LinkRefused as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
        return redirect("back_office:link", number)

    return answer


end = _pressed(services.end, "終わりにしました。開いても、ページには行きません。")
resume = _pressed(services.resume, "また使えるようにしました。")


def _found(number: int) -> LinkView:
    """The link of a number. Raises Http404."""
    found = queries.links(today=timezone.localdate(), number=number)
    if not found:
        raise Http404
    return found[0]
