from django.db import models


class Person(models.Model):
    """Somebody in need, by name."""

    name = models.CharField(max_length=100)
    town = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name
