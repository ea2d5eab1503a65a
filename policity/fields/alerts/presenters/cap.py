"""An alert as CAP 1.2, one message with what it says in every language."""

from urllib.parse import urlsplit

from django.conf import settings

from policity.fields.alerts.formats.cap_writer import CapAlert, CapArea, CapInfo, write_cap
from policity.fields.alerts.queries import EventHistory
from policity.fields.alerts.rules.bulletin import CAP, Phenomenon, Severity
from policity.fields.alerts.rules.texts import texts
from policity.foundations.places.presenters import city_name
from policity.foundations.places.queries import CityView
from policity.kit import ruby
from policity.kit.languages import LANGUAGES, Language

_GEO = {Phenomenon.EARTHQUAKE, Phenomenon.TSUNAMI, Phenomenon.VOLCANO}
# What the city asks for by how grave it is. JMA's word alone never says "Evacuate".
_RESPONSE = {
    Severity.MINOR: "Monitor",
    Severity.MODERATE: "Prepare",
    Severity.SEVERE: "Execute",
    Severity.EXTREME: "Execute",
}


def cap(history: EventHistory, city: CityView) -> bytes:
    """The alert as it stands. Each step of its history is a message that refers to those before."""
    event = history.event
    sender = urlsplit(settings.WAGTAILADMIN_BASE_URL).hostname or "policity"
    names = [f"{city.code}.{event.id}.{n}" for n, _ in enumerate(history.steps, 1)]
    sent = [step.at for step in history.steps]
    kind = "Cancel" if event.ended_at else "Update" if len(names) > 1 else "Alert"
    earlier = [(sender, name, at) for name, at in zip(names, sent, strict=True)][:-1]
    return write_cap(
        CapAlert(
            identifier=names[-1],
            sender=sender,
            sent=sent[-1],
            status="Actual",
            msg_type=kind,
            infos=tuple(_info(history, city, language) for language in LANGUAGES),
            references=tuple(earlier),
        )
    )


def _info(history: EventHistory, city: CityView, language: Language) -> CapInfo:
    event = history.event
    text = texts().say(language.code, event.phenomenon, event.severity, event.level)
    name = texts().called(
        language.code, event.phenomenon, event.severity, told=event.name, kind=event.kind
    )
    ended = event.ended_at is not None
    level = texts().level_name(language.code, event.level) if event.level else ""
    return CapInfo(
        language="ja-x-easy" if language.code == "ja-easy" else language.html,
        categories=("Geo" if event.phenomenon in _GEO else "Met",),
        event=ruby.plain(name),
        urgency="Past" if ended else "Expected" if event.severity.rank < 3 else "Immediate",
        severity=event.severity.value.capitalize(),
        certainty="Observed" if event.phenomenon is Phenomenon.EARTHQUAKE else "Likely",
        headline=ruby.plain(" ".join(filter(None, (name, level)))),
        description=ruby.plain(text.headline),
        instruction=""
        if ended
        else "\n".join(ruby.plain(f"{step.title} {step.body}") for step in text.steps),
        response_types=("AllClear" if ended else _RESPONSE[event.severity],),
        event_codes=(("JMA", event.code),) if event.code and event.kind != CAP else (),
        onset=event.started_at,
        expires=event.valid_until,
        sender_name=event.office,
        web=f"{settings.WAGTAILADMIN_BASE_URL.rstrip('/')}{language.prefix}alerts/{event.id}/",
        areas=(
            CapArea(
                ruby.plain(city_name(city, language.code)),
                geocodes=(("JIS X 0402", city.code),),
            ),
        ),
    )
