from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.back_office"

    def ready(self) -> None:
        """Mails that accounts want to staff become work."""
        from policity.back_office.tasks import staff
        from policity.foundations.accounts import signals

        signals.mail_wanted.connect(staff.on_mail_wanted, dispatch_uid="back_office")
