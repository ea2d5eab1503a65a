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
from policity.fields.charm.tests.test_photographs import media
from policity.fields.charm.tests.test_web import FORM, SEND, photo
from policity.foundations.accounts.models import AuditEntry, Role
from policity.foundations.accounts.tests.factors import sign_in
from policity.foundations.city_plan.models import Comment
from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.models import Alarm, LedgerRow, Reply
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.tests.conftest import send_of
from policity.foundations.events.models import Occurrence
from policity.foundations.residents import queries
from policity.foundations.residents import services as residents
from policity.foundations.residents.models import Resident
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services.registering import Dead
from policity.project import logs
from tests.test_attacks import call_for, event_for, everybody

__all__ = ["everybody", "media"]

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


def test_nor_does_who_signed_up_commented_or_sent_a_photograph(
    client: Client,
    written,
    media,
    everybody,
):
    now = timezone.now()
    event_for(everybody[Role.EDITOR], now=now)
    time, call = Occurrence.objects.get().pk, call_for(everybody[Role.PLANNER], now=now)
    client.force_login(everybody[Role.EDITOR])
    keeper = Client()
    keeper.force_login(everybody[Role.PLANNER])
    for name in NAMES:
        mail = f"{name}@example.jp"
        signed = client.post(
            f"/events/register/{time}/", {"email": mail, "name": name, "seats": "1"}
        )
        assert signed.status_code == 302
        client.post(f"/events/register/{time}/", {"email": f"{name}@", "name": name})
        said = {"text": f"{name}です", "name": name, "address": f"{name}町", "measure": ""}
        assert client.post(f"/plan/comments/send/{call}/", said).status_code == 302
        client.post(f"/plan/comments/send/{call}/", said | {"text": "", "measure": name})
        client.get(f"/plan/comments/me/{name}/")
        client.get(f"/events/me/{name}/")
        desk = {"name": name, "phone": f"090-{name}", "seats": "1"}
        client.post(f"/staff/events/times/{time}/add/", desk)
        typed = {**said, "channel": "paper", "received": timezone.localdate().isoformat()}
        keeper.post(f"/staff/plan/comments/{call}/type/", typed)
        keeper.get(f"/staff/plan/comments/{call}/?words={name}")
    for name in NAMES[:3]:
        form = {**FORM, "alt": name, "credit": name, "email": f"{name}@example.jp"}
        assert client.post(SEND, {**form, "photographs": [photo(f"{name}.jpg")]}).status_code == 302
        client.post(SEND, {**form, "photographs": [photo(f"{name}.jpg", b"no picture")]})
    assert Comment.objects.filter(name__in=NAMES).count() >= PEOPLE
    said = written.getvalue()
    assert len(said.splitlines()) > 5 * PEOPLE
    assert [name for name in NAMES if name in said] == []
    trail = json.dumps(list(AuditEntry.objects.values_list("by", "act", "on", "detail")))
    assert [name for name in NAMES if name in trail] == []
