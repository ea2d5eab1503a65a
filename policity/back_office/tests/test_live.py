"""The board as it changes: who may look, what one tick costs, and when a stream ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import AsyncClient, Client
from django.utils import timezone

from policity.back_office.tests.conftest import EVERY_STATE
from policity.back_office.tests.test_access import staff
from policity.back_office.tests.test_queue import dispatch
from policity.back_office.views import live
from policity.back_office.views.live import CHECK, Hub
from policity.fields.alerts.formats import read
from policity.fields.alerts.services import ingest
from policity.foundations.accounts.models import Role, RoleGrant, User
from policity.foundations.accounts.policies import MAY, Act
from policity.foundations.delivery import queries
from policity.foundations.delivery.models import LedgerRow
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services.counting import moved

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def hub(monkeypatch) -> Hub:
    """A hub whose ticks the test makes itself."""
    hub = Hub()
    monkeypatch.setattr(live, "HUB", hub)
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.05)
    return hub


class Reader:
    """One browser on the stream."""

    def __init__(self, hub: Hub, user: User, path: str = "/staff/live/", **headers: str) -> None:
        self.hub, self.user, self.path, self.headers = hub, user, path, headers
        self.client = AsyncClient()

    async def open(self) -> None:
        await self.client.aforce_login(self.user)
        self.answer = await self.client.get(self.path, headers=self.headers)
        assert self.answer.status_code == 200
        assert self.answer["Content-Type"] == "text/event-stream"
        self.stream: AsyncIterator[bytes] = aiter(self.answer.streaming_content)  # type: ignore[attr-defined]  # async here
        assert (await anext(self.stream)).startswith(b"retry: ")

    async def hear(self) -> tuple[str, dict[str, Any], str]:
        """The next event: its name, its data, its id."""
        fields = dict(
            line.split(": ", 1) for line in (await anext(self.stream)).decode().strip().split("\n")
        )
        return fields["event"], json.loads(fields["data"]), fields.get("id", "")

    async def ended(self) -> bool:
        try:
            while True:
                await anext(self.stream)
        except StopAsyncIteration:
            return True

    async def close(self) -> None:
        await self.stream.aclose()  # type: ignore[attr-defined]  # async here


async def tick(hub: Hub, later: timedelta = timedelta()) -> None:
    hub.begin(asyncio.get_running_loop())
    await sync_to_async(hub.tick)(now=timezone.now() + later)
    await asyncio.sleep(0)


@pytest.mark.parametrize("role", sorted(MAY[Act.SEE_BOARD]))
def test_every_role_may_look(hub, told, role):
    user = staff(role)

    async def look():
        hub.begin(asyncio.get_running_loop())
        reader = Reader(hub, user)
        await reader.open()
        assert (await reader.hear())[0] == "beat"
        await tick(hub)
        assert (await reader.hear())[0] == "board"
        await reader.close()

    async_to_sync(look)()
    assert hub.viewers == set()


def test_who_may_not_look(hub, client: Client):
    assert client.get("/staff/live/").status_code == 302
    client.force_login(User.objects.create(username="no-role", is_superuser=True))
    assert client.get("/staff/live/").status_code == 403


def test_wrong_methods_messages_and_processes(hub, client: Client, told):
    client.force_login(staff(Role.EDITOR))
    assert client.post("/staff/live/").status_code == 405
    assert client.get("/staff/live/?message=99").status_code == 404
    waiting = dispatch(approved=False)
    assert client.get(f"/staff/live/?message={waiting}").status_code == 404
    # The web process has two threads, and none for this.
    assert client.get("/staff/live/").status_code == 503


def test_one_count_and_one_rendering_for_many_viewers(hub, told, monkeypatch):
    told(EVERY_STATE)
    user = staff(Role.DUTY_OFFICER)
    counts: list[int] = []
    boards: list[int] = []
    renderings: list[int] = []
    for module, name, calls in (
        (queries, "count", counts),
        (live, "board", boards),
        (live, "panes", renderings),
    ):
        original = getattr(module, name)
        monkeypatch.setattr(
            module,
            name,
            lambda *a, original=original, calls=calls, **k: calls.append(1) or original(*a, **k),
        )

    async def look():
        hub.begin(asyncio.get_running_loop())
        readers = [Reader(hub, user) for _ in range(50)]
        for reader in readers:
            await reader.open()
        await tick(hub)
        heard = [await reader.hear() for reader in readers]
        assert len({number for _, _, number in heard}) == 1
        assert all(said == heard[0] for said in heard)
        for reader in readers:
            await reader.close()

    async_to_sync(look)()
    assert (len(counts), len(boards), len(renderings)) == (1, 1, 1)


def test_nobody_looking_costs_a_count_and_no_rendering(hub, told, monkeypatch):
    message = told(EVERY_STATE)
    monkeypatch.setattr(live, "board", lambda **_: pytest.fail("rendered for nobody"))
    hub.tick(now=timezone.now())
    assert len(queries.samples(message)) == 1


def test_a_tick_has_only_what_has_changed(hub, told):
    message = told({State.QUEUED: 10})
    user = staff(Role.VIEWER)

    def hand_over():
        LedgerRow.objects.filter(message=message).update(state=State.HANDED)
        moved([message])

    async def look():
        hub.begin(asyncio.get_running_loop())
        reader = Reader(hub, user)
        await reader.open()
        await tick(hub)
        _, first, number = await reader.hear()
        assert "10人のうち 0人" in first["panes"]["headline"]
        assert {"told", "force", "sending"} < first["panes"].keys()
        await sync_to_async(hand_over)()
        await tick(hub, timedelta(seconds=1))
        _, second, later = await reader.hear()
        assert "10人のうち 10人" in second["panes"]["headline"]
        assert "told" not in second["panes"]
        assert int(later) > int(number)
        await tick(hub, timedelta(seconds=2))
        # Nothing has changed: there is only a sign of life.
        assert (await reader.hear())[0] == "beat"
        # Who comes back with the last id has missed nothing.
        again = Reader(hub, user, **{"Last-Event-ID": later})
        await again.open()
        assert (await again.hear())[0] == "beat"
        other = Reader(hub, user, **{"Last-Event-ID": number})
        await other.open()
        assert (await other.hear())[1]["panes"].keys() == first["panes"].keys()
        for one in (reader, again, other):
            await one.close()

    async_to_sync(look)()


async def first_board(hub, user):
    """The panes of the first board that somebody reads."""
    hub.begin(asyncio.get_running_loop())
    reader = Reader(hub, user)
    await reader.open()
    await tick(hub)
    _, said, _ = await reader.hear()
    await reader.close()
    return said["panes"]


def test_what_a_tick_says_is_what_the_page_says(hub, told, client: Client):
    told(EVERY_STATE)
    user = staff(Role.DUTY_OFFICER)
    client.force_login(user)

    heard = async_to_sync(first_board)(hub, user)
    page = client.get("/staff/").content.decode()
    assert [name for name, pane in heard.items() if pane not in page] == []


def sign_out(user):
    Session.objects.all().delete()


def end_role(user):
    RoleGrant.objects.filter(user=user).update(ends=date(2001, 1, 1))


def leave(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


def new_password(user):
    user.set_password("another-correct-horse")
    user.save()


def become_viewer(user):
    """Who may see less gets another board, by coming back."""
    RoleGrant.objects.filter(user=user).update(role=Role.VIEWER)


@pytest.mark.parametrize("change", [sign_out, end_role, leave, new_password, become_viewer])
def test_a_stream_ends_with_what_it_was_allowed_for(hub, told, change):
    told({State.HANDED: 1})
    user = staff(Role.DUTY_OFFICER)

    async def look():
        hub.begin(asyncio.get_running_loop())
        await tick(hub)
        reader = Reader(hub, user)
        await reader.open()
        await sync_to_async(change)(user)
        # Not yet asked again …
        await tick(hub, CHECK / 2)
        assert (await reader.hear())[0] == "board"
        await tick(hub, CHECK)
        assert await reader.ended()

    async_to_sync(look)()
    assert hub.viewers == set()
    assert timedelta(0) < CHECK <= timedelta(minutes=1)


def test_a_stop_ends_every_stream(hub, told):
    user = staff(Role.VIEWER)

    async def look():
        hub.begin(asyncio.get_running_loop())
        readers = [Reader(hub, user) for _ in range(3)]
        for reader in readers:
            await reader.open()
        hub.end()
        assert [await reader.ended() for reader in readers] == [True] * 3

    async_to_sync(look)()
    assert hub.viewers == set()


def test_a_chosen_message_and_the_newest_are_two_boards(hub, told):
    first, _ = told({State.HANDED: 3}), told({State.HANDED: 5})
    user = staff(Role.VIEWER)

    async def look():
        hub.begin(asyncio.get_running_loop())
        readers = [Reader(hub, user), Reader(hub, user, f"/staff/live/?message={first}")]
        for reader in readers:
            await reader.open()
        await tick(hub)
        heard = [(await reader.hear())[1]["panes"]["headline"] for reader in readers]
        assert "5人のうち" in heard[0]
        assert "3人のうち" in heard[1]
        for reader in readers:
            await reader.close()

    async_to_sync(look)()


@pytest.mark.parametrize("status", ["訓練", "試験"])
def test_a_drill_is_never_streamed_as_real(hub, shared_data, status):
    sample = shared_data / "jma/official-samples/15_12_02_161130_VPWW53.xml"
    data = sample.read_bytes().replace("<Status>通常".encode(), f"<Status>{status}".encode())
    ingest(data, source="test", now=read(data).reported_at)
    user = staff(Role.VIEWER)

    heard = async_to_sync(first_board)(hub, user)
    assert f"【{status}】大雨警報" in heard["drills"]
    assert [name for name, pane in heard.items() if "大雨" in pane] == ["drills"]


def test_a_fault_of_one_tick_is_not_the_end(hub, monkeypatch):
    seen = []

    def fails(*, now):
        seen.append(now)
        if len(seen) == 2:
            hub._ended = True
        raise RuntimeError("locked")

    monkeypatch.setattr(hub, "tick", fails)
    hub._wake.set()
    monkeypatch.setattr(live, "pause", lambda took: timedelta())
    monkeypatch.setattr(connection, "close", lambda: None)
    hub.run(lambda: None)
    assert len(seen) == 2
