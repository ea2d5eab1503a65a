"""Pictures and documents of the public site. Both models are ours from the first migration."""

from django.db import models
from wagtail.documents.models import AbstractDocument, Document
from wagtail.images.models import AbstractImage, AbstractRendition, Image


class CityImage(AbstractImage):
    """A picture, with the credit under which the city may show it."""

    credit = models.CharField("提供", max_length=200, blank=True)

    admin_form_fields = (*Image.admin_form_fields, "credit")


class CityRendition(AbstractRendition):
    """A picture in one size and format."""

    image = models.ForeignKey(CityImage, related_name="renditions", on_delete=models.CASCADE)

    class Meta:
        unique_together = (("image", "filter_spec", "focal_point_key"),)


class CityDocument(AbstractDocument):
    """A file offered for download."""

    admin_form_fields = Document.admin_form_fields
