"""When a file is taken, and what it can hold."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.crossing import formats
from policity.foundations.crossing.rules import Header, Refusal, RefusedError, judge
from policity.kit.sides import Role, Side, stands, works

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = Ed25519PrivateKey.generate()
TRUSTED = ((Side.INTERNET, KEY.public_key()),)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    name: str
    at: datetime


@dataclass(frozen=True)
class More(Inner):
    secret: str


@dataclass(frozen=True)
class Outer:
    count: int
    flag: bool
    colour: Colour
    note: str | None
    inner: tuple[Inner, ...]


def outer(*inner: Inner, note: str | None = None, count: int = 1) -> Outer:
    return Outer(count, True, Colour.RED, note, inner)


def header(number: int = 1, made_at: datetime = NOW, payload: bytes = b"{}") -> Header:
    return Header(
        "k", Side.INTERNET, Side.INTERNAL, number, made_at, formats.digest(payload)
    )  # fmt: skip


def refused(call) -> Refusal:
    with pytest.raises(RefusedError) as raised:
        call()
    return raised.value.refusal


@given(last=st.integers(0, 9), number=st.integers(0, 12), minutes=st.integers(-90, 90))
def test_only_the_next_one_of_now_is_taken(last, number, minutes):
    asked = header(number, NOW + timedelta(minutes=minutes))
    expected = (
        Refusal.REPLAY if number <= last
        else Refusal.GAP if number > last + 1
        else Refusal.FUTURE if minutes > 5
        else Refusal.OLD if minutes < -60
        else None
    )  # fmt: skip
    if expected:
        assert refused(lambda: judge(asked, last=last, oldest=HOUR, now=NOW)) is expected
    else:
        assert judge(asked, last=last, oldest=HOUR, now=NOW) == 0


def test_a_person_may_let_one_in_after_a_gap_and_it_is_counted():
    assert judge(header(5), last=2, oldest=HOUR, now=NOW, accept_gap=True) == 2


@given(
    note=st.none() | st.text(max_size=50),
    count=st.integers(),
    names=st.lists(st.text(max_size=20)),
)
def test_what_is_packed_comes_out_as_it_was(note, count, names):
    value = outer(*(Inner(name, NOW) for name in names), note=note, count=count)
    packed = formats.pack(Outer, value)
    assert b"\n" not in packed
    assert formats.unpack(Outer, packed) == value


@pytest.mark.parametrize(
    "value",
    [
        outer(More("a", NOW, "who they are")),
        outer(cast(Inner, "a")),
        outer(note="x" * (formats.LONGEST + 1)),
        outer(count=True),
        outer(Inner("a", NOW.replace(tzinfo=None))),
        {"count": 1},
    ],
    ids=["a subclass that holds more", "another type", "a document", "a bool", "no zone", "a dict"],
)
def test_what_the_schema_does_not_name_does_not_cross(value):
    with pytest.raises((TypeError, ValueError)):
        formats.pack(Outer, value)


GOOD = b'{"count":1,"flag":true,"colour":"red","note":null,"inner":[]}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"count":1', b'"count":1,"name":"x"'),
        (b'"count":1,', b""),
        (b'"count":1', b'"count":true'),
        (b'"count":1', b'"count":1.0'),
        (b'"red"', b'"blue"'),
        (b"[]", b'[{"name":"a","at":"2026-11-26T03:00:00"}]'),
        (b"[]", b"{}"),
        (GOOD, b"[" * 100_000),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(before, after):
    assert formats.unpack(Outer, GOOD)
    with pytest.raises(ValueError, match=r"."):
        formats.unpack(Outer, GOOD.replace(before, after))


def test_a_file_says_who_it_is_from_and_what_is_in_it():
    raw = formats.seal(header(), b"{}", KEY)
    assert formats.unseal(raw, TRUSTED) == (header(), b"{}")
    assert refused(lambda: formats.unseal(raw, ())) is Refusal.KEY
    # Signed, and yet not what its header says.
    wrong = formats.seal(header(payload=b"[]"), b"{}", KEY)
    assert refused(lambda: formats.unseal(wrong, TRUSTED)) is Refusal.FORGED
    # A key counts for the side it was given for.
    other = ((Side.INTERNAL, KEY.public_key()),)
    assert refused(lambda: formats.unseal(raw, other)) is Refusal.KEY


@given(data=st.data())
def test_no_byte_can_be_changed_and_none_be_missing(data):
    raw = formats.seal(header(payload=GOOD), GOOD, KEY)
    place = data.draw(st.integers(0, len(raw) - 1))
    flipped = raw[:place] + bytes([raw[place] ^ data.draw(st.integers(1, 255))]) + raw[place + 1 :]
    changed = data.draw(st.sampled_from([flipped, raw[:place], raw + raw[: place + 1]]))
    assert refused(lambda: formats.unseal(changed, TRUSTED))


@given(raw=st.binary(max_size=200))
def test_nothing_that_lies_about_breaks_the_reading(raw):
    for some in (raw, formats.FORMAT + b"\n" + raw, b"\n".join((formats.FORMAT, b"[" * 9999, raw))):
        assert refused(lambda some=some: formats.unseal(some, TRUSTED)) in (
            Refusal.CUT,
            Refusal.KEY,
            Refusal.FORGED,
        )


@pytest.mark.parametrize(
    ("side", "role", "tables", "work"),
    [
        (Side.INTERNET, Role.INTERNET, True, True),
        (Side.INTERNET, Role.INTERNAL, True, False),
        (Side.INTERNET, Role.ALL, True, True),
        (Side.INTERNAL, Role.INTERNET, False, False),
        (Side.INTERNAL, Role.INTERNAL, True, True),
        (Side.INTERNAL, Role.ALL, True, True),
        (Side.BOTH, Role.INTERNET, True, True),
        (Side.BOTH, Role.INTERNAL, True, True),
    ],
)
def test_where_a_slice_stands_and_works(side, role, tables, work):
    assert (stands(side, role), works(side, role)) == (tables, work)
