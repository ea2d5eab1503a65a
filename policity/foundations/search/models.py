"""What can be found: a row for each document that a published page offers."""

from django.db import models

from policity.foundations.accounts.models import User


class Entry(models.Model):
    """A document on a published page. Rows follow the pages; the index follows the rows.

    `page` is the published address that offers it, `address` where it leads. `title_signs` and
    `text_signs` are what readers of the published files find it by (rules.static), separated by
    spaces; empty until it is in the index.
    """

    page = models.CharField(max_length=400)
    address = models.CharField(max_length=500)
    code = models.CharField(max_length=10)
    kind = models.CharField(max_length=100, blank=True)
    section = models.CharField(max_length=100, blank=True)
    title = models.TextField()
    text = models.TextField(blank=True)
    day = models.DateField(null=True)
    now = models.BooleanField(default=False)
    listed = models.BooleanField(default=True)
    title_signs = models.TextField(blank=True)
    text_signs = models.TextField(blank=True)

    class Meta:
        constraints = (
            # A page that is written or taken away asks for what it offered.
            models.UniqueConstraint(fields=["page", "address"], name="entry_once"),
        )
        indexes = (
            # The files of a language are made of its documents, in order.
            models.Index(fields=["code", "id"], name="entry_language"),
        )

    def __str__(self) -> str:
        return self.title


class Synonyms(models.Model):
    """Expressions that say the same, as staff keep them: a line for each in `words`.

    `key` is the same for the same expressions, however they are written. One that is ended counts
    no more, in the file of words (formats.thesaurus) neither.
    """

    key = models.CharField(max_length=1000, unique=True)
    words = models.TextField()
    kept_by = models.ForeignKey(User, related_name="+", on_delete=models.PROTECT)
    kept_at = models.DateTimeField()
    ended = models.BooleanField(default=False)

    class Meta:
        # A question needs them all.
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.words
