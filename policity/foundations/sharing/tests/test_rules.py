"""Codes, addresses of ours, and which openings count."""

import random
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.sharing.rules import LETTERS, counts, new_code, own_address, read_code

OURS = "https://www.example.lg.jp"


@given(st.randoms(use_true_random=False))
def test_a_code_is_read_as_it_was_made_in_small_and_in_capital_letters(chance: random.Random):
    code = new_code(chance.choice)
    assert read_code(code) == read_code(code.upper()) == code


@given(st.text())
def test_what_is_no_code_is_none(typed: str):
    code = read_code(typed)
    assert code is None or (4 <= len(code) <= 6 and set(code) <= set(LETTERS))


@given(st.text() | st.from_regex(r"(https?:)?/{0,3}[\w.:@/\\?#%]*", fullmatch=True))
def test_no_address_leads_out_of_the_site(typed: str):
    own = own_address(typed, OURS)
    if own is not None:
        assert own.startswith("/")
        assert not own.startswith("//")
        assert own.endswith("/")
        assert urlsplit(own).netloc == ""


@pytest.mark.parametrize(
    ("typed", "own"),
    [
        ("/en/events/", "/en/events/"),
        (" /events ", "/events/"),
        ("https://www.example.lg.jp", "/"),
        ("https://www.example.lg.jp/events/?x=1#top", "/events/"),
        ("https://evil.example/events/", None),
        ("http://www.example.lg.jp/", None),
        ("//evil.example/", None),
        ("/%2Fevil.example/", None),
        ("javascript:alert(1)", None),
        ("events/", None),
        ("https://[", None),
    ],
)
def test_an_address_as_browsers_copy_it(typed, own):
    assert own_address(typed, OURS) == own


PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"


@pytest.mark.parametrize(
    ("method", "agent", "purpose", "is_counted"),
    [
        ("GET", PHONE, "", True),
        ("GET", "", "", True),
        ("GET", "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36", "", True),
        ("HEAD", PHONE, "", False),
        ("GET", PHONE, "prefetch;prerender", False),
        ("GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/x)", "", False),
        ("GET", "Mozilla/5.0 (compatible; bingbot/2.0)", "", False),
        ("GET", "Slackbot-LinkExpanding 1.0", "", False),
        ("GET", "facebookexternalhit/1.1", "", False),
        ("GET", "curl/8.5.0", "", False),
        ("GET", "python-requests/2.32", "", False),
    ],
)  # fmt: skip
def test_who_is_counted(method, agent, purpose, is_counted):
    assert counts(method=method, agent=agent, purpose=purpose) is is_counted
