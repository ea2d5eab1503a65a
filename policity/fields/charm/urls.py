"""Where residents send photographs, withdraw them, and say what is wrong with one."""

from django.urls import URLPattern, URLResolver, include, path

from policity.fields.charm import views
from policity.kit.languages import LANGUAGES

_PAGES: list[URLPattern | URLResolver] = [
    path("send/", views.send),
    path("me/<str:link>/", views.mine),
    path("report/<int:number>/", views.report),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{language.prefix[1:]}charm/photographs/", include(_PAGES), {"language": language})
    for language in LANGUAGES
]
