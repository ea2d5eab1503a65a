"""Searching, where the application answers: the published page takes its place when it is away."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.views.decorators.http import require_safe

from policity.foundations.places.queries import NoCity
from policity.foundations.publishing.formats import page
from policity.foundations.search import presenters, queries
from policity.foundations.search.forms import SearchForm
from policity.kit.languages import Language

View = Callable[[HttpRequest, Language, SearchForm], HttpResponse]


def _open(view: View) -> Callable[[HttpRequest, Language], HttpResponse]:
    """For everybody, in the language of the address. What somebody looks for is kept nowhere."""

    @login_not_required
    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, language: Language) -> HttpResponse:
        form = SearchForm(request.GET)
        form.is_valid()
        with translation.override(language.code):
            try:
                response = view(request, language, form)
            except NoCity:
                response = HttpResponse(status=503)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    return answer


@_open
def search(request: HttpRequest, language: Language, form: SearchForm) -> HttpResponse:
    """What was found, or the page that asks."""
    if not form.typed:
        context = presenters.unasked(language.code)
        return HttpResponse(page("search/search.html", language, "search/", context))
    results = queries.search(form.typed, language.code, within=form.within, page=form.page)
    context = presenters.answered(
        results, form.typed, language.code, within=form.within, page=form.page
    )
    rest = f"search/?{urlencode({'q': form.typed})}"
    return HttpResponse(page("search/search.html", language, rest, context))


@_open
def suggest(request: HttpRequest, language: Language, form: SearchForm) -> HttpResponse:
    """Titles for what is being typed."""
    return JsonResponse({"titles": queries.suggest(form.typed, language.code)})
