"""Words that mean the same to the search: looked at, tried, added, ended."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from policity.back_office.forms.words import WordsForm
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.search import queries
from policity.foundations.search.forms import SearchForm
from policity.foundations.search.services import wording
from policity.kit.languages import LANGUAGES


@require_http_methods(["GET", "POST"])
@never_cache
def words(request: HttpRequest) -> HttpResponse:
    """Every group; a word to try; and a new group."""
    user = require(request, Act.KEEP_WORDS)
    form = WordsForm(request.POST if request.method == "POST" else None)
    faults = form.faults
    if form.is_valid():
        try:
            wording.keep(**form.cleaned_data, by=user, now=timezone.now())
        except wording.WordsRefused as error:
            faults = [str(error)]
        else:
            messages.success(request, "足しました。次の検索から使います。")
            return redirect("back_office:words")
    asked = SearchForm(request.GET)
    asked.is_valid()
    found = queries.search(asked.typed, LANGUAGES[0].code) if asked.typed else None
    groups = queries.synonyms()
    context = {
        "form": form, "faults": faults, "typed": asked.typed, "found": found,
        "kept": [one for one in groups if one.by], "theirs": [one for one in groups if not one.by],
    }  # fmt: skip
    return page(request, "words", context, status=400 if faults else 200)


def _pressed(verb: Callable[..., None], done: str) -> Callable[..., HttpResponse]:
    """A button about a group: done, said, and back to the page."""

    @require_http_methods(["GET", "POST"])
    @never_cache
    def answer(request: HttpRequest) -> HttpResponse:
        user = require(request, Act.KEEP_WORDS)
        form = WordsForm(request.POST)
        if request.method == "POST" and form.is_valid():
            try:
                verb(**form.cleaned_data, by=user, now=timezone.now())
            except wording.WordsRefused as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
        return redirect("back_office:words")

    return answer


end = _pressed(wording.end, "終わりにしました。次の検索から使いません。")
resume = _pressed(wording.keep, "また使います。")
