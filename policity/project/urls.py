"""Addresses that the application itself answers. Everything else is a published file."""

from django.urls import URLPattern, URLResolver, include, path

from policity.project import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("readyz", health.ready),
    path("staff/", include("policity.back_office.urls")),
]
