"""Spots and courses as pages show them. Call it with the page's language active."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext, gettext_noop

from policity.fields.charm.formats import gpx
from policity.fields.charm.presenters.drawing import Drawing, moving, of_city, of_walk
from policity.fields.charm.queries import All, CourseView, SpotView
from policity.fields.charm.rules import walking
from policity.fields.charm.rules.seasons import MONTHS, Verb, in_season, spans
from policity.fields.charm.rules.stops import Sort, Stop
from policity.foundations.places.queries import CityView
from policity.foundations.publishing.services.pictures import Picture, in_markup
from policity.kit import ruby
from policity.kit.furigana import furigana
from policity.kit.languages import BY_CODE

VERBS = {
    Verb.WALK: gettext_noop("歩く"),
    Verb.SEE: gettext_noop("見る"),
    Verb.EAT: gettext_noop("食べる"),
}
SORTS = {
    Sort.TOILET: gettext_noop("トイレ"),
    Sort.BENCH: gettext_noop("ベンチ"),
    Sort.PLACE: gettext_noop("通るところ"),
    Sort.SPOT: gettext_noop("見どころ"),
}
_ALL_YEAR = gettext_noop("一年じゅう")
Texts = Mapping[str, Mapping[str, str]]
Figures = Mapping[int, Mapping[str, Any]]
"""Pictures as markup wants them, by the spot's number."""
NONE: Figures = MappingProxyType({})


def own(texts: Texts, code: str, part: str) -> str:
    """A text in a language, in Japanese where there is none; with readings in やさしい日本語."""
    text = texts.get(code, {}).get(part) or texts["ja"].get(part, "")
    if code != "ja-easy":
        return ruby.foreign(text)
    try:
        return furigana(text, {})
    except ValueError:
        # Somebody wrote a bracket that readings are written with.
        return ruby.foreign(text)


def lang(texts: Texts, code: str) -> str:
    """The lang attribute of its texts, empty where they are in the page's own language."""
    return "" if code in ("ja", "ja-easy") or texts.get(code, {}).get("title") else "ja"


def month_name(month: int, code: str) -> str:
    """A month: "3月"."""
    if code == "en":
        return _ENGLISH[month - 1]
    if code == "ja-easy":
        return f"{month}{{月|がつ}}"
    return f"{month}월" if code == "ko" else f"{month}月"


_ENGLISH = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def when(spot: SpotView, code: str) -> str:
    """Its months: "3月〜5月"; all year where it names none."""
    dash = "–" if code in ("en", "ko") else "〜"
    runs = [
        month_name(first, code) if first == last else
        f"{month_name(first, code)}{dash}{month_name(last, code)}"
        for first, last in spans(spot.months)
    ]  # fmt: skip
    comma = ", " if code in ("en", "ko") else "、"
    return comma.join(runs) if runs else gettext(_ALL_YEAR)


@dataclass(frozen=True, slots=True)
class Row:
    """A spot or a course in a list. `lang` is that of its words, where it is another one.

    `figure` is its picture (`pictures.in_markup`), None where it has none or a list shows none.
    """

    title: str
    summary: str
    lang: str
    page: str
    note: str
    figure: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Some rows under what one does there."""

    key: str
    name: str
    rows: tuple[Row, ...]


def spot_row(spot: SpotView, code: str, figures: Figures = NONE) -> Row:
    """One line of a list."""
    texts = spot.texts
    return Row(
        own(texts, code, "title"), own(texts, code, "summary"), lang(texts, code),
        f"charm/spots/{spot.id}/", when(spot, code), figures.get(spot.id),
    )  # fmt: skip


def course_row(course: CourseView, code: str, figures: Figures = NONE) -> Row:
    """One line of a list, with a picture of what one passes first."""
    texts, length = course.texts, walking.metres(course.line)
    passed = (figures[stop.spot] for stop in course.stops if stop.spot and stop.spot in figures)
    return Row(
        own(texts, code, "title"), own(texts, code, "summary"), lang(texts, code),
        f"charm/courses/{course.id}/", _way(length), next(passed, None),
    )  # fmt: skip


def _way(length: float) -> str:
    said = {"far": distance(length), "minutes": walking.minutes(length)}
    return gettext("%(far)s・歩いて%(minutes)s分") % said


def distance(length: float) -> str:
    """Metres as people say them: "850 m", "2.4 km"."""
    return f"{round(length, -1):.0f} m" if length < 1000 else f"{length / 1000:.1f} km"


def front(found: All, made: Mapping[int, Picture], month: int, code: str) -> dict[str, Any]:
    """The section's own part of its page: what is worth the way this month, by what one does.

    `made` are its spots' pictures, by the picture's number.
    """
    figures = {
        spot.id: in_markup(made[spot.picture])
        for spot in found.spots.values()
        if spot.picture and spot.picture in made
    }
    now: list[SpotView] = []
    later: list[SpotView] = []
    for spot in found.spots.values():
        (now if in_season(spot.months, month) else later).append(spot)
    # What names its months goes first: it is over soon.
    now.sort(key=lambda spot: not spot.months)
    return {
        "month": month_name(month, code),
        "groups": _groups(now, code, figures),
        "later": [spot_row(spot, code, figures) for spot in later],
        "courses": [course_row(course, code, figures) for course in found.courses.values()],
    }


def _groups(spots: Sequence[SpotView], code: str, figures: Figures) -> list[Group]:
    groups = [
        Group(
            verb.value,
            gettext(name),
            tuple(spot_row(spot, code, figures) for spot in spots if spot.verb is verb),
        )
        for verb, name in VERBS.items()
    ]
    return [group for group in groups if group.rows]


def spot(
    view: SpotView, city: CityView, code: str, *, picture: Picture | None = None
) -> dict[str, Any]:
    """A spot's page: what it is, when it is worth the way, how one gets there."""
    alt = ruby.plain(own(view.texts, code, "alt"))
    return {
        "figure": in_markup(picture) | {"alt": alt} if picture else None,
        **_page(view.texts, code),
        "verb": gettext(VERBS[view.verb]),
        "when": when(view, code),
        "access": own(view.texts, code, "access"),
        "town": ruby.foreign(view.town),
        "source": ruby.foreign(view.source),
        "is_sample": view.is_sample,
        "map": of_city(city.boundary, (view.lon, view.lat)),
        "moving": moving([((view.lon, view.lat), own(view.texts, code, "title"), "")]),
        "lat": f"{view.lat:.5f}",
        "lon": f"{view.lon:.5f}",
    }


def _page(texts: Texts, code: str) -> dict[str, Any]:
    return {
        "title": own(texts, code, "title"),
        "summary": own(texts, code, "summary"),
        "lang": lang(texts, code),
        "paragraphs": [p for p in own(texts, code, "body").splitlines() if p.strip()],
    }


@dataclass(frozen=True, slots=True)
class StopRow:
    """One stop on the way. `page` is empty where it has none, `far` is the way so far."""

    number: int
    sort: str
    name: str
    lang: str
    page: str


def course(view: CourseView, found: All, city: CityView, code: str) -> dict[str, Any]:
    """A course's page: how far, how long, what one passes."""
    length = walking.metres(view.line)
    sorts = {stop.sort for stop in view.stops}
    stops = [_stop(n, stop, found, code) for n, stop in enumerate(view.stops, 1)]
    prefix = BY_CODE[code].prefix
    shown = [
        (stop.at, row.name or row.sort, row.page and prefix + row.page)
        for stop, row in zip(view.stops, stops, strict=True)
    ]
    return {
        **_page(view.texts, code),
        "id": view.id,
        "far": distance(length),
        "minutes": walking.minutes(length),
        "slow": walking.minutes(length, walking.SLOW_PACE),
        "toilets": Sort.TOILET in sorts,
        "benches": Sort.BENCH in sorts,
        "stops": stops,
        "source": ruby.foreign(view.source),
        "is_sample": view.is_sample,
        "map": drawing(view, city),
        "moving": moving(shown, view.line),
        "lat": f"{view.line[0][1]:.5f}",
        "lon": f"{view.line[0][0]:.5f}",
    }


def drawing(view: CourseView, city: CityView) -> Drawing:
    """A course as a small drawing."""
    return of_walk(city.boundary, view.line, tuple(stop.at for stop in view.stops))


def _stop(number: int, stop: Stop, found: All, code: str) -> StopRow:
    texts = _spot_of(stop, found)
    sort = gettext(SORTS[stop.sort])
    if texts:
        page = f"charm/spots/{stop.spot}/" if stop.spot in found.spots else ""
        return StopRow(number, sort, own(texts, code, "title"), lang(texts, code), page)
    said = own({"ja": {"name": stop.name}}, code, "name")
    foreign = "" if code in ("ja", "ja-easy") or not said else "ja"
    return StopRow(number, sort, said, foreign, "")


def _spot_of(stop: Stop, found: All) -> Texts | None:
    """What the spot is called that a stop is, be it withdrawn; None where it is none."""
    if stop.spot is None:
        return None
    spot = found.spots.get(stop.spot)
    return spot.texts if spot else found.gone.get(stop.spot)


def way(view: CourseView, found: All) -> bytes:
    """A course as GPX, in Japanese."""
    named = []
    for stop in view.stops:
        texts = _spot_of(stop, found)
        word = {Sort.TOILET: "トイレ", Sort.BENCH: "ベンチ"}.get(stop.sort, "")
        said = texts["ja"]["title"] if texts else f"{word} {stop.name}".strip()
        named.append((stop, said or "地点"))
    return gpx.write(view.texts["ja"]["title"], view.line, tuple(named))


def calendar(found: All, code: str) -> dict[str, Any]:
    """Twelve months, each with what is worth the way then; apart from them what always is."""
    spots = found.spots.values()
    return {
        "months": [
            (
                month_name(month, code),
                [spot_row(s, code) for s in spots if s.months and month in s.months],
            )
            for month in MONTHS
        ],
        "always": [spot_row(spot, code) for spot in spots if not spot.months],
    }
