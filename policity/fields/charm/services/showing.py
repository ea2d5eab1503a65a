"""Writing spots and courses, showing them, and taking them back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from shapely import Point as Place

from policity.fields.charm import queries
from policity.fields.charm.models import Course, Shown, ShownT, Spot
from policity.fields.charm.rules import stops as stops_rules
from policity.fields.charm.rules import walking
from policity.fields.charm.rules.seasons import Verb
from policity.fields.charm.rules.stops import BadStops
from policity.fields.charm.rules.walking import Point
from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.places import queries as places
from policity.foundations.publishing.models import CityImage
from policity.foundations.publishing.services import mark_stale, pictures
from policity.foundations.work import services as work

TOPIC = "charm"
# Metres from the city's middle: farther away is a mistyped number.
FARTHEST = 20_000


class CharmRefused(ValueError):  # noqa: N818  # the thing refused
    """It cannot be so. The message is one Japanese sentence for staff."""


@dataclass(frozen=True, slots=True)
class SpotDraft:
    """A spot as somebody writes it, see `models.Spot`."""

    texts: Mapping[str, Mapping[str, str]]
    verb: Verb
    lat: float
    lon: float
    kana: str = ""
    months: tuple[int, ...] = ()
    source: str = ""
    is_sample: bool = False
    picture: int | None = None


@dataclass(frozen=True, slots=True)
class CourseDraft:
    """A course as somebody writes it: `stops` as lines (`rules.stops.read`).

    `line` is the way from a file; None keeps the one before, () goes straight from stop to stop.
    """

    texts: Mapping[str, Mapping[str, str]]
    stops: str
    line: tuple[Point, ...] | None = None
    source: str = ""
    is_sample: bool = False


@work.alone(TOPIC)
def draft_spot(*, spot: SpotDraft, by: User, now: datetime) -> Spot:
    """Write down a new spot, which nobody sees yet. Raises CharmRefused."""
    row = Spot(changed_at=now, is_sample=spot.is_sample, **_spot_fields(spot))
    row.save()
    audit.record("spot.composed", on=f"charm.spot:{row.pk}", by=by, now=now)
    return row


@work.alone(TOPIC)
def change_spot(*, number: int, spot: SpotDraft, seen: int, by: User, now: datetime) -> Spot:
    """Write it anew; courses that pass it follow. Raises CharmRefused.

    `seen` is the revision that was changed: what somebody else wrote meanwhile is not written over.
    """
    row = _found(Spot, number)
    _unchanged(row, seen)
    for name, value in _spot_fields(spot).items():
        setattr(row, name, value)
    row.revision, row.changed_at = seen + 1, now
    row.save()
    _move_stops(row)
    mark_stale([queries.spot_key(number), queries.SHOWN], now=now)
    audit.record("spot.changed", on=f"charm.spot:{number}", by=by, now=now)
    return row


def _move_stops(spot: Spot) -> None:
    """Courses keep where their stops are: they follow a spot that is put elsewhere."""
    for course in Course.objects.all():
        moved = [
            {**one, "lon": spot.lon, "lat": spot.lat} if one["spot"] == spot.pk else one
            for one in course.stops
        ]
        if moved != course.stops:
            course.stops = moved
            course.save(update_fields=["stops"])


@work.alone(TOPIC)
def draft_course(*, course: CourseDraft, by: User, now: datetime) -> Course:
    """Write down a new course, which nobody sees yet. Raises CharmRefused."""
    row = Course(changed_at=now, is_sample=course.is_sample, **_course_fields(course))
    row.save()
    audit.record("course.composed", on=f"charm.course:{row.pk}", by=by, now=now)
    return row


@work.alone(TOPIC)
def change_course(
    *, number: int, course: CourseDraft, seen: int, by: User, now: datetime
) -> Course:
    """Write it anew. `seen` as for `change_spot`. Raises CharmRefused."""
    row = _found(Course, number)
    _unchanged(row, seen)
    for name, value in _course_fields(course).items():
        setattr(row, name, value)
    row.revision, row.changed_at = seen + 1, now
    row.save()
    mark_stale([queries.course_key(number), queries.SHOWN], now=now)
    audit.record("course.changed", on=f"charm.course:{number}", by=by, now=now)
    return row


@work.alone(TOPIC)
def publish_spot(*, number: int, by: User, now: datetime) -> None:
    """Show it to everybody. Raises CharmRefused."""
    _show(_found(Spot, number), queries.spot_key(number), now=now)
    audit.record("spot.published", on=f"charm.spot:{number}", by=by, now=now)


@work.alone(TOPIC)
def withdraw_spot(*, number: int, by: User, now: datetime) -> None:
    """Take it off every page; courses name it without leading there. Raises CharmRefused."""
    _hide(_found(Spot, number), queries.spot_key(number), now=now)
    audit.record("spot.withdrawn", on=f"charm.spot:{number}", by=by, now=now)


@work.alone(TOPIC)
def publish_course(*, number: int, by: User, now: datetime) -> None:
    """Show it to everybody. Raises CharmRefused."""
    _show(_found(Course, number), queries.course_key(number), now=now)
    audit.record("course.published", on=f"charm.course:{number}", by=by, now=now)


@work.alone(TOPIC)
def withdraw_course(*, number: int, by: User, now: datetime) -> None:
    """Take it off every page. Raises CharmRefused."""
    _hide(_found(Course, number), queries.course_key(number), now=now)
    audit.record("course.withdrawn", on=f"charm.course:{number}", by=by, now=now)


def _show(row: Shown, key: str, *, now: datetime) -> None:
    if row.stage == Shown.Stage.PUBLISHED:
        raise CharmRefused("もう公開しています。")
    row.stage, row.changed_at = Shown.Stage.PUBLISHED, now
    row.save(update_fields=["stage", "changed_at"])
    mark_stale([key, queries.SHOWN], now=now)


def _hide(row: Shown, key: str, *, now: datetime) -> None:
    if row.stage != Shown.Stage.PUBLISHED:
        raise CharmRefused("公開しているものだけを、取り下げられます。")
    row.stage, row.changed_at = Shown.Stage.WITHDRAWN, now
    row.save(update_fields=["stage", "changed_at"])
    mark_stale([key, queries.SHOWN], now=now)


def _found(model: type[ShownT], number: int) -> ShownT:
    row = model._default_manager.filter(pk=number).first()
    if row is None:
        raise CharmRefused("それは、ありません。")
    return row


def _unchanged(row: Shown, seen: int) -> None:
    if row.revision != seen:
        raise CharmRefused("ほかの人が、先に変えました。いまの内容を見て、もう一度変えてください。")


def picture_changed(sender: type[CityImage], instance: CityImage, **_: Any) -> None:
    """Hears that a picture, or what is said of it, changed or goes: spots show it as it is."""
    numbers = Spot.objects.filter(picture=instance.pk).values_list("pk", flat=True)
    if numbers:
        # And the section's own page, which shows it beside the others.
        mark_stale([queries.SHOWN, *map(queries.spot_key, numbers)], now=timezone.now())


def _spot_fields(spot: SpotDraft) -> dict[str, object]:
    if spot.picture is not None:
        # Whoever does not see it reads what it shows.
        if not spot.texts["ja"].get("alt"):
            raise CharmRefused("写真に何が写っているかを、「写真の説明」に書いてください。")
        # Its sizes are made now: who publishes it later makes nobody's writing wait.
        if not pictures.ready([spot.picture], queries.PICTURES):
            raise CharmRefused("その写真は、もうありません。選びなおしてください。")
    city = places.city()
    if walking.metres([(city.lon, city.lat), (spot.lon, spot.lat)]) > FARTHEST:
        raise CharmRefused("市から20km以上はなれています。緯度と経度を確かめてください。")
    town = next(iter(places.towns_touched(Place(spot.lon, spot.lat))), None)
    return {
        "texts": {code: dict(text) for code, text in spot.texts.items()},
        "verb": spot.verb.value,
        "lat": spot.lat,
        "lon": spot.lon,
        "kana": spot.kana,
        "months": sorted(set(spot.months)),
        "town_id": town.id if town else None,
        "source": spot.source,
        "picture_id": spot.picture,
    }


def _course_fields(course: CourseDraft) -> dict[str, object]:
    try:
        stops = stops_rules.read(course.stops, queries.places())
    except BadStops as error:
        raise CharmRefused(str(error)) from error
    fields: dict[str, object] = {
        "texts": {code: dict(text) for code, text in course.texts.items()},
        "stops": [{**asdict(one), "sort": one.sort.value} for one in stops],
        "source": course.source,
    }
    if course.line is not None:
        fields["line"] = [list(point) for point in course.line]
    return fields
