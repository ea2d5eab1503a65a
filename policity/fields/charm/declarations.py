"""The pages of what the city shows: a page for each spot and course, a calendar of seasons, and a
gallery of what residents photographed.

The section's own page is one of the tree's (public_site), which shows `presenters.front` on it.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db.models import Count
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from policity.fields.charm import presenters, queries
from policity.fields.charm.models import Course, Photograph, Spot
from policity.fields.charm.presenters import photographs
from policity.fields.charm.queries import (
    PHOTOGRAPHS,
    PICTURES,
    SHOWN,
    course_key,
    photograph_key,
    spot_key,
)
from policity.fields.charm.services import fading
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.declarations import (
    CITY,
    born_with_city,
    fixed,
    in_each_language,
)
from policity.foundations.publishing.formats import document, page
from policity.foundations.publishing.services import pictures
from policity.kit.declare import (
    Document,
    Fading,
    Lane,
    Metric,
    PageFamily,
    Reading,
    Rendered,
    Stage,
)
from policity.kit.languages import split

_NUMBER = re.compile(r"/(\d+)/")
_COURSE = gettext_noop("散歩コース")


def _spots(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, found = places_queries.city(), queries.shown()
    wanted = queries.pictured({_number(address) for address in addresses})
    made = pictures.ready(set(wanted.values()), PICTURES)
    sent = queries.photographs(spots={_number(address) for address in addresses})
    for address in addresses:
        language, rest = split(address)
        view = found.spots.get(_number(address))
        if view is None:
            yield address, None
            continue
        code = language.code
        with translation.override(code):
            picture = made.get(view.picture or 0)
            context = presenters.spot(view, city, code, picture=picture)
            context |= photographs.of_spot(sent, view.id, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("charm/spot.html", language, rest, context)
        keys = frozenset({spot_key(view.id), CITY})
        yield address, Rendered(body, keys, documents=(_document(body, code, "見どころ"),))


def _courses(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, found = places_queries.city(), queries.shown()
    for address in addresses:
        language, rest = split(address)
        view = found.courses.get(_number(address))
        if view is None:
            yield address, None
            continue
        code = language.code
        with translation.override(code):
            context = presenters.course(view, found, city, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("charm/course.html", language, rest, context)
        keys = _keys_of_course(view)
        yield address, Rendered(body, keys, documents=(_document(body, code, _COURSE),))


def _ways(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    found = queries.shown()
    for address in addresses:
        view = found.courses.get(_number(address))
        if view is None:
            yield address, None
        else:
            yield address, Rendered(presenters.way(view, found), _keys_of_course(view))


def _pictures(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    showing = queries.pictured()
    sizes = {
        size.address: size
        for picture in pictures.ready(set(showing.values()), PICTURES).values()
        for size in (*picture.wide, *picture.narrow)
    }
    for address in addresses:
        number = pictures.number_of(address)
        keys = frozenset(spot_key(spot) for spot, picture in showing.items() if picture == number)
        size = sizes.get(address)
        yield address, Rendered(pictures.content(size), keys) if size else None


def _picture_addresses(spots: Collection[int] | None = None) -> Iterator[str]:
    wanted = set(queries.pictured(spots).values())
    for picture in pictures.ready(wanted, PICTURES).values():
        yield from (size.address for size in (*picture.wide, *picture.narrow))


def _pictures_born(key: str) -> Iterator[str]:
    if (number := _numbered(key, spot_key(0))) is not None:
        yield from _picture_addresses([number])


def _keys_of_course(view: queries.CourseView) -> frozenset[str]:
    passed = {spot_key(stop.spot) for stop in view.stops if stop.spot}
    return frozenset({course_key(view.id), CITY, *passed})


def _gallery(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, found = places_queries.city(), queries.photographs()
    for address in addresses:
        language, rest = split(address)
        number = int(rest.removeprefix("charm/photographs/").strip("/") or "1")
        if number > photographs.pages(len(found)):
            yield address, None
            continue
        code = language.code
        with translation.override(code):
            context = photographs.gallery(found, number, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("charm/gallery.html", language, rest, context)
        keys = frozenset({PHOTOGRAPHS, CITY})
        yield address, Rendered(body, keys, documents=(_document(body, code, "案内"),))


def _gallery_addresses() -> Iterator[str]:
    """One page for each so many photographs, and one where there are none yet."""
    if not list(fixed("/")):
        return
    for number in range(1, photographs.pages(len(queries.photographs())) + 1):
        yield from in_each_language(photographs.address(number))


def _files(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    sizes = {size.address: size for view in queries.photographs() for size in view.picture.wide}
    for address in addresses:
        size = sizes.get(address)
        key = photograph_key(pictures.number_of(address))
        yield address, Rendered(pictures.content(size), frozenset({key})) if size else None


def _file_addresses(number: int | None = None) -> Iterator[str]:
    for view in queries.photographs(number=number):
        yield from (size.address for size in view.picture.wide)


def _files_born(key: str) -> Iterator[str]:
    if (number := _numbered(key, photograph_key(0))) is not None:
        yield from _file_addresses(number)


def _calendar(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, found = places_queries.city(), queries.shown()
    for address in addresses:
        language, rest = split(address)
        code = language.code
        with translation.override(code):
            context = presenters.calendar(found, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("charm/calendar.html", language, rest, context)
        keys = frozenset({SHOWN, CITY})
        yield address, Rendered(body, keys, documents=(_document(body, code, "案内"),))


def _document(body: bytes, code: str, kind: str) -> Document:
    """What searching finds of a page; its kind is told in Japanese."""
    with translation.override(code):
        return document(body, kind=gettext(kind), section=gettext("まちを歩く・知る"))


def _number(address: str) -> int:
    return int(_NUMBER.search(address)[1])  # type: ignore[index]  # ours


def _pages(part: str, number: int) -> tuple[str, ...]:
    return in_each_language(f"charm/{part}/{number}/")


def _way(number: int) -> str:
    return f"/charm/courses/{number}/course.gpx"


def _spot_addresses() -> Iterator[str]:
    for number in Spot.objects.public().order_by("pk").values_list("pk", flat=True):
        yield from _pages("spots", number)


def _spots_born(key: str) -> Iterator[str]:
    if (number := _numbered(key, spot_key(0))) is not None:
        yield from _pages("spots", number)


def _course_addresses() -> Iterator[str]:
    for number in Course.objects.public().order_by("pk").values_list("pk", flat=True):
        yield from _pages("courses", number)


def _courses_born(key: str) -> Iterator[str]:
    if (number := _numbered(key, course_key(0))) is not None:
        yield from _pages("courses", number)


def _way_addresses() -> Iterator[str]:
    for number in Course.objects.public().order_by("pk").values_list("pk", flat=True):
        yield _way(number)


def _ways_born(key: str) -> Iterator[str]:
    if (number := _numbered(key, course_key(0))) is not None:
        yield _way(number)


def _numbered(key: str, alike: str) -> int | None:
    before = alike.removesuffix("0")
    rest = key.removeprefix(before)
    return int(rest) if key.startswith(before) and rest.isdecimal() else None


def _contributed(since: datetime, until: datetime) -> Reading:
    sent = Photograph.objects.filter(
        contribution__sent_at__gte=since, contribution__sent_at__lt=until
    )
    by_stage = dict(sent.values_list("stage").annotate(count=Count("pk")).order_by())
    count = by_stage.pop(Photograph.Stage.PUBLISHED, 0)
    left_out = {Photograph.Stage(stage).label: some for stage, some in sorted(by_stage.items())}
    if not count:
        why = "この期間に寄せられた写真で、公開したものはありません。"
        return Reading(None, 0, why, left_out)
    return Reading(Decimal(count), count, "", left_out)


METRICS = (
    Metric(
        name="charm.photographs",
        title="市民が寄せて、公開した写真",
        unit="枚",
        counts="市民がその期間に送った写真のうち、公開しているものを数えます。",
        version=1,
        read=_contributed,
        adds_up=True,
    ),
)

_CALENDAR = in_each_language("charm/calendar/")

PAGES = (
    PageFamily(
        name="charm-pictures",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=_picture_addresses,
        born_of=_pictures_born,
        render=_pictures,
    ),
    PageFamily(
        name="charm-photographs",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=_file_addresses,
        born_of=_files_born,
        render=_files,
    ),
    PageFamily(
        name="charm-gallery",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=_gallery_addresses,
        born_of=lambda key: _gallery_addresses() if key in (PHOTOGRAPHS, CITY) else (),
        render=_gallery,
    ),
    PageFamily(
        name="charm-ways",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=_way_addresses,
        born_of=_ways_born,
        render=_ways,
    ),
    PageFamily(
        name="charm-spots",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=_spot_addresses,
        born_of=_spots_born,
        render=_spots,
    ),
    PageFamily(
        name="charm-courses",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=_course_addresses,
        born_of=_courses_born,
        render=_courses,
    ),
    PageFamily(
        name="charm-calendar",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=partial(fixed, *_CALENDAR),
        born_of=partial(born_with_city, _CALENDAR),
        render=_calendar,
    ),
)

FADES = (
    Fading(
        "declined_photographs",
        lambda before: fading.declined_due(before=before),
        lambda before, now: fading.fade_declined(before=before, now=now),
    ),
    Fading(
        "photographs",
        lambda before: fading.persons_due(before=before),
        lambda before, now: fading.fade_persons(before=before, now=now),
    ),
)
