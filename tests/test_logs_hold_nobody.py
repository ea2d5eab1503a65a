"""Fifty people go through all that asks for their particulars; then the logs are searched."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from django.test import Client
from django.utils import timezone

from policity.back_office.tests.test_access import PASSWORD
from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import AuditEntry, Role
from policity.foundations.accounts.tests.factors import sign_in
from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.models import Alarm, LedgerRow, Reply
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.tests.conftest import send_of
from policity.foundations.residents import queries
from policity.foundations.residents import services as residents
from policity.foundations.residents.models import Resident
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services.registering import Dead
from policity.project import logs

pytestmark = pytest.mark.usefixtures("city")

PEOPLE = 50
HELP = Reply.Answer.HELP
NAMES = [f"planted-{number:02}" for number in range(PEOPLE)]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Every line that any logger writes, down to the smallest."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=logs.RENDER, foreign_pre_chain=logs.SHARED)
    )
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def test_nobody_who_was_planted_stands_in_a_log(client: Client, written, tmp_path, settings):
    settings.HOME = tmp_path
    now = timezone.now()
    header = "external_id,email,push,town,lat,lon,language,kinds,quiet_from,quiet_to,born,household"
    lines = [f"{n},{n}@example.jp,,泉町一丁目,,,ja,,,,1950,{n}" for n in NAMES]
    residents.import_list("\n".join([header, *lines]).encode(), now=now)
    # What cannot be taken is named to who takes it in, and to nobody else.
    refused = residents.import_list(
        "\n".join([header, f"x,{NAMES[0]}@,,{NAMES[1]},,,ja,,,,,"]).encode(), now=now
    )
    assert NAMES[1] in refused.refused[0].reason
    officer = create(Role.DUTY_OFFICER, "officer")
    message = send_of().message_id
    for number, name in enumerate(NAMES):
        client.post("/register/", {"town": "泉町一丁目", "email": f"{name}-web@example.jp"})
        client.post("/register/", {"town": name, "email": f"{name}@"})
        client.get(f"/register/?{name}")
        client.get(f"/me/{name}/")
        client.post("/staff/sign-in/", {"username": name, "password": f"{name}-secret"})
        person = Resident.objects.get(external_id=name)
        link = queries.link(Purpose.CHANGE, person.pk)
        client.post(f"/me/{link}/mail/", {"email": f"{name}-new@example.jp"})
        LedgerRow.objects.create(
            message_id=message, person=person.pk, channel="mail", state=State.HANDED, changed_at=now
        )
        delivery.reply(message=message, person=person.pk, channel="mail", answer=HELP, now=now)
        delivery.tell_more(
            message=message, person=person.pk, phone=f"090-{name}", situation=[name], now=now
        )
        if number % 2:
            residents.retire([Dead(person.pk, "mail", "", f"550 {name}@example.jp")], now=now)
        else:
            residents.leave(resident=person.pk, now=now)
    assert sign_in(client, officer, PASSWORD).status_code == 302
    for path in ("", "alarms/", "orders/", "chronology/", "audit/"):
        client.get(f"/staff/{path}?q={NAMES[3]}")
    for alarm in Alarm.objects.filter(closed_at=None)[:5]:
        client.post(f"/staff/alarms/{alarm.pk}/close/", {"outcome": NAMES[4]})
    client.post("/staff/chronology/note/", {"text": NAMES[5]})
    said = written.getvalue()
    assert len(said.splitlines()) > 5 * PEOPLE
    assert [name for name in NAMES if name in said] == []
    # Nor in the trail of what staff did, but for what staff did themselves.
    trail = json.dumps(list(AuditEntry.objects.values_list("by", "act", "on", "detail")))
    assert [name for name in NAMES if name in trail] == []
