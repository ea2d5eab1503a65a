"""Addresses that the application itself answers. Everything else is a published file."""

from django.urls import URLPattern, URLResolver, include, path

from policity.back_office.views.health import metrics
from policity.project import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("readyz", health.ready),
    path("metrics", metrics, name="metrics"),
    path("", include("policity.foundations.delivery.urls")),
    path("staff/", include("policity.back_office.urls")),
    path("", include("policity.foundations.residents.urls")),
]
