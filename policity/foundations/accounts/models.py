"""Staff accounts. The user model is ours from the first migration."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A member of the city's staff who signs in."""

    display_name = models.CharField("表示名", max_length=100, blank=True)
    is_sample = models.BooleanField("見本", default=False, editable=False)

    class Meta(AbstractUser.Meta):
        verbose_name = "職員"
        verbose_name_plural = "職員"

    def __str__(self) -> str:
        return self.display_name or self.username
