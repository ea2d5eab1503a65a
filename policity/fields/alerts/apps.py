from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.fields.alerts"

    def ready(self) -> None:
        """Whoever was told of a story that goes on is not forgotten."""
        from policity.fields.alerts.queries.stories import on_open_stories
        from policity.foundations.delivery import signals

        signals.open_stories.connect(on_open_stories, dispatch_uid="alerts")
