"""Every component in every state, as residents see it: for whoever designs, writes or judges."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from policity.back_office.presenters import components as present
from policity.back_office.views.frame import require
from policity.foundations.accounts.policies import Act
from policity.kit.languages import BY_CODE, LANGUAGES


@require_safe
@never_cache
def components(request: HttpRequest) -> HttpResponse:
    """The page, in the language that is asked for."""
    require(request, Act.SEE_BOARD)
    language = BY_CODE.get(request.GET.get("language", ""), LANGUAGES[0])
    with translation.override(language.code):
        context = present.shown(language.code) | {
            "language": language,
            "all_languages": LANGUAGES,
            "city_name": "",
            "rest": "",
            "live": True,
        }
        return render(request, "back_office/components.html", context)
