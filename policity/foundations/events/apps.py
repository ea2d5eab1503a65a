from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.foundations.events"

    def ready(self) -> None:
        """Whoever leaves the city's lists leaves the lines, too."""
        from policity.foundations.events.services.leaving import in_a_line, on_left
        from policity.foundations.residents import signals

        signals.left.connect(on_left, dispatch_uid="events")
        signals.needed.connect(in_a_line, dispatch_uid="events")
