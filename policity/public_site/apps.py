from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.public_site"
