from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.foundations.accounts"

    def ready(self) -> None:
        """Signing in and out leaves a trace."""
        from django.contrib.auth import signals

        from policity.foundations.accounts.services import audit

        signals.user_logged_in.connect(audit.signed_in, dispatch_uid="audit")
        signals.user_logged_out.connect(audit.signed_out, dispatch_uid="audit")
        signals.user_login_failed.connect(audit.sign_in_failed, dispatch_uid="audit")
