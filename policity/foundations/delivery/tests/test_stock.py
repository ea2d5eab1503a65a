"""Envelopes that wait for a message: each is used once, and made anew when there is time."""

from policity.foundations.delivery.channels.stock import Stock
from policity.foundations.delivery.tests.test_webpush_format import AUTH, P256DH

KEYS = (P256DH, AUTH)


def test_an_envelope_is_used_once_and_made_anew():
    stock = Stock()
    stock.want([KEYS, KEYS])
    assert stock.fill(60) is False
    made = stock._ready[KEYS]
    assert stock.take(*KEYS) is made
    # Nothing is prepared now: it is made on the spot, and it is another one.
    other = stock.take(*KEYS)
    assert other.head != made.head
    assert other.key != made.key
    assert stock.fill(60) is False
    third = stock.take(*KEYS)
    assert len({made.head, other.head, third.head}) == 3


def test_it_fills_for_a_moment_and_says_whether_there_is_more():
    seconds = iter([0.0, 5.0, 5.0, 10.0, 15.0])
    stock = Stock(clock=lambda: next(seconds))
    stock.want([KEYS, (P256DH, bytes(16))])
    assert stock.fill(1) is True
    assert len(stock._ready) == 1
    assert stock.fill(100) is False
    assert len(stock._ready) == 2


def test_keys_that_are_none_stop_nobody_else():
    stock = Stock()
    stock.want([(b"", b""), KEYS])
    stock.fill(60)
    assert list(stock._ready) == [KEYS]
