"""Envelopes that wait for a message: each is used once, and made anew when there is time."""

from datetime import timedelta

from policity.foundations.delivery.channels.stock import Stock
from policity.foundations.delivery.channels.webpush import WebPush
from policity.foundations.delivery.formats.webpush import Options, Vapid, new_key
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


class Idle:
    """A desk with nothing on it, for a few rounds."""

    rounds = 5

    def take(self, limit):
        return []

    def note(self, answers, begun):
        raise AssertionError("there is nothing to note")

    def wait(self, seconds):
        self.rounds -= 1
        return self.rounds > 0


def test_the_engine_prepares_while_it_has_nothing_to_send():
    engine = WebPush(
        vapid=Vapid(new_key(), "mailto:city@example.jp"), options=Options(timedelta(hours=1))
    )
    engine.expect([KEYS])
    engine.run(Idle())
    assert list(engine._stock._ready) == [KEYS]
