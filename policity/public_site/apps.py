from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save, pre_delete


class Config(AppConfig):
    name = "policity.public_site"

    def ready(self) -> None:
        from wagtail.contrib.redirects.models import Redirect
        from wagtail.models import ModelLogEntry, PageLogEntry
        from wagtail.signals import page_slug_changed, post_page_move

        from policity.foundations.publishing.models import CityDocument, CityImage
        from policity.public_site import models
        from policity.public_site.presenters.content import preview
        from policity.public_site.services import showing, telling

        models.TreePage.previewed = preview

        for page in (
            models.HomePage,
            models.SectionPage,
            models.ArticlePage,
            models.TranslationPage,
        ):
            post_save.connect(showing.saved, sender=page)
            pre_delete.connect(showing.deleted, sender=page)
        page_slug_changed.connect(showing.moved)
        post_page_move.connect(showing.moved)
        for changed, sender in (
            (showing.picture_changed, CityImage),
            (showing.file_changed, CityDocument),
            (showing.reading_changed, models.Reading),
            (showing.old_address_changed, Redirect),
        ):
            post_save.connect(changed, sender=sender)
            post_delete.connect(changed, sender=sender)
        for log in (PageLogEntry, ModelLogEntry):
            post_save.connect(telling.logged, sender=log)
