"""Where staff write pages: Wagtail's own, below /staff/content/, without its doors."""

from django.urls import include, path
from wagtail.admin import urls as wagtail_urls
from wagtail.utils.urlpatterns import decorate_urlpatterns

from policity.public_site import views

SHUT = ("account", "password_reset", "users", "groups", "logout", "failwhale", "test404")

_ours = [
    path("login/", views.signed_in),
    *(path(f"{name}/", views.shut) for name in SHUT),
    *(path(f"{name}/<path:rest>", views.shut) for name in SHUT),
    path("static/<path:name>", views.static),
    path("media/<path:name>", views.media),
]
urlpatterns = decorate_urlpatterns([*_ours, path("", include(wagtail_urls))], views.entered)
