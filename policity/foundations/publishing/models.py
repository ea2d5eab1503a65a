"""What is published, and from what it was made; pictures and documents of the public site."""

from pathlib import PurePath
from typing import Any

from django.core.files.base import ContentFile
from django.db import models
from wagtail.documents.models import AbstractDocument, Document
from wagtail.images.models import AbstractImage, AbstractRendition, Image

from policity.foundations.publishing.formats import without_notes


class CityImage(AbstractImage):  # type: ignore[misc]
    """A picture, with the credit under which the city may show it."""

    credit = models.CharField("提供", max_length=200, blank=True)

    admin_form_fields = (*Image.admin_form_fields, "credit")
    file: Any

    def save(self, *args: Any, **kwargs: Any) -> None:
        """What was just uploaded is kept without what the camera noted: place, time, owner."""
        file: Any = self.file
        if file and not file._committed:
            body, ending = without_notes(file.file.read())
            self.file = ContentFile(body, f"{PurePath(file.name).stem}.{ending}")
            self.file_size = len(body)
            self._set_file_hash()
        super().save(*args, **kwargs)


class CityRendition(AbstractRendition):  # type: ignore[misc]
    """A picture in one size and format."""

    image = models.ForeignKey(CityImage, related_name="renditions", on_delete=models.CASCADE)

    class Meta:
        unique_together = (("image", "filter_spec", "focal_point_key"),)


class CityDocument(AbstractDocument):  # type: ignore[misc]
    """A file offered for download."""

    admin_form_fields = Document.admin_form_fields


class Page(models.Model):
    """A published address. Its file is the truth; the row says what is known of it.

    `digest` is the SHA-256 of the bytes in hexadecimal, empty while the page is on its way out.
    `dense`: its brotli file is as small as it gets.
    """

    address = models.CharField(max_length=400, unique=True)
    family = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, blank=True)
    rendered_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    dense = models.BooleanField(default=False)

    class Meta:
        indexes = (
            # The idle worker looks for the next page to recompress.
            models.Index(
                fields=["rendered_at"], name="page_not_dense", condition=models.Q(dense=False)
            ),
        )

    def __str__(self) -> str:
        return self.address


class PageKey(models.Model):
    """An object or a collection that a page was made from; or the address of its card."""

    page = models.ForeignKey(Page, related_name="keys", on_delete=models.CASCADE, db_index=False)
    key = models.CharField(max_length=200, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["page", "key"], name="page_key_once"),)

    def __str__(self) -> str:
        return self.key


class Change(models.Model):
    """One row that counts the times anything was marked stale.

    A page that is being rendered is not yet recorded with its new keys. If this number moved
    meanwhile, one of them may have changed unseen. `program` is what drew the whole site last
    (`services.looking_over`).
    """

    number = models.PositiveBigIntegerField(default=0)
    program = models.CharField(max_length=64, blank=True, db_default="")

    def __str__(self) -> str:
        return str(self.number)


class Showing(models.Model):
    """A change that urgent pages show, and when the last of them was written. Append-only."""

    marked_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            # The worker looks for what it has just finished.
            models.Index(fields=["id"], name="showing_open", condition=models.Q(shown_at=None)),
        )

    def __str__(self) -> str:
        return str(self.marked_at)
