"""Where residents register, and where their links lead, in each language of the site."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from policity.foundations.residents import views
from policity.kit.languages import LANGUAGES

_PAGES: list[URLPattern | URLResolver] = [
    path("register/", views.register),
    path("register/done/", views.registered),
    path("register/done/<str:link>/", views.registered_at_once),
    path("me/confirm/<str:link>/", views.confirm),
    path("me/leave/<str:link>/", views.leave),
    path("me/<str:link>/", views.settings),
    path("me/<str:link>/choices/", views.choices),
    path("me/<str:link>/place/", views.place),
    path("me/<str:link>/removed/", views.removed),
    path("me/<str:link>/mail/", views.mail),
    path("me/<str:link>/push/", views.push),
    path("me/<str:link>/push-off/", views.push_off),
    # With its slash at the end: one that lost it is led to the page it is an address of.
    re_path(r"^(?:me|register)/(?:.*/)?$", views.nowhere),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path(language.prefix[1:], include(_PAGES), {"language": language}) for language in LANGUAGES
]
