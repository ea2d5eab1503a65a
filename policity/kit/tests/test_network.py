"""Which addresses are outside, whose a request is, and names that try to lead inside."""

import asyncio
import socket

import pytest

from policity.kit.network import NotPublic, is_public, last_hop, look_up, place


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("0.0.0.0", False),  # noqa: S104
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("127.8.8.8", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::7f00:1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::808:808", False),
        ("2002:a00:1::", False),
        ("2001:0:53aa:64c:0:0:0:1", False),
        ("2001:db8::1", False),
        ("fc00::1", False),
        ("fe80::1%lo", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:0:a00:1", False),
        ("::a00:1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("fd00:ec2::254", False),
        ("2606:4700::1111%1", False),
    ],
)
def test_which_addresses_are_public(address, public):
    assert is_public(address) is public


# What a resolver makes of a host, as it is typed in many disguises.
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]", "::1",
        "[::ffff:127.0.0.1]", "localhost", "169.254.169.254", "0xa9fea9fe", "2852039166",
        "[::ffff:169.254.169.254]", "10.0.0.1", "0x0a.1", "[fd00::1]", "[fe80::1]",
    ],
)  # fmt: skip
def test_no_way_of_writing_an_address_leads_inside(host):
    # A resolver that does not know the writing is as good as a refusal.
    with pytest.raises((NotPublic, socket.gaierror)):
        asyncio.run(look_up(host, 443))


def answers(monkeypatch, *turns: list[str]) -> list[int]:
    asked: list[int] = []

    async def getaddrinfo(*words, **more):
        asked.append(1)
        found = turns[min(len(asked), len(turns)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_is_asked_for_once_and_what_was_judged_is_given_back(monkeypatch):
    asked = answers(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    assert asyncio.run(look_up("rebinding.example", 443)) == ["93.184.216.34"]
    assert len(asked) == 1


def test_one_address_inside_refuses_them_all(monkeypatch):
    answers(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(NotPublic):
        asyncio.run(look_up("both.example", 443))
    assert asyncio.run(look_up("both.example", 443, allow_private=True)) == [
        "93.184.216.34",
        "10.0.0.1",
    ]


@pytest.mark.parametrize(
    ("said", "whose"),
    [("203.0.113.9", "203.0.113.9"), ("1.2.3.4, 203.0.113.9", "203.0.113.9"), ("", ""), ("a,", "")],
)
def test_the_last_one_is_what_our_front_wrote(said, whose):
    assert last_hop(said) == whose


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", ""),
        ("203.0.113.9:4711", ""),
    ],
)
def test_a_household_is_counted_as_one(address, counted):
    assert place(address) == counted
