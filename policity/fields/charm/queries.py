"""What is shown of the city, and what one passes on a walk."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet

from policity.fields.charm.formats.photographs import ENDINGS
from policity.fields.charm.models import Course, Photograph, PhotographReport, Shown, Spot
from policity.fields.charm.rules.photographs import Licence, size_name, sizes
from policity.fields.charm.rules.seasons import Verb
from policity.fields.charm.rules.stops import Sort, Stop
from policity.fields.charm.rules.walking import Point
from policity.foundations.publishing.models import CityImage
from policity.foundations.publishing.services.pictures import Picture, Size, ready
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.links import Purpose

SHOWN = "charm:shown"
"""Everything that everybody may read: lists are made from it."""

PICTURES = "/assets/charm/"
"""Where pictures of spots are published."""

PHOTOGRAPHS = "charm:photographs"
"""Every photograph that residents sent and staff published: the gallery is made from it."""

ROOT = "charm/"
"""The section's address, without its language. Its own page is one of the tree's."""


def spot_key(number: int) -> str:
    """What the pages of one spot are made from."""
    return f"charm:spot:{number}"


def course_key(number: int) -> str:
    """What the pages of one course are made from."""
    return f"charm:course:{number}"


def photograph_key(number: int) -> str:
    """What the files of one photograph are made from."""
    return f"charm:photograph:{number}"


@dataclass(frozen=True, slots=True)
class SpotView:
    """A spot as pages need it (`models.Spot`)."""

    id: int
    verb: Verb
    texts: Mapping[str, Mapping[str, str]]
    kana: str
    months: frozenset[int]
    lat: float
    lon: float
    town: str
    source: str
    is_sample: bool
    picture: int | None


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course as pages need it. `line` always has two points or more."""

    id: int
    texts: Mapping[str, Mapping[str, str]]
    stops: tuple[Stop, ...]
    line: tuple[Point, ...]
    source: str
    is_sample: bool


@dataclass(frozen=True, slots=True)
class All:
    """Everything that is shown, by number. `gone` is what spots were called that were withdrawn:
    whoever walks past one still wants to know where they are.
    """

    spots: Mapping[int, SpotView]
    courses: Mapping[int, CourseView]
    gone: Mapping[int, Mapping[str, Mapping[str, str]]]


def shown() -> All:
    """Everything that everybody may read, spots by their readings. Two queries."""
    rows = Spot.objects.shown_once().select_related("town").order_by("kana", "pk")
    courses = Course.objects.public().order_by("pk")
    return All(
        {row.pk: _spot(row) for row in rows if row.stage == Shown.Stage.PUBLISHED},
        {row.pk: _course(row) for row in courses},
        {row.pk: row.texts for row in rows if row.stage == Shown.Stage.WITHDRAWN},
    )


def made(found: All) -> dict[int, Picture]:
    """The pictures of its spots, by the picture's number. Two queries."""
    return ready({spot.picture for spot in found.spots.values() if spot.picture}, PICTURES)


def _spot(row: Spot) -> SpotView:
    return SpotView(
        id=row.pk,
        verb=Verb(row.verb),
        texts=row.texts,
        kana=row.kana,
        months=frozenset(row.months),
        lat=row.lat,
        lon=row.lon,
        town=row.town.name if row.town else "",
        source=row.source,
        is_sample=row.is_sample,
        picture=row.picture_id,
    )


def _course(row: Course) -> CourseView:
    stops = stops_of(row)
    line = tuple((lon, lat) for lon, lat in row.line) or tuple(stop.at for stop in stops)
    return CourseView(row.pk, row.texts, stops, line, row.source, row.is_sample)


def stops_of(row: Course) -> tuple[Stop, ...]:
    """A course's stops in order."""
    return tuple(Stop(Sort(one["sort"]), *(one[name] for name in _PARTS)) for one in row.stops)


_PARTS = ("lon", "lat", "name", "spot")


@dataclass(frozen=True, slots=True)
class Listed:
    """A spot or a course in the staff's list."""

    id: int
    title: str
    stage: Shown.Stage
    where: str


def spots() -> tuple[Listed, ...]:
    """Every spot, for staff. One query."""
    rows = Spot.objects.select_related("town").order_by("pk")
    return tuple(
        Listed(
            row.pk, row.texts["ja"]["title"], Shown.Stage(row.stage),
            row.town.name if row.town else "市の外",
        )
        for row in rows
    )  # fmt: skip


def courses() -> tuple[Listed, ...]:
    """Every course, for staff. One query."""
    rows = Course.objects.order_by("pk")
    return tuple(
        Listed(row.pk, row.texts["ja"]["title"], Shown.Stage(row.stage), f"{len(row.stops)}か所")
        for row in rows
    )


def places() -> dict[int, Point]:
    """Where spots are, by number: longitude, latitude. One query."""
    rows = Spot.objects.values_list("pk", "lon", "lat")
    return {number: (lon, lat) for number, lon, lat in rows}


MOST_PICTURES = 500


def pictures() -> tuple[tuple[int, str], ...]:
    """The city's pictures for staff to choose from, the newest first. One query."""
    rows = CityImage.objects.order_by("-created_at", "-pk").values_list("pk", "title")
    return tuple(rows[:MOST_PICTURES])


def pictured(spots: Collection[int] | None = None) -> dict[int, int]:
    """The pictures that public spots show, by the spot's number. One query."""
    rows = Spot.objects.public().exclude(picture=None)
    if spots is not None:
        rows = rows.filter(pk__in=spots)
    return dict(rows.values_list("pk", "picture"))


@dataclass(frozen=True, slots=True)
class PhotographView:
    """A photograph as pages and staff need it (`models.Photograph`).

    `spot_texts` are its spot's own, empty where it has none that everybody may read. `reports` are
    those that staff have not settled.
    """

    id: int
    contribution: int
    stage: Photograph.Stage
    texts: Mapping[str, Mapping[str, str]]
    spot: int | None
    spot_texts: Mapping[str, Mapping[str, str]]
    credit: str
    licence: Licence
    terms: str
    language: str
    taken: date | None
    sent_at: datetime
    decided_at: datetime | None
    reason: str
    note: str
    file: str
    is_told: bool
    reports: int
    picture: Picture


def photographs(
    *, spots: Collection[int] | None = None, number: int | None = None
) -> tuple[PhotographView, ...]:
    """Those that everybody may see, the newest first. One query."""
    rows = Photograph.objects.filter(stage=Photograph.Stage.PUBLISHED)
    if spots is not None:
        rows = rows.filter(spot__in=spots)
    if number is not None:
        rows = rows.filter(pk=number)
    return _views(rows.order_by("-decided_at", "-pk"))


def contributed(number: int) -> tuple[PhotographView, ...]:
    """What somebody sent at once, whatever became of it. One query."""
    return _views(Photograph.objects.filter(contribution=number).order_by("pk"))


def to_moderate(number: int | None = None) -> tuple[PhotographView, ...]:
    """What staff have before them: what waits, what is shown, and what can still be taken back.

    What somebody said something of goes first, then what waits, the oldest first. One query.
    """
    rows = Photograph.objects.exclude(file="")
    if number is not None:
        rows = rows.filter(pk=number)
    return _views(rows.order_by("pk"))


def waiting() -> tuple[int, int]:
    """How many photographs wait for staff, and of how many somebody said something. One query."""
    found = Photograph.objects.aggregate(
        waiting=Count("pk", filter=Q(stage=Photograph.Stage.WAITING), distinct=True),
        reported=Count("pk", filter=Q(reports__isnull=False, reports__settled_at=None),
                       distinct=True),
    )  # fmt: skip
    return found["waiting"], found["reported"]


def count_contributed(*, since: datetime, until: datetime) -> int:
    """How many photographs residents sent in a period, its end not included."""
    sent = Photograph.objects.filter(contribution__sent_at__gte=since)
    return sent.filter(contribution__sent_at__lt=until).count()


def reports(photograph: int) -> tuple[str, ...]:
    """What somebody said of a photograph and staff have not settled, the oldest first."""
    rows = PhotographReport.objects.filter(photograph=photograph, settled_at=None)
    return tuple(rows.order_by("pk").values_list("text", flat=True))


def _views(rows: QuerySet[Photograph]) -> tuple[PhotographView, ...]:
    said = Count("reports", filter=Q(reports__isnull=False, reports__settled_at=None))
    rows = rows.select_related("contribution", "spot").annotate(open_reports=said)
    return tuple(map(_photograph, rows))


def _photograph(row: Photograph) -> PhotographView:
    sent, spot = row.contribution, row.spot
    is_public = spot is not None and spot.stage == Shown.Stage.PUBLISHED
    return PhotographView(
        id=row.pk,
        contribution=sent.pk,
        stage=Photograph.Stage(row.stage),
        texts=row.texts,
        spot=row.spot_id,
        spot_texts=spot.texts if spot and is_public else {},
        credit=sent.credit,
        licence=Licence(sent.licence),
        terms=sent.terms,
        language=sent.language,
        taken=sent.taken,
        sent_at=sent.sent_at,
        decided_at=row.decided_at,
        reason=row.reason,
        note=row.note,
        file=row.file,
        is_told=sent.person is not None,
        reports=row.open_reports,  # type: ignore[attr-defined]  # annotated
        picture=_sized(row),
    )


def _sized(row: Photograph) -> Picture:
    """Every size of a photograph. Their addresses change with every photograph, and are none of
    those that readers keep for a year: what is withdrawn is to be gone.
    """
    made = tuple(
        Size(
            width, height, ending, size_name(row.file, width, ending),
            f"/{ROOT}photographs/{row.pk}-{row.file[:8]}-{width}.{ending}",
        )
        for width, height in sizes(row.width, row.height)
        for ending in ENDINGS
    )  # fmt: skip
    return Picture("", made, ())


def own_page(contribution: int) -> str:
    """Where whoever sent something sees and withdraws it, without the language: a secret.

    It counts for what they sent, not for them: nobody needs to be known for it.
    """
    return f"{ROOT}photographs/me/{residents.link(Purpose.PHOTOGRAPHS, 0, contribution)}/"


def owned(link: str) -> int:
    """The number of what somebody sent, by their link. Raises residents' BadLink."""
    return residents.holder(Purpose.PHOTOGRAPHS, link)[1]
