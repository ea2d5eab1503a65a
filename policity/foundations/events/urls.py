"""Where residents sign up, and where their links lead, in each language of the site."""

from django.urls import URLPattern, URLResolver, include, path

from policity.foundations.events import views
from policity.kit.languages import LANGUAGES

_PAGES: list[URLPattern | URLResolver] = [
    path("register/<int:time>/", views.register),
    path("register/done/", views.registered),
    path("me/join/<str:link>/", views.join),
    path("me/<str:link>/", views.mine),
    path("me/<str:link>/sign-up/", views.sign_up),
    path("me/<str:link>/cancel/", views.cancel),
    path("me/<str:link>/<int:number>/", views.answer),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{language.prefix[1:]}events/", include(_PAGES), {"language": language})
    for language in LANGUAGES
]
