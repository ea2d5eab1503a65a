"""A few residents, a message for them, and gateways that a test plays itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from policity.foundations.delivery.channels.desk import Hatch, Log, Tray
from policity.foundations.delivery.models import Dispatch, LedgerRow, Message
from policity.foundations.delivery.rules.handing import Answer, Item, Result
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services import send, tell
from policity.foundations.delivery.services.sending import Sender
from policity.foundations.places.models import Town
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Address, Place, Resident
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.services.versions import next_version
from policity.kit.declare import Lane
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

# Noon in the city: nobody is asleep.
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
TEXTS = {
    language.code: {"title": f"大雨 {language.code}", "body": "にげる"} for language in LANGUAGES
}


@pytest.fixture(autouse=True)
def _nobody_remembered():
    residents.forget()
    yield
    residents.forget()


@pytest.fixture
def people(city) -> Callable[..., list[int]]:
    """Residents of the first town: `people(3)`, with a mail address each unless told otherwise."""

    def people(
        count: int,
        channels: tuple[str, ...] = ("mail",),
        quiet: tuple[int, int] | None = None,
        language: str = "ja",
        wants: str = "",
    ) -> list[int]:
        town = Town.objects.here()[0]
        version = next_version()
        found = []
        for _ in range(count):
            person = Resident.objects.create(
                language=language,
                wants=wants,
                quiet_from=quiet and quiet[0],
                quiet_to=quiet and quiet[1],
                registered_at=NOW,
                version=version,
            )
            Place.objects.create(resident=person, town=town)
            for channel in channels:
                mail = channel == "mail"
                Address.objects.create(
                    resident=person,
                    channel=channel,
                    value=f"p{person.pk}@example.jp"
                    if mail
                    else f"https://push.example/{person.pk}",
                    p256dh="" if mail else "BA" + "A" * 85,
                    auth="" if mail else "A" * 22,
                    added_at=NOW,
                    confirmed_at=NOW,
                )
            found.append(person.pk)
        return found

    return people


def tell_of(
    thread: str = "story:1", severity: Severity = Severity.SEVERE, kind: str = "weather"
) -> Message:
    return tell(
        kind=kind, thread=thread, severity=severity, level=4, texts=TEXTS, told_at=NOW, now=NOW
    )


def send_of(
    thread: str = "story:1",
    severity: Severity = Severity.SEVERE,
    kind: str = "weather",
    corrects: bool = False,
    only_followers: bool = False,
    now: datetime = NOW,
) -> Dispatch:
    audience = Audience(
        kind,
        severity,
        followers_of=(thread,) if corrects or only_followers else (),
        only_followers=only_followers,
    )
    message = tell_of(thread, severity, kind)
    return send(messages=[message], audience=audience, by=None, now=now, corrects=corrects)


class Office:
    """A sender whose engines are the test itself. `answer` says what gateways think of an item."""

    def __init__(self, folder, lane=Lane.URGENT, known=None):
        self.folder = folder
        self.seconds = 0.0
        self.trays = {
            channel: Tray(Log(folder / channel), clock=lambda: self.seconds)
            for channel in ("mail", "push")
        }
        hatches = {
            channel: Hatch(folder / channel, partial(_order, tray))
            for channel, tray in self.trays.items()
        }
        self.sender = Sender(lane, hatches, known=known, clock=lambda: self.seconds)
        self.begun: list[Item] = []

    def turn(self, now=NOW):
        return self.sender.turn(now=now)

    def take(self, limit=10_000) -> list[Item]:
        """Begin what lies on the trays."""
        items = [item for tray in self.trays.values() for item in tray.take(limit)]
        for item in items:
            self._tray(item).note([], [item])
        self.begun += items
        return items

    def answer(self, items, result=Result.HANDED, code=250, text="ok"):
        for item in items:
            self._tray(item).note([Answer(item, result, code, text)], [])

    def settle(self, result=Result.HANDED, now=NOW, rounds=20, **said):
        """Turn until nothing more happens, answering everything alike."""
        for _ in range(rounds):
            moved = self.turn(now)
            items = self.take()
            self.answer(items, result, **said)
            if not moved and not items and not self.sender.busy:
                return

    def _tray(self, item):
        return self.trays["push" if item.keys else "mail"]


def _order(tray, name, *words):
    getattr(tray, name)(*words)


@pytest.fixture
def office(tmp_path) -> Office:
    return Office(tmp_path / "hand")


def states(message: int) -> dict[tuple[int, str], State]:
    rows = LedgerRow.objects.filter(message=message)
    return {(row.person, row.channel): State(row.state) for row in rows}


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)
