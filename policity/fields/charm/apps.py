from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.fields.charm"

    def ready(self) -> None:
        """A picture that changes or goes does so on the pages that show it; who leaves is told
        nothing more of what they sent.
        """
        from django.db.models.signals import post_save, pre_delete

        from policity.fields.charm.services import picture_changed
        from policity.fields.charm.services.fading import on_left, to_be_told
        from policity.foundations.publishing.models import CityImage
        from policity.foundations.residents import signals

        post_save.connect(picture_changed, sender=CityImage, dispatch_uid="charm")
        # Before it goes: afterwards nobody knows who showed it.
        pre_delete.connect(picture_changed, sender=CityImage, dispatch_uid="charm")
        signals.left.connect(on_left, dispatch_uid="charm")
        signals.needed.connect(to_be_told, dispatch_uid="charm")
