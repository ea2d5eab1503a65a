"""The city as data: its towns, the sites of its disaster plan, and JMA's tree of areas."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Max, Q

from policity.foundations.places.rules.areas import Layer
from policity.foundations.places.rules.hazards import STATE_NAMES
from policity.foundations.places.rules.openings import LONGEST_NOTE, OPENNESS_NAMES
from policity.foundations.places.rules.sites import KIND_NAMES, Kind


class CityQuerySet(models.QuerySet["City"]):
    """Cities whose facts were loaded."""

    def here(self) -> Self:
        """The city of this home: one, or none before the first load."""
        return self.filter(is_here=True)


class City(models.Model):
    """A city whose facts were loaded; exactly one is the city of this home (`is_here`).

    `code` is the JIS code with five digits. `names` maps a language code to the name.
    `other_jma_codes` are areas that contain the city and that JmaArea does not know. `lat` and
    `lon` (degrees) are the middle of `boundary`, a GeoJSON geometry. `map_version` changes with
    the boundary and the towns; `areas_version` is that of the JmaArea rows.
    """

    code = models.CharField("市区町村コード", max_length=5, unique=True)
    name = models.CharField("名前", max_length=50)
    kana = models.CharField("よみ", max_length=100)
    names = models.JSONField("各言語の名前")
    prefecture = models.CharField("都道府県", max_length=10)
    jma_code = models.CharField("気象庁の市町村コード", max_length=7)
    other_jma_codes = models.JSONField("気象庁のほかの区域", default=list, blank=True)
    boundary = models.TextField("境界")
    lat = models.FloatField("緯度")
    lon = models.FloatField("経度")
    is_here = models.BooleanField("この市", default=False)
    map_version = models.CharField(max_length=64, editable=False)
    areas_version = models.CharField(max_length=64, editable=False)

    objects = CityQuerySet.as_manager()

    class Meta:
        verbose_name = "市"
        verbose_name_plural = "市"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_here"], condition=Q(is_here=True), name="places_one_city_is_here"
            )
        ]

    def __str__(self) -> str:
        return self.name


class TownQuerySet(models.QuerySet["Town"]):
    """Towns, those that are gone among them."""

    def here(self) -> Self:
        """The towns that the city of this home has now, in the order of its table."""
        return self.filter(city__is_here=True, closed_at=None).order_by("position", "pk")


class Town(models.Model):
    """A 町丁目. Gone from the city's table it is closed, never deleted: history points to it.

    `base` is the name without its number (泉町), `chome` the number if it has one, `kana` the
    reading of the base in hiragana where the source has it. `polygon` is its own GeoJSON
    geometry where the source has one. A `code` is never invented. `people` and `households` live
    there by the resident register on the day `counted_on`; all three or none.
    """

    city = models.ForeignKey(City, models.PROTECT, related_name="towns", verbose_name="市")
    name = models.CharField("町名", max_length=50)
    base = models.CharField("丁目のない町名", max_length=50)
    chome = models.PositiveSmallIntegerField("丁目", null=True, blank=True)
    kana = models.CharField("よみ", max_length=100, blank=True)
    lat = models.FloatField("緯度")
    lon = models.FloatField("経度")
    postal_code = models.CharField("郵便番号", max_length=7, blank=True)
    code = models.CharField("町字コード", max_length=20, blank=True)
    polygon = models.TextField("区域", blank=True)
    people = models.PositiveIntegerField("人口", null=True, blank=True)
    households = models.PositiveIntegerField("世帯", null=True, blank=True)
    counted_on = models.DateField("人口と世帯の日", null=True, blank=True)
    position = models.PositiveSmallIntegerField("順番")
    closed_at = models.DateTimeField("なくなった日時", null=True, blank=True)

    objects = TownQuerySet.as_manager()

    class Meta:
        verbose_name = "町丁目"
        verbose_name_plural = "町丁目"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["city", "name"], name="places_town_name_in_city")
        ]

    def __str__(self) -> str:
        return self.name


class SiteQuerySet(models.QuerySet["Site"]):
    """Sites, those that are gone among them."""

    def here(self) -> Self:
        """The sites that the city of this home has now, in the order of its table."""
        return self.filter(city__is_here=True, closed_at=None).order_by("position", "pk")


class Site(models.Model):
    """A site of the disaster plan. Gone from the city's table it is closed, never deleted.

    `source_id` is the national 共通ID. `hazards` are the keys an emergency site is designated
    for, `receives` whom a welfare shelter takes in, in the source's words. `same_address`: a site
    of the other list stands at this address. `town` is the one its address names, none outside
    the city. `edited` names the fields staff changed: loading leaves them alone.
    """

    city = models.ForeignKey(City, models.PROTECT, related_name="sites", verbose_name="市")
    source_id = models.CharField("共通ID", max_length=30)
    kind = models.CharField(
        "種類", max_length=20, choices=[(kind.value, name) for kind, name in KIND_NAMES.items()]
    )
    name = models.CharField("名前", max_length=200)
    kana = models.CharField("よみ", max_length=200, blank=True)
    address = models.CharField("住所", max_length=200)
    town = models.ForeignKey(
        Town, models.PROTECT, related_name="sites", verbose_name="町丁目", null=True, blank=True
    )
    lat = models.FloatField("緯度")
    lon = models.FloatField("経度")
    hazards = models.JSONField("災害の種類", default=list, blank=True)
    same_address = models.BooleanField("住所同一", default=False)
    receives = models.CharField("受け入れる人", max_length=200, blank=True)
    notes = models.CharField("備考", max_length=500, blank=True)
    position = models.PositiveSmallIntegerField("順番")
    edited = models.JSONField("職員が直した項目", default=list, blank=True, editable=False)
    closed_at = models.DateTimeField("なくなった日時", null=True, blank=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        verbose_name = "避難場所・避難所"
        verbose_name_plural = "避難場所・避難所"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["city", "source_id"], name="places_site_id_in_city"),
            models.CheckConstraint(
                condition=(Q(kind=Kind.WELFARE_SHELTER.value) & ~Q(receives=""))
                | (~Q(kind=Kind.WELFARE_SHELTER.value) & Q(receives="")),
                name="places_welfare_shelters_name_whom",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OpeningQuerySet(models.QuerySet["Opening"]):
    """Openings, those that something newer replaced among them."""

    def newest(self) -> Self:
        """The last of each site: how it stands."""
        last = self.order_by().values("site").annotate(last=Max("pk")).values("last")
        return self.filter(pk__in=last)


class Opening(models.Model):
    """That somebody said how a site stands. Append-only: the newest of a site is its state.

    A site without one was never opened. `evacuees`: how many people are in it, None where nobody
    counted. `note` is for staff alone.
    """

    site = models.ForeignKey(
        Site, models.PROTECT, related_name="openings", verbose_name="避難場所・避難所"
    )
    state = models.CharField(
        "状態", max_length=10, choices=[(one.value, name) for one, name in OPENNESS_NAMES.items()]
    )
    evacuees = models.PositiveIntegerField("避難した人", null=True, blank=True)
    note = models.CharField("メモ", max_length=LONGEST_NOTE, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="入れた人"
    )
    at = models.DateTimeField("日時")

    objects = OpeningQuerySet.as_manager()

    class Meta:
        verbose_name = "開設の記録"
        verbose_name_plural = "開設の記録"
        indexes: ClassVar = [
            # The newest of each site, for every page that names sites.
            models.Index(fields=["site", "-id"], name="places_opening_newest"),
            # The chronology, from a moment on.
            models.Index(fields=["at"], name="places_opening_at"),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.state} {self.at}"


class FacilityQuerySet(models.QuerySet["Facility"]):
    """Facilities, those that are gone among them."""

    def here(self) -> Self:
        """The facilities that the city of this home has now, by their reading."""
        return self.filter(city__is_here=True, closed_at=None).order_by("kana", "name", "pk")


class Facility(models.Model):
    """A place that residents use. Gone from its list it is closed, never deleted.

    `source` names the list it came from, and is that list's alone; empty for one that staff wrote.
    `source_id` is the list's own number. `hours` is `rules.hours.to_json`; None: not known.
    `features` are keys of `rules.facilities.FEATURES`; what is missing is not known. `where` is
    the spot within a building. `is_sample`: it does not exist.
    """

    city = models.ForeignKey(City, models.PROTECT, related_name="facilities", verbose_name="市")
    source = models.CharField("一覧", max_length=100, blank=True)
    source_id = models.CharField("一覧での番号", max_length=60, blank=True)
    kind = models.CharField("種類", max_length=30)
    name = models.CharField("名前", max_length=200)
    kana = models.CharField("よみ", max_length=200, blank=True)
    address = models.CharField("住所", max_length=200, blank=True)
    town = models.ForeignKey(
        Town, models.PROTECT, related_name="facilities", verbose_name="町丁目", null=True
    )
    lat = models.FloatField("緯度", null=True)
    lon = models.FloatField("経度", null=True)
    phone = models.CharField("電話番号", max_length=40, blank=True)
    url = models.CharField("アドレス", max_length=500, blank=True)
    where = models.CharField("建物の中の場所", max_length=200, blank=True)
    hours = models.JSONField("開いている時間", null=True)
    hours_note = models.CharField("時間のことば", max_length=300, blank=True)
    features = models.JSONField("設備", default=list)
    notes = models.CharField("説明", max_length=300, blank=True)
    is_sample = models.BooleanField("見本", default=False)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField("変わった日時")
    closed_at = models.DateTimeField("なくなった日時", null=True)

    objects = FacilityQuerySet.as_manager()

    class Meta:
        verbose_name = "施設"
        verbose_name_plural = "施設"
        constraints: ClassVar = [
            # An import finds its own by this, and no other's.
            models.UniqueConstraint(
                fields=["city", "source", "source_id"],
                condition=~Q(source=""),
                name="places_facility_once_a_list",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class HazardLayerQuerySet(models.QuerySet["HazardLayer"]):
    """Hazard maps, in every state."""

    def here(self) -> Self:
        """Those of the city of this home, by hazard and title."""
        return self.filter(city__is_here=True).order_by("hazard", "title", "pk")


class HazardLayer(models.Model):
    """A hazard map: where something may come, and how deep. Taken off it stays, to be shown again.

    `hazard` is a key of `rules.hazards.MAPPED`. `areas` are cut to the city: one of each depth,
    which holds what is deeper, too (`{"depth": class or 0, "shape": GeoJSON geometry}`), lines
    straying `within` metres at most.
    `as_of` is the day that its source names. `by` is who last took, showed or withdrew it.
    """

    city = models.ForeignKey(City, models.PROTECT, related_name="hazard_layers", verbose_name="市")
    hazard = models.CharField("災害の種類", max_length=20)
    title = models.CharField("地図の名前", max_length=100)
    source = models.CharField("もとの資料", max_length=200)
    as_of = models.DateField("いつの地図か")
    within = models.PositiveSmallIntegerField("線のずれ（メートル）")
    areas = models.JSONField("区域")
    state = models.CharField(
        "状態", max_length=10, choices=[(one.value, name) for one, name in STATE_NAMES.items()]
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="変えた人"
    )
    changed_at = models.DateTimeField("変わった日時")

    objects = HazardLayerQuerySet.as_manager()

    class Meta:
        verbose_name = "ハザードマップ"
        verbose_name_plural = "ハザードマップ"

    def __str__(self) -> str:
        return self.title


class JmaArea(models.Model):
    """An area of JMA's trees. `parent` is the code that contains it, in the next layer.

    The whole country, replaced as one table; `layer` and `code` name a row.
    """

    layer = models.CharField("層", max_length=10, choices=[(one.value, one.value) for one in Layer])
    code = models.CharField("コード", max_length=7)
    name = models.CharField("名前", max_length=50)
    kana = models.CharField("よみ", max_length=100, blank=True)
    en_name = models.CharField("英語の名前", max_length=100, blank=True)
    parent = models.CharField("含む区域のコード", max_length=7, blank=True)

    class Meta:
        verbose_name = "気象庁の区域"
        verbose_name_plural = "気象庁の区域"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["layer", "code"], name="places_area_in_layer")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"
