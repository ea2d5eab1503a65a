"""What changes in the tree is marked stale in the same transaction, by Django's and Wagtail's own
signals: whoever changes it, in whichever way.
"""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from wagtail.models import Page

from policity.foundations.publishing.models import CityDocument, CityImage
from policity.foundations.publishing.services import mark_stale, pictures
from policity.kit.sides import Side, works
from policity.public_site import rules
from policity.public_site.formats import mentioned
from policity.public_site.models import (
    ArticlePage,
    HomePage,
    SectionPage,
    Shown,
    TranslationPage,
    TreePage,
)
from policity.public_site.queries import stored
from policity.public_site.rules import Kind
from policity.public_site.services.editing import settle

# A draft changes none of these.
_SEEN = frozenset({"live", "title", "slug", "url_path", "path", "body", "lead"})


def saved(
    sender: type[TreePage],
    instance: TreePage,
    update_fields: Any = None,
    raw: bool = False,
    **_: Any,
) -> None:
    """Hears that a page was saved: as it is now, it is seen or no longer."""
    if raw or (update_fields is not None and not _SEEN & set(update_fields)):
        return
    with transaction.atomic():
        note(instance)
        _mark(_keys(instance))
    if isinstance(instance, SectionPage):
        settle(instance)


def note(page: TreePage) -> None:
    """Note which pictures and files a page shows; each size of a picture is made now."""
    Shown.objects.filter(page=page.pk).delete()
    if not page.live:
        return
    found = mentioned(stored(page))
    there = pictures.ready(found.pictures)
    files = CityDocument.objects.filter(pk__in=found.files).values_list("pk", flat=True)
    Shown.objects.bulk_create(
        [
            *(Shown(page_id=page.pk, picture_id=number) for number in there),
            *(Shown(page_id=page.pk, file_id=number) for number in files),
        ]
    )


def _keys(page: TreePage) -> set[str]:
    """What is made from a page: itself, where it is listed, and what it shows."""
    found = mentioned(stored(page))
    keys = {rules.picture_key(number) for number in found.pictures}
    keys |= {rules.file_key(number) for number in found.files} | {rules.FILES}
    parent = page.get_parent()
    if isinstance(page, TranslationPage):
        keys |= {rules.page_key(parent.pk)} if parent else set()
        return keys | {rules.HOME}
    keys |= {rules.page_key(page.pk), rules.OLD_ADDRESSES}
    if parent:
        keys.add(rules.children_key(parent.pk))
    if isinstance(page, ArticlePage):
        keys.add(rules.kind_key(Kind(page.kind)))
    if isinstance(page, HomePage):
        keys.add(rules.HOME)
    return keys


def deleted(sender: type[TreePage], instance: TreePage, **_: Any) -> None:
    """Hears that a page is about to be deleted."""
    _mark(_keys(instance))


def moved(sender: type[Page], instance: Page, **more: Any) -> None:
    """Hears that a page stands elsewhere, or answers at another address, with all below it."""
    below = Page.objects.filter(path__startswith=instance.path).values_list("pk", flat=True)
    parents = {more.get("parent_page_before"), more.get("parent_page_after"), instance.get_parent()}
    _mark(
        {rules.tree_key(instance.pk), rules.OLD_ADDRESSES}
        | {rules.page_key(number) for number in below}
        | {rules.children_key(parent.pk) for parent in parents if parent}
    )


def picture_changed(sender: type[CityImage], instance: CityImage, **_: Any) -> None:
    """Hears that a picture, or what is said of it, changed or goes.

    Its sizes are made when that is written: who publishes it later makes nobody's writing wait.
    """
    _mark({rules.picture_key(instance.pk)})
    transaction.on_commit(partial(pictures.ready, {instance.pk}))


def file_changed(sender: type[CityDocument], instance: CityDocument, **_: Any) -> None:
    """Hears that a file changed or goes."""
    _mark({rules.file_key(instance.pk), rules.FILES})


def reading_changed(sender: object, **_: Any) -> None:
    """Hears that a word is read otherwise."""
    _mark({rules.READINGS})


def old_address_changed(sender: object, **_: Any) -> None:
    """Hears that a redirect changed or goes."""
    _mark({rules.OLD_ADDRESSES})


def _mark(keys: set[str]) -> None:
    if works(Side.INTERNET, settings.ROLE):
        mark_stale(keys, now=timezone.now())
