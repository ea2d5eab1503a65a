"""Where residents send a comment, and see what became of it."""

from django.urls import URLPattern, URLResolver, include, path

from policity.foundations.city_plan import views
from policity.kit.languages import LANGUAGES

_PAGES: list[URLPattern | URLResolver] = [
    path("send/<int:number>/", views.send),
    path("me/<str:link>/", views.mine),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{language.prefix[1:]}plan/comments/", include(_PAGES), {"language": language})
    for language in LANGUAGES
]
