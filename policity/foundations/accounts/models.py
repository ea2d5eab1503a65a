"""Staff accounts and what each may do. The user model is ours from the first migration."""

from datetime import date
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q


class User(AbstractUser):  # type: ignore[django-manager-missing]  # Wagtail is untyped
    """A member of staff who signs in. `is_sample`: a made-up one, for the demo (見本)."""

    display_name = models.CharField("表示名", max_length=100, blank=True)
    is_sample = models.BooleanField("見本", default=False, editable=False)

    class Meta(AbstractUser.Meta):
        verbose_name = "職員"
        verbose_name_plural = "職員"

    def __str__(self) -> str:
        return self.display_name or self.username


class Role(models.TextChoices):
    """What a person is there for."""

    ADMINISTRATOR = "administrator", "管理者"
    COMMANDER = "commander", "本部（承認）"
    DUTY_OFFICER = "duty_officer", "当直（防災）"
    SITE_STAFF = "site_staff", "避難所の担当"
    EDITOR = "editor", "広報（ページを書く）"
    PUBLISHER = "publisher", "ページの承認"
    VIEWER = "viewer", "閲覧"
    AGENCY = "agency", "関係機関（消防・警察など）"
    PLANNER = "planner", "企画（計画の評価）"
    ASSESSOR = "assessor", "評価委員（外部の専門家も）"
    STEERING = "steering", "推進本部（計画の決定）"

    @property
    def by_town(self) -> bool:
        """Whether it can be held for some towns: all that it does is done in one of them."""
        return self is Role.SITE_STAFF


class Department(models.Model):
    """A department of the city hall (課); `slug` is what its pages' addresses and grants name."""

    slug = models.SlugField("英字の名前", max_length=50, unique=True)
    name = models.CharField("名前", max_length=100)

    class Meta:
        verbose_name = "課"
        verbose_name_plural = "課"

    def __str__(self) -> str:
        return self.name


class RoleGrantQuerySet(models.QuerySet["RoleGrant"]):
    """Grants in the words of the personnel office."""

    def on(self, day: date) -> "RoleGrantQuerySet":
        """Those that hold on a day."""
        return self.filter(starts__lte=day).filter(Q(ends__isnull=True) | Q(ends__gte=day))


class RoleGrant(models.Model):
    """A role, for a time, for the whole city or for some of its towns.

    `towns` holds towns' names as the city's own table has them (its codes where it has codes),
    not keys: a grant outlives a reload of the table. Empty: the whole city. `departments` holds
    departments' slugs: whose pages an editor or a publisher works on. Empty: everybody's.
    """

    user = models.ForeignKey(User, related_name="grants", on_delete=models.CASCADE)
    role = models.CharField(max_length=20, choices=Role.choices)
    towns = models.JSONField(default=list, blank=True)
    # None: none named, as in grants of versions that knew no departments.
    departments = models.JSONField(blank=True, null=True)
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "starts"])]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"


class Failure(models.Model):
    """A sign-in that failed, kept as long as it is counted.

    `name` is a keyed digest of what was typed: that may have been a password by mistake.
    `address` is whose it is (`kit.network.place`), empty where it is not known.
    """

    name = models.CharField(max_length=32)
    address = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField(db_index=True)
    is_code = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["name", "at"]),
            models.Index(fields=["address", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.at}"


class Seal(models.Model):
    """A code in an envelope, for the night on which nobody else can be reached (break-glass).

    Only its digest is kept. Opened once, it holds until `until`; then it must be sealed anew.
    """

    sealed_at = models.DateTimeField()
    sealed_by = models.CharField(max_length=150, blank=True)
    digest = models.CharField(max_length=64)
    opened_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.sealed_at}"


class AuditEntry(models.Model):
    """One thing that somebody did. Append-only, each chained to the one before (`rules.chain`).

    `by` is a user name, empty for the machine; names, not keys: an entry outlives everything.
    `act` is "room.what", `on` what it was done to ("alerts.order:12"), `detail` JSON as it was
    digested. Nobody's particulars but those of staff stand in it.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=150, blank=True, db_index=True)
    act = models.CharField(max_length=50)
    on = models.CharField(max_length=100, blank=True)
    detail = models.TextField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.number} {self.act}"


class AuditHead(models.Model):
    """The end of the trail, in one row: whoever writes an entry holds it, so that none forks."""

    number = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return str(self.number)
