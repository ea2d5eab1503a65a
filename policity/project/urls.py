"""Addresses that the application itself answers. Everything else is a published file."""

from django.urls import URLPattern, URLResolver, include, path

from policity.project import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("readyz", health.ready),
    path("", include("policity.foundations.delivery.urls")),
    path("staff/", include("policity.back_office.urls")),
    path("", include("policity.foundations.residents.urls")),
]
