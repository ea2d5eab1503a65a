"""Where searching is answered, in each language of the site."""

from django.urls import URLPattern, URLResolver, include, path

from policity.foundations.search import views
from policity.kit.languages import LANGUAGES

_PAGES: list[URLPattern | URLResolver] = [
    path("search/", views.search),
    path("search/suggest/", views.suggest),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path(language.prefix[1:], include(_PAGES), {"language": language}) for language in LANGUAGES
]
