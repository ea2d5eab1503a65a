"""A message that came to some, in every way, as its ledger has it."""

from collections.abc import Callable, Mapping

import pytest
from django.utils import timezone

from policity.back_office.tests.test_queue import dispatch
from policity.foundations.delivery.models import Dispatch, LedgerRow, Target
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services.counting import moved
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Place, Resident

EVERY_STATE = {state: 2 + state for state in State}


@pytest.fixture
def told(city) -> Callable[[Mapping[State, int]], int]:
    """`told({State.HANDED: 3})`: a dispatch to three, who live in the first two towns in turn."""

    def told(counts: Mapping[State, int]) -> int:
        now = timezone.now()
        message = dispatch()
        towns = Town.objects.here()[:2]
        people = [state for state, count in counts.items() for _ in range(count)]
        for number, state in enumerate(people):
            language = "en" if number % 3 == 0 else "ja"
            person = Resident.objects.create(language=language, registered_at=now, version=1)
            Place.objects.create(resident=person, town=towns[number % 2])
            Target.objects.create(message_id=message, person=person.pk)
            channel = "none" if state is State.UNREACHABLE else "mail"
            LedgerRow.objects.create(
                message_id=message, person=person.pk, channel=channel, state=state,
                changed_at=now, reason="550 p7@example.jp?" if state is State.FAILED else "",
            )  # fmt: skip
        Dispatch.objects.filter(message=message).update(targets=len(people), expanded_at=now)
        moved([message])
        return message

    return told
