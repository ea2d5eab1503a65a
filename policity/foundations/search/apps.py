from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.foundations.search"

    def ready(self) -> None:
        from policity.foundations.publishing import signals
        from policity.foundations.search.services import indexing, noting

        signals.written.connect(noting.on_written, dispatch_uid="search")
        signals.comparing.connect(indexing.on_comparing, dispatch_uid="search")
