"""Residents register, confirm, change and leave. No cookie, no session: a link is the permission.

A GET records nothing, since mail scanners open links: whatever changes something is a POST.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from policity.foundations.places.queries import NoCity
from policity.foundations.publishing.formats import page
from policity.foundations.residents import presenters, queries, services
from policity.foundations.residents.forms import (
    LanguageForm,
    MailForm,
    PlaceForm,
    PushForm,
    RegisterForm,
    RemovalForm,
)
from policity.foundations.residents.presenters import Here
from policity.foundations.residents.queries import Registration
from policity.foundations.residents.rules.links import BadLink, Purpose
from policity.kit.languages import BY_CODE, Language

View = Callable[..., HttpResponse]
NOT_FOUND, GONE, NOT_YET = 404, 410, 503
REST = "register/"


def opened(rest: str) -> Callable[[View], View]:
    """A page of the public site that the application answers itself, in its address's language.

    Where no city is loaded it says so, at `rest`.
    """

    def decorate(view: View) -> View:
        @login_not_required
        # Nothing here rests on a cookie that another site could use: a link is the permission, and
        # whoever registers or signs up has none.
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def answer(request: HttpRequest, language: Language, **parts: Any) -> HttpResponse:
            with translation.override(language.code):
                try:
                    response = view(request, language, **parts)
                except NoCity:
                    body = page("residents/no_city.html", language, rest, {"city_name": ""})
                    response = HttpResponse(body, status=NOT_YET)
            response["Cache-Control"] = "no-store"
            response["Referrer-Policy"] = "no-referrer"
            response["X-Robots-Tag"] = "noindex"
            return response

        return answer

    return decorate


def linked(
    purpose: Purpose, rest: str, otherwise: Callable[[Language, bool], HttpResponse]
) -> Callable[[View], View]:
    """For the holder of a link of this purpose, whose registration still stands.

    The view is given the link, the registration, and what the link is about. `otherwise` answers
    whoever holds none, and where somebody has left since (True).
    """

    def decorate(view: View) -> View:
        @opened(rest)
        @wraps(view)
        def answer(
            request: HttpRequest, language: Language, link: str, **parts: Any
        ) -> HttpResponse:
            try:
                resident, about = queries.holder(purpose, link)
            except BadLink:
                return otherwise(language, False)
            who = queries.registration(resident)
            if who is None:
                return otherwise(language, True)
            return view(request, language, link, who, about, **parts)

        return answer

    return decorate


def _open(view: View) -> View:
    """A page of registering, which knows the city's towns."""

    @opened(REST)
    @wraps(view)
    def answer(request: HttpRequest, language: Language, **parts: str) -> HttpResponse:
        return view(request, language, presenters.here(), **parts)

    return answer


def _linked(purpose: Purpose) -> Callable[[View], View]:
    """One that its holder's link opens."""

    def decorate(view: View) -> View:
        @linked(purpose, REST, _no_link)
        @wraps(view)
        def answer(
            request: HttpRequest, language: Language, link: str, who: Registration, about: int
        ) -> HttpResponse:
            return view(request, language, presenters.here(), link, who)

        return answer

    return decorate


def _no_link(language: Language, gone: bool) -> HttpResponse:
    said = presenters.broken(gone=gone)
    return _broken(language, presenters.here(), said, GONE if gone else NOT_FOUND)


@_open
def register(request: HttpRequest, language: Language, where: Here) -> HttpResponse:
    """One page, done in under a minute."""
    form = RegisterForm(request.POST if request.method == "POST" else None, **where.names)
    if form.is_valid():
        resident = services.register(language=language.code, now=timezone.now(), **form.chosen())
        # Whoever gave a mail address learns nothing yet: it may be somebody else's.
        link = "" if form.cleaned_data["email"] else queries.link(Purpose.CHANGE, resident) + "/"
        return HttpResponseRedirect(f"{language.prefix}register/done/{link}")
    context = presenters.register(form, where, language.code)
    return _page("register", language, where, "register/", context)


@_open
def registered(request: HttpRequest, language: Language, where: Here) -> HttpResponse:
    """What to do with the mail that is on its way, or why none may come."""
    return _page("registered", language, where, "register/done/", presenters.done(""))


@_linked(Purpose.CHANGE)
def registered_at_once(
    request: HttpRequest, language: Language, where: Here, link: str, who: Registration
) -> HttpResponse:
    """For whoever is reached by notifications alone: registered, and here is the link to keep."""
    rest = f"register/done/{link}/"
    return _page("registered", language, where, rest, presenters.done(link))


@_linked(Purpose.CONFIRM)
def confirm(
    request: HttpRequest, language: Language, where: Here, link: str, who: Registration
) -> HttpResponse:
    """One button. Pressed, the mail address is its owner's, and the settings open."""
    if request.method != "POST":
        return _page("confirm", language, where, f"me/confirm/{link}/", {"who": who})
    try:
        _, address = queries.holder(Purpose.CONFIRM, link)
        services.confirm_mail(resident=who.id, address=address, now=timezone.now())
    except services.BadRegistrationError as refusal:
        return _broken(language, where, presenters.expired(str(refusal)), GONE)
    return _to_settings(language, queries.link(Purpose.CHANGE, who.id), "confirmed")


@_open
def leave(request: HttpRequest, language: Language, where: Here, link: str) -> HttpResponse:
    """One button; or one click in a mail program, which is answered in one word (RFC 8058)."""
    try:
        resident, _ = queries.holder(Purpose.LEAVE, link)
    except BadLink:
        return _broken(language, where, presenters.broken(gone=False), NOT_FOUND)
    if request.method != "POST":
        if queries.registration(resident) is None:
            return _broken(language, where, presenters.broken(gone=True), GONE)
        return _page("leave", language, where, f"me/leave/{link}/", {})
    services.leave(resident=resident, now=timezone.now())
    if request.POST.get("List-Unsubscribe") == "One-Click":
        return HttpResponse("OK", content_type="text/plain; charset=utf-8")
    return _page("left", language, where, "register/", {})


@_linked(Purpose.CHANGE)
def settings(
    request: HttpRequest, language: Language, where: Here, link: str, who: Registration
) -> HttpResponse:
    """Everything somebody registered, each part with its own button."""
    return _settings(language, where, link, who, word=request.GET.get("done", ""))


@_open
def nowhere(request: HttpRequest, language: Language, where: Here) -> HttpResponse:
    """No page of ours; a link that was cut off, as a rule."""
    return _broken(language, where, presenters.broken(gone=False), NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Done:
    """How one of the settings' buttons went: its form, and the word for it if nothing was wrong."""

    name: str
    form: forms.Form
    word: str
    language: Language | None = None


def _button(verb: Callable[[QueryDict, Registration, Here], Done]) -> View:
    """One of the settings' buttons; opened by its address it leads back to the page."""

    @_linked(Purpose.CHANGE)
    @wraps(verb)
    def answer(
        request: HttpRequest, language: Language, where: Here, link: str, who: Registration
    ) -> HttpResponse:
        if request.method != "POST":
            return _to_settings(language, link)
        done = verb(request.POST, who, where)
        if done.form.errors:
            return _settings(language, where, link, who, bound={done.name: done.form})
        return _to_settings(done.language or language, link, done.word)

    return answer


@_button
def choices(sent: QueryDict, who: Registration, where: Here) -> Done:
    """What to hear about, when not, and in which language."""
    form = LanguageForm(sent, wants=who.wants)
    if not form.is_valid():
        return Done("choices", form, "")
    names = ("language", "wants", "quiet", "born")
    chosen = {name: form.cleaned_data[name] for name in names}
    services.change(resident=who.id, now=timezone.now(), **chosen)
    return Done("choices", form, "choices", BY_CODE[chosen["language"]])


@_button
def place(sent: QueryDict, who: Registration, where: Here) -> Done:
    """One more place to watch."""
    form = PlaceForm(sent, **where.names)
    if form.is_valid():
        town, label = form.cleaned_data["town"], form.cleaned_data["label"]
        with _refused(form, "town"):
            services.add_place(resident=who.id, town=town, label=label, now=timezone.now())
    return Done("place", form, "place")


@_button
def removed(sent: QueryDict, who: Registration, where: Here) -> Done:
    """One place less."""
    form = RemovalForm(sent)
    if form.is_valid():
        with _refused(form):
            services.remove_place(
                resident=who.id, place=form.cleaned_data["place"], now=timezone.now()
            )
    return Done("places", form, "removed")


@_button
def mail(sent: QueryDict, who: Registration, where: Here) -> Done:
    """Another mail address."""
    form = MailForm(sent)
    if form.is_valid():
        email = form.cleaned_data["email"]
        with _refused(form, "email"):
            services.change_mail(resident=who.id, email=email, now=timezone.now())
    return Done("mail", form, "mail")


@_button
def push(sent: QueryDict, who: Registration, where: Here) -> Done:
    """Notifications of this browser."""
    form = PushForm(sent)
    if form.is_valid():
        services.set_push(resident=who.id, push=form.cleaned_data["push"], now=timezone.now())
    return Done("push", form, "push")


@_button
def push_off(sent: QueryDict, who: Registration, where: Here) -> Done:
    """No more notifications."""
    form = forms.Form(sent)
    with _refused(form):
        services.drop_push(resident=who.id, now=timezone.now())
    return Done("push_off", form, "push-off")


@contextmanager
def _refused(form: forms.Form, field: str | None = None) -> Iterator[None]:
    """What a service will not do is said beside the field, in the page's language."""
    try:
        yield
    except services.BadRegistrationError as refusal:
        form.add_error(field, gettext(str(refusal)))


def _settings(
    language: Language, where: Here, link: str, who: Registration, **more: Any
) -> HttpResponse:
    context = presenters.settings(who, where, language.code, **more)
    return _page("settings", language, where, f"me/{link}/", {**context, "link": link})


def _to_settings(language: Language, link: str, word: str = "") -> HttpResponse:
    return HttpResponseRedirect(f"{language.prefix}me/{link}/{'?done=' if word else ''}{word}")


def _broken(language: Language, where: Here, said: dict[str, Any], status: int) -> HttpResponse:
    return _page("broken", language, where, "register/", said, status)


def _page(
    name: str,
    language: Language,
    where: Here,
    rest: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    whose = {"city_name": presenters.city_name(where.city, language.code), "live": True}
    body = page(f"residents/{name}.html", language, rest, {**context, **whose})
    return HttpResponse(body, status=status)
