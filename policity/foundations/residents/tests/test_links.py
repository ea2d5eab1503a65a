"""A link is for one person and one purpose, and nobody else can write one."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.residents.rules import links
from policity.foundations.residents.rules.links import LARGEST, BadLink, Purpose

KEY = b"a secret of the city"
NUMBERS = st.integers(0, LARGEST)


def write(purpose, person=1, about=0, key=KEY):
    return links.signer(key, purpose)(person, about)


@given(st.sampled_from(Purpose), NUMBERS, NUMBERS)
def test_a_link_says_whose_it_is_in_32_characters_that_an_address_can_carry(purpose, who, about):
    link = write(purpose, who, about)
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", link)
    assert links.read(KEY, purpose, link) == (who, about)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_bit_counts(purpose):
    raw = base64.urlsafe_b64decode(write(purpose, 123_456, 789))
    assert len(raw) == 24
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadLink):
            links.read(KEY, purpose, base64.urlsafe_b64encode(flipped).decode())


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_character_counts(purpose):
    link = write(purpose, 123_456, 789)
    for at, own in enumerate(link):
        for other in "AQgw0_-+/=~ あ\n":
            if other != own:
                with pytest.raises(BadLink):
                    links.read(KEY, purpose, link[:at] + other + link[at + 1 :])


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("other", list(Purpose))
def test_a_link_for_one_thing_is_none_for_another(purpose, other):
    if purpose is not other:
        with pytest.raises(BadLink):
            links.read(KEY, other, write(purpose))


def test_another_city_s_link_is_none():
    with pytest.raises(BadLink):
        links.read(KEY, Purpose.CHANGE, write(Purpose.CHANGE, key=b"another"))


@given(st.text() | st.text("ABab01-_=+/", min_size=32, max_size=32))
def test_what_is_no_link_is_refused(text):
    with pytest.raises(BadLink):
        links.read(KEY, Purpose.CHANGE, text)


@given(st.binary(min_size=24, max_size=24))
def test_guessing_gives_nothing(raw):
    with pytest.raises(BadLink):
        links.read(KEY, Purpose.LEAVE, base64.urlsafe_b64encode(raw).decode())


@pytest.mark.parametrize("number", [-1, LARGEST + 1])
def test_a_number_that_does_not_fit_is_no_link(number):
    for person, about in ((number, 0), (0, number)):
        with pytest.raises(OverflowError):
            write(Purpose.CHANGE, person, about)
