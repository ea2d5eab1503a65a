"""What residents see first: alerts, places and texts put together for a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from policity.design import assets
from policity.fields.alerts import presenters as alerts
from policity.fields.alerts.presenters import Going, Standing
from policity.fields.alerts.queries import records
from policity.fields.alerts.queries.orders import page as order_page
from policity.fields.alerts.queries.records import EmergencyView
from policity.fields.alerts.queries.words import texts
from policity.fields.alerts.rules.response import FrontState
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.presenters import SiteRow
from policity.foundations.places.queries import CityView, OpeningView, SiteView
from policity.foundations.places.rules.sites import HAZARDS, Kind
from policity.foundations.publishing.formats import document, page
from policity.kit import ruby
from policity.kit.declare import Document
from policity.kit.languages import LANGUAGES, Language

PAST_ON_HOME = 6
PAST_ON_CALM = 3


@dataclass(frozen=True, slots=True)
class City:
    """Everything that the city's first pages stand on, read once."""

    city: CityView
    sites: tuple[SiteView, ...]
    openings: Mapping[int, OpeningView]
    standing: Standing
    emergency: EmergencyView | None


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard with the number of sites that are designated for it."""

    key: str
    name: str
    count: int


def read() -> City:
    """The state of the city, its sites, and which of them are open."""
    return City(
        places_queries.city(),
        places_queries.sites(),
        places_queries.openings(),
        alerts.read(PAST_ON_HOME),
        records.emergency(),
    )


def home(read: City, code: str) -> dict[str, Any]:
    """The first page: the city's own orders, else the worst that JMA says, else how to prepare.

    Which of them, its context tells: `order`, `worst`, or neither. Call it with the page's
    language active.
    """
    standing = read.standing
    in_force = [alerts.view(event, code, city=read.city) for event in standing.in_force]
    going = _going(read, code)
    context = {
        "city_name": places.city_name(read.city, code),
        "state": standing.state.value,
        "summary": alerts.summary(standing, code),
        "in_force": in_force,
        "open": going,
        "headquarters": _headquarters(read, code),
    }
    if standing.orders.levels:
        return {
            **context,
            **alerts.ordered(standing, code, city=read.city, sites=going.points),
            "past": alerts.entries(standing, code, limit=PAST_ON_HOME),
        }
    if standing.state is FrontState.CALM:
        return {
            **context,
            "since": alerts.moment(standing.since, code) if standing.since else "",
            "past": alerts.ended_entries(standing, code, limit=PAST_ON_CALM),
            "hazards": _hazards(read, code),
            "calm": texts().calm(code),
        }
    return {
        **context,
        "worst": in_force[0],
        "past": alerts.entries(standing, code, limit=PAST_ON_HOME),
    }


def shelters(read: City, code: str) -> dict[str, Any]:
    """Which sites are open, and every site, its three kinds apart.

    Call it with the page's language active.
    """
    names = alerts.hazard_names(code)
    kinds = {
        kind: places.rows([s for s in read.sites if s.kind == kind], names, read.city, code)
        for kind in Kind
    }
    return {
        "city_name": places.city_name(read.city, code),
        "state": read.standing.state.value,
        "summary": alerts.summary(read.standing, code),
        "open": _going(read, code),
        "hazards": _hazards(read, code),
        "kinds": [
            (kind.value, texts().site_kind(code, kind), rows) for kind, rows in kinds.items()
        ],
    }


def state(read: City) -> dict[str, Any]:
    """The state for machines, and for pages that only link to it."""
    standing, orders = read.standing, read.standing.orders
    return {
        **({"drill": True} if settings.DRILL else {}),
        "state": standing.state.value,
        "emergency": read.emergency.began_at.isoformat() if read.emergency else None,
        "updated": standing.since.isoformat() if standing.since else None,
        "summary": {code: alerts.summary(standing, code) for code in texts().words},
        "in_force": [
            {
                "id": event.id,
                "phenomenon": event.phenomenon.value,
                "severity": event.severity.value,
                "level": event.level,
                "since": event.started_at.isoformat(),
                "page": f"/alerts/{event.id}/",
            }
            for event in standing.in_force
        ],
        "orders": [
            {
                "story": order.story,
                "level": order.level,
                "towns": [t.name for t in orders.towns if t.id in orders.towns_of(order)],
                "reason": order.reason,
                "since": order.issued_at.isoformat() if order.issued_at else None,
                "page": f"/{order_page(order.story or order.id)}",
            }
            for order in orders.standing
        ],
        "shelters_open": _machine_sites(read),
    }


def manifest(city: CityView, language: Language) -> dict[str, Any]:
    """What a telephone needs to put the city beside its apps (W3C Web Application Manifest)."""
    name = ruby.plain(places.city_name(city, language.code))
    return {
        "id": language.prefix,
        "name": name,
        "short_name": name,
        "lang": language.html,
        "start_url": language.prefix,
        "scope": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#17634a",
        "icons": [
            {
                "src": assets.address("icon.png"),
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "any maskable",
            },
            {"src": assets.address("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        ],
    }


def _machine_sites(read: City) -> list[dict[str, Any]]:
    """Sites that are open. `use` says which of them everybody may be told of."""
    used = alerts.uses(read.standing, read.sites, read.openings)
    return [
        {
            "id": site.source_id,
            "name": site.name,
            "kind": site.kind.value,
            "state": read.openings[site.id].state.value,
            "hazards": [key for key in HAZARDS if key in site.hazards],
            "use": used[site.id].value,
            "since": read.openings[site.id].at.isoformat(),
        }
        for site in read.sites
        if site.id in used
    ]


def _headquarters(read: City, code: str) -> str:
    """Since when the city has been working in disaster mode; empty while it does not."""
    return alerts.moment(read.emergency.began_at, code) if read.emergency else ""


def _going(read: City, code: str) -> Going:
    return alerts.going(read.standing, read.sites, read.openings, city=read.city, code=code)


def _hazards(read: City, code: str) -> list[Hazard]:
    sites = [site for site in read.sites if site.kind is Kind.EMERGENCY_SITE]
    return [
        Hazard(key, name, sum(key in site.hazards for site in sites))
        for key, name in alerts.hazard_names(code).items()
    ]


def home_documents(body: bytes, city_name: str, language: Language) -> tuple[Document, ...]:
    """What searching finds at home: the page, and where one registers, which has no file."""
    kind, section = gettext("案内"), gettext("防災")
    home = replace(document(body, kind=kind, section=section), title=city_name)
    register = Document(
        title=_phraseless(gettext("知らせを受け取る")),
        text=_phraseless(gettext("新しい知らせが、¦この言葉でとどきます。")),
        kind=home.kind,
        section=home.section,
        address=f"{language.prefix}register/",
    )
    return home, register


def shelter_documents(
    body: bytes, kinds: Sequence[tuple[str, Any, Sequence[SiteRow]]]
) -> tuple[Document, ...]:
    """What searching finds on the page of sites: the page, and each site on it."""
    section = gettext("防災")
    whole = document(body, kind=gettext("案内"), section=section)
    each = (
        Document(
            title=site.name,
            text=_phraseless(
                " ".join((site.address, *(name for _, name in site.hazards), site.receives))
            ),
            kind=_phraseless(text.name),
            section=whole.section,
            address=f"#site-{site.number}",
        )
        for _, text, sites in kinds
        for site in sites
    )
    # Whole is found by what it says itself: each site on it is found by its own name.
    return replace(whole, text=" ".join(_phraseless(text.body) for _, text, _ in kinds)), *each


def _phraseless(text: str) -> str:
    """Without marks of phrases."""
    return text.replace("¦", "").strip()


@dataclass(frozen=True, slots=True)
class Voice:
    """What an error page says in one language. Without a city there is only a home."""

    language: Language
    city_name: str
    title: str
    body: str
    home: str
    alerts: str
    shelters: str


# What happened, and what to do about it.
_ERRORS = {
    "404": (
        gettext_noop("このページはありません。"),
        gettext_noop("住所がちがうか、ページがなくなりました。"),
    ),
    "413": (
        gettext_noop("送られたものが大きすぎます。"),
        gettext_noop("ファイルや文を小さくして、もう一度送ってください。"),
    ),
    "429": (
        gettext_noop("少し待ってください。"),
        gettext_noop(
            "同じところから何度も送られたので、いったん止めました。命があぶないときは、119に電話してください。ほかは、少し待ってから、もう一度送ってください。"
        ),
    ),
    "busy": (
        gettext_noop("少し待ってください。"),
        gettext_noop(
            "同じところから何度も開かれたので、いったん止めました。少し待ってから、もう一度ためしてください。"
        ),
    ),
    "kept": (
        gettext_noop("お預かりしました。"),
        gettext_noop(
            "システムの一部が止まっています。直りしだい、自動で届きます。もう一度送らなくて大丈夫です。命があぶないときは、いますぐ119に電話してください。"
        ),
    ),
    "500": (
        gettext_noop("うまく動きませんでした。"),
        gettext_noop("こちらのせいです。少しまってから、もう一度ためしてください。"),
    ),
    "503": (
        gettext_noop("いま、この手つづきはお休みです。"),
        gettext_noop(
            "命があぶないときは、119に電話してください。ほかは、しばらくしてから、もう一度。知らせは、下から読めます。"
        ),
    ),
}


def voices(city: CityView | None, kind: str) -> list[Voice]:
    """An error page's words in every language: what happened, and where to go."""
    title, body = _ERRORS[kind]
    found = []
    for language in LANGUAGES:
        with translation.override(language.code):
            found.append(
                Voice(
                    language,
                    places.city_name(city, language.code) if city else "",
                    gettext(title),
                    gettext(body),
                    gettext("市のいまの状態"),
                    gettext("警報") if city else "",
                    gettext("避難所") if city else "",
                )
            )
    return found


@cache
def error(kind: str, language: Language) -> bytes:
    """An error's page in one language, without the database. Made once: it answers a flood."""
    said = [voice for voice in voices(None, kind) if voice.language == language]
    return page("public_site/error.html", language, "", {"voices": said})


def security_txt(today: date) -> tuple[str, date]:
    """Where people write who find a weakness (RFC 9116), and the day from which it says more.

    It counts for less than a year, as the standard asks; who does not keep the site running is
    not believed for ever. It changes once a month.
    """
    month = today.year * 12 + today.month - 1
    until, renewed = (date((month + n) // 12, (month + n) % 12 + 1, 1) for n in (6, 1))
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {until}T00:00:00Z",
        "Preferred-Languages: ja, en",
        f"Canonical: {settings.PUBLIC_URL.rstrip('/')}/.well-known/security.txt",
    ]
    return "\n".join(lines) + "\n", renewed
