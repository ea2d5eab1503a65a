from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.foundations.city_plan"

    def ready(self) -> None:
        from policity.foundations.city_plan.services import showing
        from policity.foundations.publishing import signals

        signals.comparing.connect(showing.on_comparing, dispatch_uid="city_plan")
