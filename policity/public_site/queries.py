"""The pages of the tree, read for many addresses at once.

Each function takes as many queries as its docstring says, however many pages it is asked for.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page

from policity.foundations.publishing.models import CityDocument
from policity.public_site.formats import Mentioned, mentioned
from policity.public_site.models import (
    HOME_PATH,
    STEP,
    ArticlePage,
    HomePage,
    Reading,
    SectionPage,
    Shown,
    TakenOver,
    Takeover,
    TranslationPage,
    TreePage,
    above,
)
from policity.public_site.rules import GATHERS, Kind, Listing, rest_of
from policity.public_site.rules.older import Need

Block = Mapping[str, Any]
# The newest of a list that grows for ever; the rest is found in the sections they stand in.
LONGEST_LIST = 200


@dataclass(frozen=True, slots=True)
class Said:
    """A page in one language."""

    title: str
    lead: str
    body: tuple[Block, ...]
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask: a section's own, for it and what stands below it. `page` is that section."""

    page: int
    phone: str
    place: str
    hours: str
    email: str


@dataclass(frozen=True, slots=True)
class Title:
    """A page as it stands in lists: what it is called, in the languages it has."""

    id: int
    path: str
    rest: str
    kind: Kind | None
    titles: Mapping[str, str]
    leads: Mapping[str, str]
    published: datetime | None


@dataclass(frozen=True, slots=True)
class PageView:
    """A published page with all it says, in the languages it has; Japanese is always one."""

    id: int
    path: str
    rest: str
    kind: Kind | None
    lists: Listing | None
    said: Mapping[str, Said]
    published: datetime | None
    is_sample: bool
    contact: Contact | None = None

    def mentioned(self) -> Mentioned:
        """What it shows and links to, in any language."""
        found = Mentioned()
        for said in self.said.values():
            found |= mentioned(said.body)
        return found


def stored(page: TreePage) -> tuple[Block, ...]:
    """A page's body as it is stored."""
    return tuple(page.body.raw_data)


def pages(rests: Collection[str]) -> dict[str, PageView]:
    """The published pages at these addresses (without a language). Four queries."""
    wanted = Q(url_path__in=[HOME_PATH + rest for rest in rests])
    return {page.rest: page for page in _pages(wanted)}


def page_of(number: int) -> PageView | None:
    """One page, published or not; None where it is no page of ours. Four queries."""
    return next(iter(_pages(Q(pk=number), live=False)), None)


def _pages(wanted: Q, *, live: bool = True) -> Iterator[PageView]:
    if live:
        wanted &= Q(live=True)
    found: list[TreePage] = [
        *HomePage.objects.filter(wanted),
        *SectionPage.objects.filter(wanted),
        *ArticlePage.objects.filter(wanted),
    ]
    translations: dict[str, dict[str, Said]] = defaultdict(dict)
    rows = TranslationPage.objects.live().annotate(above=above())
    for one in rows.filter(above__in=[page.path for page in found]) if found else ():
        translations[one.above][one.language] = said(one)
    for page in found:
        yield view(page, translations[page.path])


def view(page: TreePage, translations: Mapping[str, Said]) -> PageView:
    """A page that is no translation, with its translations."""
    section = page if isinstance(page, SectionPage) else None
    article = page if isinstance(page, ArticlePage) else None
    return PageView(
        id=page.pk,
        path=page.path,
        rest=rest_of(page.url_path, HOME_PATH),
        kind=Kind(article.kind) if article else None,
        lists=Listing(section.lists) if section else None,
        said={"ja": said(page), **translations},
        published=page.first_published_at,
        is_sample=page.is_sample,
        contact=_contact(section) if section else None,
    )


def said(page: TreePage) -> Said:
    """What a page, or a translation, says."""
    return Said(page.title, page.lead, stored(page), page.last_published_at)


def _contact(section: SectionPage) -> Contact | None:
    if not (section.phone or section.place or section.email):
        return None
    return Contact(section.pk, section.phone, section.place, section.hours, section.email)


def trails(paths: Iterable[str]) -> dict[str, Title]:
    """Every published page above these, by tree path; the home page's own too. Two queries."""
    return {title.path: title for title in _titles(Q(path__in=_above(paths)))}


def contacts(paths: Iterable[str]) -> dict[str, Contact]:
    """The sections at or above these that say whom to ask, by tree path. One query."""
    there = {*_above(paths), *paths}
    rows = SectionPage.objects.live().filter(path__in=there)
    return {row.path: contact for row in rows if (contact := _contact(row))}


def _above(paths: Iterable[str]) -> set[str]:
    return {path[:end] for path in paths for end in range(2 * STEP, len(path), STEP)}


def titles(numbers: Collection[int]) -> dict[int, Title]:
    """The published pages of these numbers; a translation's number gives its page. Two queries."""
    return {title.id: title for title in _titles(Q(pk__in=numbers))} if numbers else {}


def children(paths: Collection[str]) -> dict[str, list[Title]]:
    """What stands directly below these pages, in the order that editors gave it. Two queries."""
    found: dict[str, list[Title]] = defaultdict(list)
    depths = {len(path) // STEP + 1 for path in paths}
    below = Q(depth__in=depths) & Q(above__in=paths)
    for title in sorted(_titles(below), key=lambda title: title.path) if paths else ():
        found[title.path[:-STEP]].append(title)
    return found


def gathered(listing: Listing) -> list[Title]:
    """The published articles that a list gathers, the newest first. Two queries."""
    found = _titles(Q(articlepage__kind=GATHERS[listing].value), limit=LONGEST_LIST)
    if listing is Listing.NEWS:
        return found
    return sorted(found, key=lambda title: title.titles["ja"])


def news(limit: int) -> list[Title]:
    """The newest news. Two queries."""
    return _titles(Q(articlepage__kind=Kind.NEWS.value), limit=limit)


_TITLE = (
    "pk", "path", "url_path", "title", "first_published_at", "articlepage__kind",
    "articlepage__lead", "sectionpage__lead",
)  # fmt: skip


def _titles(wanted: Q, *, limit: int | None = None) -> list[Title]:
    """Pages of ours that are no translation, the newest first."""
    rows = (
        Page.objects.live()
        .annotate(above=above())
        .filter(wanted, translationpage__isnull=True, depth__gt=1, url_path__startswith=HOME_PATH)
        .order_by("-first_published_at", "-pk")
        .values_list(*_TITLE)[:limit]
    )
    rows = list(rows)
    titles: dict[str, dict[str, str]] = {row[1]: {"ja": row[3]} for row in rows}
    leads: dict[str, dict[str, str]] = {row[1]: {"ja": row[6] or row[7] or ""} for row in rows}
    translations = TranslationPage.objects.live().annotate(above=above()).filter(above__in=titles)
    for path, code, title, lead in translations.values_list("above", "language", "title", "lead"):
        titles[path][code], leads[path][code] = title, lead
    return [
        Title(
            id=row[0],
            path=row[1],
            rest=rest_of(row[2], HOME_PATH),
            kind=Kind(row[5]) if row[5] else None,
            titles=titles[row[1]],
            leads=leads[row[1]],
            published=row[4],
        )
        for row in rows
    ]


def shown_pictures() -> frozenset[int]:
    """The pictures that published pages show. One query."""
    rows = Shown.objects.filter(picture__isnull=False).values_list("picture", flat=True)
    return frozenset(rows.distinct())


@dataclass(frozen=True, slots=True)
class File:
    """A file that published pages offer."""

    id: int
    title: str
    name: str
    ending: str
    size: int


def files(numbers: Collection[int] | None = None) -> dict[int, File]:
    """The files that published pages offer (of these). One query."""
    rows = CityDocument.objects.filter(
        pk__in=Shown.objects.filter(file__isnull=False).values("file")
    )
    if numbers is not None:
        rows = rows.filter(pk__in=numbers)
    return {
        row.pk: File(
            row.pk,
            row.title,
            row.file.name,
            PurePosixPath(row.file.name).suffix.lower().removeprefix("."),
            row.file_size or 0,
        )
        for row in rows.order_by("title", "pk")
    }


def readings() -> dict[str, str]:
    """How the city reads words that a dictionary does not know. One query."""
    return dict(Reading.objects.values_list("word", "reading"))


@dataclass(frozen=True, slots=True)
class OldAddress:
    """An address that leads on: to a page of the tree, or to any other."""

    path: str
    page: int | None
    link: str


def old_addresses() -> list[OldAddress]:
    """Every redirect. One query."""
    rows = Redirect.objects.order_by("pk").values_list("old_path", "redirect_page", "redirect_link")
    return [OldAddress(path, page, here(link)) for path, page, link in rows]


def here(address: str) -> str:
    """An address of this site as one that begins with a slash; another's as it is."""
    ours = settings.PUBLIC_URL.rstrip("/")
    return address[len(ours) :] if address.startswith(f"{ours}/") else address


def old_ends(*, without: int | None) -> dict[str, str]:
    """Where each redirect but one leads that leads to an address and to no page. One query."""
    rows = Redirect.objects.exclude(pk=without).filter(redirect_page=None)
    return {old: here(link) for old, link in rows.values_list("old_path", "redirect_link")}


def addresses() -> list[tuple[str, bool]]:
    """The address of every published page without its language, and whether it is a section."""
    rows = (
        Page.objects.live()
        .filter(translationpage__isnull=True, depth__gt=2, url_path__startswith=HOME_PATH)
        .values_list("url_path", "sectionpage__pk")
    )
    return [(rest_of(path, HOME_PATH), section is not None) for path, section in rows]


def below(number: int, *, only: bool = False) -> Sequence[tuple[str, bool]]:
    """The same of a page with all that stands below it, or of it alone, published or not."""
    paths = Page.objects.filter(pk=number).values_list("path", flat=True)
    if not paths:
        return []
    rows = Page.objects.filter(
        Q(path=paths[0]) if only else Q(path__startswith=paths[0]),
        translationpage__isnull=True, depth__gt=2, url_path__startswith=HOME_PATH,
    ).values_list("url_path", "sectionpage__pk")  # fmt: skip
    return [(rest_of(one, HOME_PATH), section is not None) for one, section in rows]


@dataclass(frozen=True, slots=True)
class TakeoverView:
    """An older site that is taken over at the desk, and what became of its pages."""

    row: Takeover
    made: int
    changed: int
    broken: int
    looked: int
    needy: int

    @property
    def pages(self) -> int:
        """Pages that it wrote."""
        return self.made + self.changed


def takeovers(rows: "QuerySet[Takeover]") -> tuple[TakeoverView, ...]:
    """The newest first. One query."""
    here = Q(pages__page__isnull=False)
    found = rows.select_related("section", "asked_by").annotate(
        made=Count("pages", filter=here & Q(pages__before=None)),
        changed=Count("pages", filter=here & Q(pages__before__isnull=False)),
        broken=Count("pages", filter=Q(pages__page=None)),
        looked=Count("pages", filter=Q(pages__looked_at__isnull=False)),
        needy=Count("pages", filter=~Q(pages__needs=[])),
    )
    return tuple(
        TakeoverView(row, row.made, row.changed, row.broken, row.looked, row.needy)
        for row in found.order_by("-pk")[:LONGEST_LIST]
    )


def needs(takeover: int) -> list[tuple[Need, int]]:
    """On how many of its pages there is which need, the most frequent first. One query."""
    found: dict[Need, int] = {}
    for said in TakenOver.objects.filter(takeover=takeover).values_list("needs", flat=True):
        for need in {need for need, _ in said}:
            found[Need(need)] = found.get(Need(need), 0) + 1
    return sorted(found.items(), key=lambda one: -one[1])
