"""The situation crosses: two homes play in one database, the sides being told apart by settings."""

import json
import os
from datetime import timedelta

import pytest

from policity.fields.alerts.queries import situation as queries
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import orders
from policity.fields.alerts.tests.test_orders import decide  # noqa: F401  # a fixture
from policity.foundations.accounts.models import AuditEntry, Role
from policity.foundations.accounts.services import audit
from policity.foundations.crossing import formats, services, tasks
from policity.foundations.crossing.models import Crossing
from policity.foundations.crossing.rules import Header, Refusal
from policity.foundations.delivery.tests.conftest import NOW
from policity.foundations.places.models import Site
from policity.foundations.places.rules.openings import Openness
from policity.foundations.places.services import set_opening
from policity.kit import sides

MINUTE = timedelta(minutes=1)


@pytest.fixture
def link(tmp_path, settings):
    """The folder between them; both trust each other."""
    settings.HOME, settings.ROLE = tmp_path / "home", sides.Role.ALL
    (settings.HOME / "run").mkdir(parents=True)
    services.own_keys()
    (tmp_path / "link").mkdir()
    return tmp_path / "link"


@pytest.fixture
def send(link, settings):
    def send(now=NOW, **more):
        settings.ROLE = sides.Role.INTERNET
        return services.send(link, by=None, now=now, **more)

    return send


@pytest.fixture
def receive(link, settings):
    def receive(now=NOW, **more):
        settings.ROLE = sides.Role.INTERNAL
        return services.receive(link, by=None, now=now, **more)

    return receive


def test_whose_town_must_go_and_what_is_open_is_known_inside(
    decide,  # noqa: F811
    towns,
    staff,
    send,
    receive,
    link,
):
    decide(towns[:2], Level.EVACUATE, now=NOW - MINUTE)
    site = Site.objects.here()[0]
    set_opening(
        site=site.pk, seen=0, state=Openness.CROWDED, evacuees=31, note="秘密のメモ",
        by=staff(Role.COMMANDER), now=NOW,
    )  # fmt: skip
    assert [one.said for one in send()] == [""]
    (file,) = link.iterdir()
    assert "秘密のメモ" not in file.read_text()
    assert [one.said for one in receive(NOW + MINUTE)] == [""]
    assert list(link.iterdir()) == []
    found = queries.received()
    assert found.situation == queries.situation()
    assert [(one.level, one.since) for one in found.situation.orders] == [(4, NOW - MINUTE)] * 2
    assert [(one.name, one.state) for one in found.situation.sites] == [(site.name, "crowded")]
    assert (found.made_at, found.received_at) == (NOW, NOW + MINUTE)
    acts = AuditEntry.objects.filter(act__startswith="crossing.").order_by("number")
    sent, received = ((one.act, one.on, json.loads(one.detail)) for one in acts)
    assert sent[:2] == ("crossing.sent", "crossing.situation:1")
    assert received[:2] == ("crossing.received", "crossing.situation:1")
    assert sent[2]["digest"] == received[2]["digest"]


def test_what_was_lifted_is_gone_inside_too(decide, towns, send, receive, settings):  # noqa: F811
    decide(towns[:2])
    send()
    receive()
    # Inside nobody decides: it would be told to nobody.
    with pytest.raises(orders.OrderError, match="権限"):
        decide(towns[:2], None, reason="", now=NOW + MINUTE)
    settings.ROLE = sides.Role.INTERNET
    decide(towns[:2], None, reason="", now=NOW + MINUTE)
    send(NOW + 2 * MINUTE)
    receive(NOW + 2 * MINUTE)
    assert queries.received().situation.orders == ()


def change(file, before: bytes, after: bytes) -> None:
    file.write_bytes(file.read_bytes().replace(before, after))


def with_(**said):
    """Rightly signed, by the right side, with another header or payload."""

    def rewrite(file) -> None:
        sender = said.get("sender", sides.Side.INTERNET)
        payload = said.get("payload", file.read_bytes().split(b"\n")[2])
        head = Header(
            said.get("kind", "situation"), sender,
            said.get("receiver", sides.Side.INTERNAL), said.get("number", 2),
            said.get("made_at", NOW), formats.digest(payload),
        )  # fmt: skip
        file.write_bytes(formats.seal(head, payload, services._key(sender)))

    return rewrite


WRONG = {
    Refusal.CUT: lambda file: file.write_bytes(file.read_bytes()[:-50]),
    Refusal.LARGE: lambda file: file.write_bytes(b"x" * (16 * 1024 * 1024 + 1)),
    Refusal.KEY: lambda file: None,
    Refusal.FORGED: lambda file: change(file, b'"number":2', b'"number":3'),
    Refusal.SIDE: with_(sender=sides.Side.INTERNAL, receiver=sides.Side.INTERNET),
    Refusal.KIND: with_(kind="register"),
    Refusal.REPLAY: with_(number=1),
    Refusal.GAP: with_(number=3),
    Refusal.OLD: with_(made_at=NOW - timedelta(hours=7)),
    Refusal.FUTURE: with_(made_at=NOW + timedelta(hours=1)),
    Refusal.SCHEMA: with_(payload=b'{"city":"13229","orders":[],"sites":[],"who":"x"}'),
}


@pytest.mark.parametrize("refusal", Refusal)
def test_what_is_not_right_is_refused_said_logged_and_changes_nothing(
    city, send, receive, link, settings, refusal
):
    send()
    receive()
    before = queries.received()
    send(NOW + MINUTE)
    (file,) = link.glob("*.crossing")
    if refusal is Refusal.KEY:
        (settings.HOME / "crossing-trusted.txt").write_text("")
    WRONG[refusal](file)
    file = file.rename(link / "named.crossing")
    (outcome,) = receive(NOW + MINUTE)
    assert "。" in outcome.said
    last = Crossing.objects.latest("pk")
    assert (last.course, last.refusal) == ("refused", refusal)
    assert last.kind == ("" if refusal in (*BLIND, Refusal.KIND) else "situation")
    assert queries.received() == before
    assert (link / "refused" / file.name).exists()
    assert not file.exists()
    assert receive(NOW + MINUTE) == ()


BLIND = (Refusal.CUT, Refusal.LARGE, Refusal.KEY, Refusal.FORGED)


def test_one_side_does_not_write_to_itself(city, send, receive, link):
    send()
    (file,) = link.iterdir()
    with_(sender=sides.Side.INTERNAL, number=1)(file)
    (outcome,) = receive()
    assert "宛てた" in outcome.said


def test_after_one_that_came_too_late_the_next_is_taken(city, send, receive):
    send()
    (late,) = receive(NOW + timedelta(hours=7))
    assert "時間がたちすぎ" in late.said
    send(NOW + timedelta(hours=7))
    (good,) = receive(NOW + timedelta(hours=7))
    assert (good.number, good.said) == (2, "")


def test_a_gap_that_a_person_accepts_is_counted(city, send, receive, link):
    send()
    for file in link.iterdir():
        file.unlink()
    send()
    (refused,) = receive()
    assert "--accept-gap" in refused.said
    (link / "refused" / refused.file).rename(link / refused.file)
    (taken,) = receive(accept_gap=True)
    assert taken.said == ""
    assert Crossing.objects.latest("pk").missed == 1


def test_a_sender_that_came_back_from_a_copy_goes_on_behind_what_was_taken(city, send, receive):
    send()
    send()
    receive()
    Crossing.objects.filter(course="sent").delete()
    assert [one.number for one in send(after=2)] == [3]
    assert [one.said for one in receive()] == [""]


def test_what_was_cut_off_between_counting_and_naming_is_finished(city, send, link, settings):
    send()
    (file,) = link.iterdir()
    file.rename(file.with_suffix(".part"))
    (link / "internet-situation-0000000009.part").write_text("never counted")
    (link / "somebody else's.part").write_text("not ours")
    send()
    assert sorted(one.name for one in link.iterdir()) == [
        "internet-situation-0000000001.crossing",
        "internet-situation-0000000002.crossing",
        "somebody else's.part",
    ]


def test_what_cannot_be_taken_down_is_not_taken(city, send, receive, link, monkeypatch):
    send()
    broken = RuntimeError("the disk")

    def fail(*_, **__):
        raise broken

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        receive()
    assert queries.received() is None
    assert not Crossing.objects.filter(course="received").exists()
    assert len(list(link.iterdir())) == 1


def test_in_the_demo_what_is_new_crosses_by_itself_and_the_same_does_not_twice(
    decide,  # noqa: F811
    towns,
    link,
    settings,
):
    def minutes(number: int) -> None:
        assert tasks.across(NOW + number * MINUTE) == 0

    tasks._looked.clear()
    minutes(0)
    assert queries.received().situation.orders == ()
    decide(towns[:1], now=NOW)
    minutes(0)
    assert queries.received().situation.orders == ()
    minutes(1)
    assert len(queries.received().situation.orders) == 1
    minutes(2)
    assert Crossing.objects.count() == 4
    for role in (sides.Role.INTERNET, sides.Role.INTERNAL):
        settings.ROLE = role
        decide(towns[1:2], now=NOW) if role is sides.Role.INTERNET else None
        minutes(4)
    assert Crossing.objects.count() == 4


def test_nothing_crosses_from_a_drill_or_without_a_city(db, link, send, settings):
    assert send() == ()
    settings.DRILL = True
    with pytest.raises(services.CrossingError, match="訓練"):
        send()


def test_what_only_looks_like_a_file_stops_nobody(city, send, receive, link):
    (link / "a.crossing").mkdir()
    os.mkfifo(link / "b.crossing")
    send()
    assert [one.said for one in receive()] == [""]


def test_a_key_is_told_from_what_is_none_and_from_our_own(link, settings):
    line = services.own_keys()[0]
    settings.ROLE = sides.Role.INTERNET
    for text in ("x", line + " y", line[:-3], line):
        with pytest.raises(services.CrossingError, match="鍵"):
            services.trust(text)
    key = settings.HOME / "crossing-internet.key"
    assert key.stat().st_mode & 0o777 == 0o600
