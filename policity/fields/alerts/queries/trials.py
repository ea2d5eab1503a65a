"""What rules would have done with telegrams that came, or with one that is laid before them."""

from dataclasses import dataclass, field
from datetime import datetime

from policity.fields.alerts.formats import read
from policity.fields.alerts.models import Action, Transition
from policity.fields.alerts.queries.events import event_key
from policity.fields.alerts.queries.here import here
from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity, Status
from policity.fields.alerts.rules.response import Answer, Responses
from policity.foundations.delivery import queries as delivery
from policity.foundations.places import queries as places
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.audience import Audience

PAST = 12


@dataclass(frozen=True, slots=True)
class Tried:
    """One step of one telegram, under the rules that are tried.

    `name` as the office called it. `persons` would be told now, `only_followers`: of those who
    heard of it before. `action` and `reached`: what was done with it then, and how many persons
    it reached; None where it is only tried.
    """

    at: datetime
    name: str
    phenomenon: Phenomenon
    severity: Severity
    change: Change
    answer: Answer
    persons: int
    only_followers: bool
    action: Action | None = None
    reached: int = 0


@dataclass(slots=True)
class Trial:
    """Rules on trial. Each audience is counted once."""

    rules: Responses
    _counted: dict[tuple[str, Severity], int] = field(default_factory=dict)

    def persons(self, phenomenon: Phenomenon, severity: Severity) -> int:
        """How many residents chose to hear of it, in the whole city."""
        key = self.rules.kind(phenomenon), severity
        if key not in self._counted:
            self._counted[key] = len(residents.find(Audience(*key)).persons)
        return self._counted[key]

    def past(self, phenomenon: Phenomenon, *, limit: int = PAST) -> list[Tried]:
        """The steps that real telegrams of this city brought last, the newest first."""
        city = places.city().jma_code
        steps = list(
            Transition.objects.filter(
                event__phenomenon=phenomenon,
                event__status=Status.ACTUAL,
                event__place=city,
                telegram__isnull=False,
            )
            .select_related("event")
            .order_by("-pk")[:limit]
        )
        lineage = places.lineage(city)
        then = delivery.persons_reached(step.message_id for step in steps if step.message_id)
        followers = {
            step.pk: len(delivery.followers((event_key(step.event_id),), before=step.message_id))
            for step in steps
            if step.change == Change.CANCELLED and step.message_id
        }
        found = []
        for step in steps:
            severity = Severity(step.severity_to or step.severity_from)
            change = Change(step.change)
            ends = change is Change.CANCELLED
            found.append(
                Tried(
                    step.at,
                    step.name,
                    phenomenon,
                    severity,
                    change,
                    self.rules.answer(phenomenon, severity, change, lineage),
                    followers.get(step.pk, 0) if ends else self.persons(phenomenon, severity),
                    ends,
                    Action(step.action),
                    then.get(step.message_id or 0, 0),
                )
            )
        return found

    def of_file(self, data: bytes) -> tuple[Status, list[Tried]]:
        """What a telegram's bytes would bring if they came in now, and whether they are real.

        Nothing is taken in. Raises `rules.bulletin.Refused`.
        """
        bulletin = read(data)
        lineage = places.lineage(places.city().jma_code)
        return bulletin.status, [
            Tried(
                bulletin.reported_at,
                event.name,
                event.phenomenon,
                event.severity,
                event.change,
                self.rules.answer(event.phenomenon, event.severity, event.change, lineage),
                self.persons(event.phenomenon, event.severity),
                event.change is Change.CANCELLED,
            )
            for event in here(bulletin, lineage, root=bulletin.identity)
        ]
