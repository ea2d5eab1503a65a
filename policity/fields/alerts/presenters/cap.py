"""An alert as CAP 1.2, one message with what it says in every language."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings

from policity.design import drills
from policity.fields.alerts.formats.cap_writer import CapAlert, CapArea, CapInfo, write_cap
from policity.fields.alerts.presenters.views import area_of
from policity.fields.alerts.queries import EventHistory, InForce
from policity.fields.alerts.queries.words import texts
from policity.fields.alerts.rules.bulletin import CAP, Change, Phenomenon, Severity
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
    """The alert as it stands. Each step of its history is a message that refers to those before.

    What is said again, for longer, is a message of its own. What merely runs out is none: its last
    message says until when it holds.
    """
    event = history.event
    sender = urlsplit(settings.PUBLIC_URL).hostname or "policity"
    over, steps = _called_off(history), history.steps
    if steps[-1].change is Change.CANCELLED and not over:
        steps = steps[:-1] or steps
    sent = [(n, step.at) for n, step in enumerate(steps, 1)]
    if event.reported_at > steps[-1].at:
        sent.append((len(steps), event.reported_at))
    messages = [(sender, f"{city.code}.{event.id}.{n}.{_stamp(at)}", at) for n, at in sent]
    _, identifier, at = messages[-1]
    return write_cap(
        CapAlert(
            identifier=identifier,
            sender=sender,
            sent=at,
            status="Exercise" if settings.DRILL else "Actual",
            msg_type="Cancel" if over else "Update" if len(messages) > 1 else "Alert",
            infos=tuple(_info(event, city, language, over=over) for language in LANGUAGES),
            references=tuple(messages[:-1]),
        )
    )


def _called_off(history: EventHistory) -> bool:
    """Whether an office said that it is over; else its time ran out, or it still holds."""
    event = history.event
    ended = history.steps[-1].change is Change.CANCELLED
    return ended and (event.withdrawn or event.ended_at != event.valid_until)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _info(event: InForce, city: CityView, language: Language, *, over: bool) -> CapInfo:
    text = texts().say(language.code, event.phenomenon, event.severity, event.level)
    name = texts().called(
        language.code, event.phenomenon, event.severity, told=event.name, kind=event.kind
    )
    level = texts().level_name(language.code, event.level) if event.level else ""
    return CapInfo(
        language="ja-x-easy" if language.code == "ja-easy" else language.html,
        categories=("Geo" if event.phenomenon in _GEO else "Met",),
        event=ruby.plain(name),
        urgency="Past" if over else "Expected" if event.severity.rank < 3 else "Immediate",
        severity=event.severity.value.capitalize(),
        certainty="Observed" if event.phenomenon is Phenomenon.EARTHQUAKE else "Likely",
        headline=ruby.plain(drills.titled(" ".join(filter(None, (name, level))), language.code)),
        description=ruby.plain(drills.told(text.headline, language.code)),
        instruction=""
        if over
        else "\n".join(ruby.plain(f"{step.title} {step.body}") for step in text.steps),
        response_types=("AllClear" if over else _RESPONSE[event.severity],),
        event_codes=(("JMA", event.code),) if event.code and event.kind != CAP else (),
        onset=event.started_at,
        expires=event.valid_until,
        sender_name=event.office,
        web=f"{settings.PUBLIC_URL.rstrip('/')}{language.prefix}alerts/{event.id}/",
        areas=(
            CapArea(
                ruby.plain(area_of(event, city, language.code)),
                geocodes=(
                    ("JIS X 0402", city.code)
                    if event.place == city.jma_code
                    else ("JMA", event.place),
                ),
            ),
        ),
    )
