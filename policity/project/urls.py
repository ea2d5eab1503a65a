"""Addresses that the application itself answers. Everything else is a published file."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from policity.back_office.views.health import metrics
from policity.project import health
from policity.project.settings.installed import ADDRESSES, at_work

urlpatterns: list[URLPattern | URLResolver] = [
    path("readyz", health.ready),
    path("metrics", metrics, name="metrics"),
    *(
        path(begins, include(f"{app}.urls"))
        for begins, app in ADDRESSES
        if at_work(app, settings.ROLE)
    ),
]

handler400 = "policity.project.refusals.bad_request"
handler403 = "policity.project.refusals.forbidden"
handler404 = "policity.project.refusals.not_found"
