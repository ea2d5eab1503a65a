from django.db import models


class Count(models.Model):
    town = models.CharField(max_length=100)
    people = models.IntegerField()

    def __str__(self) -> str:
        return self.town
