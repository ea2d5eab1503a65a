"""A plan, its measures with their indicators, what was measured, and each year's sheet.

Figures have 18 digits, 4 of them after the point. SQLite keeps 15 exactly; nothing a city counts
has more.
"""

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import F, Q

from policity.foundations.accounts.models import Department, User
from policity.foundations.city_plan.rules.attaining import Direction, Reckoning
from policity.foundations.city_plan.rules.cycle import Act, Turn
from policity.foundations.city_plan.rules.spans import Length
from policity.foundations.city_plan.rules.stages import Kind


class Plan(models.Model):
    """A plan for some fiscal years. Several may stand side by side, and revisions of one.

    Years are the Western ones in which a fiscal year begins, the last included. `parent_name` is
    the plan above as it is called (総合計画); `parent` where that one is kept here, too. `revises`
    is the plan that this takes the place of. `scheme` names its grades (facts/schemes.toml).
    `is_sample`: made up, and marked so wherever it stands.
    """

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    subtitle = models.CharField(max_length=100, blank=True)
    first_year = models.PositiveSmallIntegerField()
    last_year = models.PositiveSmallIntegerField()
    vision = models.TextField(blank=True)
    principle = models.TextField(blank=True)
    parent_name = models.CharField(max_length=100, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, related_name="children", null=True)
    revises = models.ForeignKey("self", models.PROTECT, related_name="revisions", null=True)
    scheme = models.CharField(max_length=30)
    source = models.CharField(max_length=300, blank=True)
    is_sample = models.BooleanField(default=False)
    written_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(last_year__gte=F("first_year")), name="city_plan_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Facet(models.Model):
    """A side from which a plan orders its measures. `number` is its place among its kind."""

    class Kind(models.TextChoices):
        """Which side."""

        FIELD = "field", "分野"
        VIEWPOINT = "viewpoint", "視点"
        CHALLENGE = "challenge", "課題"
        GOAL = "goal", "目標"

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="facets", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    text = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["plan", "kind", "number"], name="city_plan_one_number_a_facet"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Measure(models.Model):
    """A measure (施策): one thing the city does about a field of its plan.

    `budget` is in yen, for all its years. `first_year` and `last_year` are its own where they are
    not the plan's; once a decision that it ends is published, `last_year` is that year. `schedule`
    (工程) has first year, last year and words of each phase. `stage` is the stage of use now
    (facts/stages.toml).
    """

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="measures", db_index=False)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    summary = models.TextField(blank=True)
    field = models.ForeignKey(Facet, models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", null=True)
    partners = models.CharField(max_length=200, blank=True)
    budget = models.PositiveBigIntegerField(null=True)
    first_year = models.PositiveSmallIntegerField()
    last_year = models.PositiveSmallIntegerField()
    schedule = models.JSONField(default=list, db_default=[])
    stage = models.CharField(max_length=20)
    is_sample = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "code"], name="city_plan_one_code_a_measure"),
        ]

    def __str__(self) -> str:
        return self.code


class Serving(models.Model):
    """That a measure serves a viewpoint, a challenge, or a goal of the plan above: the matrix."""

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="serves", db_index=False)
    facet = models.ForeignKey(Facet, models.PROTECT, related_name="served_by")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["measure", "facet"], name="city_plan_serves_once"),
        ]

    def __str__(self) -> str:
        return f"{self.measure_id} {self.facet_id}"


class Indicator(models.Model):
    """What a measure is judged by (評価指標).

    `adds_up`: a year's figure is the sum of its months. `method` says how it is counted. `metric`
    names what the system counts by itself (`kit.declare.Metric`); empty: people bring the figure.
    `splits` name how it is told apart ("town").
    """

    DIRECTIONS: ClassVar = {
        Direction.UP: "増やす",
        Direction.DOWN: "減らす",
        Direction.KEEP: "範囲に保つ",
    }
    RECKONINGS: ClassVar = {Reckoning.TARGET: "目標比", Reckoning.BASELINE: "基準から"}
    KINDS: ClassVar = {Kind.INPUT: "投入", Kind.OUTPUT: "活動", Kind.OUTCOME: "成果"}

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="indicators", db_index=False)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=7, choices=[(k.value, w) for k, w in KINDS.items()])
    unit = models.CharField(max_length=20)
    direction = models.CharField(
        max_length=4, choices=[(d.value, w) for d, w in DIRECTIONS.items()]
    )
    reckoning = models.CharField(
        max_length=8, choices=[(r.value, w) for r, w in RECKONINGS.items()]
    )
    adds_up = models.BooleanField(default=False)
    baseline = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    baseline_year = models.PositiveSmallIntegerField(null=True)
    splits = models.JSONField(default=list)
    method = models.TextField(blank=True)
    metric = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["measure", "code"], name="city_plan_one_code_an_indicator"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class KeptQuerySet(models.QuerySet[Any]):
    """Rows that are written once."""

    def update(self, **_: Any) -> NoReturn:
        """Nothing is written over."""
        raise TypeError(f"{self.model._meta.label} is append-only")

    def delete(self) -> NoReturn:
        """Nothing goes."""
        raise TypeError(f"{self.model._meta.label} is append-only")


class Kept(models.Model):
    """What is only ever added: the newest row of a subject counts, all are kept."""

    objects = KeptQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it. Raises TypeError where it is there already."""
        if not self._state.adding:
            raise TypeError(f"{self._meta.label} is append-only")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Nothing goes."""
        raise TypeError(f"{self._meta.label} is append-only")


class Target(Kept):
    """An indicator's target for a fiscal year: at least `low`, at most `high`. Append-only.

    One that changes an earlier one says why in `reason`.
    """

    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="targets", db_index=False)
    year = models.PositiveSmallIntegerField()
    low = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    high = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(low__isnull=False) | Q(high__isnull=False),
                name="city_plan_a_target_says_something",
            ),
            models.CheckConstraint(
                condition=Q(low=None) | Q(high=None) | Q(low__lte=F("high")),
                name="city_plan_low_is_not_above_high",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["indicator", "year"], name="city_plan_targets_of_a_year"),
        ]

    def __str__(self) -> str:
        return f"{self.indicator_id} {self.year}"


class Value(Kept):
    """What an indicator came to in a fiscal year. Append-only: a correction is another row.

    `number` is None where it was not measured, and `reason` says why. `split` and `part` name a
    part of the whole ("town", "泉町"), both empty for the whole. `months` of the year are in it.
    `evidence` is where the figure stands; `imported`: it came with a file.
    """

    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="values", db_index=False)
    year = models.PositiveSmallIntegerField()
    split = models.CharField(max_length=20, blank=True)
    part = models.CharField(max_length=50, blank=True)
    number = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    reason = models.CharField(max_length=300, blank=True)
    months = models.PositiveSmallIntegerField(default=12)
    evidence = models.CharField(max_length=300, blank=True)
    imported = models.BooleanField(default=False)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(number__isnull=False, reason="") | Q(number=None) & ~Q(reason=""),
                name="city_plan_a_figure_or_why_there_is_none",
            ),
            models.CheckConstraint(
                condition=Q(months__gte=1, months__lte=12), name="city_plan_a_year_has_12_months"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["indicator", "year"], name="city_plan_values_of_a_year"),
        ]

    def __str__(self) -> str:
        return f"{self.indicator_id} {self.year}"


class Snapshot(Kept):
    """What the system counted of a metric for a month or a fiscal year. Append-only.

    `version` is that of the method: another one counts the same span anew, beside this. `rows` is
    how many rows were counted, `left_out` how many were not, by why. `splits` has parts by their
    split: {"town": {"泉町": ["31.5", 420]}}, each with its number of rows. `number` is None where
    there was nothing to count, and `reason` says so.
    """

    metric = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    length = models.CharField(max_length=5, choices=[(one.value, one.value) for one in Length])
    begins = models.DateField()
    ends = models.DateField()
    number = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    reason = models.CharField(max_length=300, blank=True)
    rows = models.PositiveBigIntegerField()
    left_out = models.JSONField()
    splits = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["metric", "length", "begins", "version"],
                name="city_plan_one_snapshot_a_span",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.begins}"


class Deadline(models.Model):
    """The last day on which a turn of a plan's year should be taken."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="deadlines", db_index=False)
    year = models.PositiveSmallIntegerField()
    turn = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Turn])
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["plan", "year", "turn"], name="city_plan_one_deadline_a_turn"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.year} {self.turn}"


class Sheet(models.Model):
    """A measure's evaluation of one fiscal year (評価シート), and whose turn it is.

    `stage` is the stage of use that it is evaluated at. `revision` grows with each step: whoever
    acts says what they saw. From `decided_at` on the figures are those that were decided upon:
    what is corrected later stands beside them.
    """

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="sheets", db_index=False)
    year = models.PositiveSmallIntegerField()
    stage = models.CharField(max_length=20)
    turn = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Turn])
    revision = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["measure", "year"], name="city_plan_one_sheet_a_year"),
        ]

    def __str__(self) -> str:
        return f"{self.measure_id} {self.year}"


class Step(Kept):
    """What somebody did with a sheet, and said with it. Append-only.

    `said` is `rules.cycle.Said` as JSON.
    """

    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="steps")
    act = models.CharField(max_length=7, choices=[(one.value, one.value) for one in Act])
    grade = models.CharField(max_length=5, blank=True)
    direction = models.CharField(max_length=30, blank=True)
    said = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.act}"


class Reminder(Kept):
    """That whoever held a sheet's turn was reminded on a day. Append-only; the ledger says how far.

    Once a day at most.
    """

    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="reminders", db_index=False)
    turn = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Turn])
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sheet", "day"], name="city_plan_one_reminder_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.day}"
