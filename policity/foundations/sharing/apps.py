from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.foundations.sharing"
