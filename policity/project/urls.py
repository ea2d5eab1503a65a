"""Addresses that the application itself answers. Everything else is a published file."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
