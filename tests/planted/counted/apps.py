from django.apps import AppConfig


class Config(AppConfig):
    name = "tests.planted.counted"
