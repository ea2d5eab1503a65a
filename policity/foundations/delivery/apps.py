from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.foundations.delivery"

    def ready(self) -> None:
        from policity.foundations.delivery.services import accounts
        from policity.foundations.residents import signals

        signals.link_wanted.connect(accounts.on_link_wanted, dispatch_uid="delivery")
        signals.left.connect(accounts.on_left, dispatch_uid="delivery")
