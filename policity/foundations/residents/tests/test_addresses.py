"""Which addresses are taken, and how what people and browsers write is read."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.residents.rules.addresses import (
    BadAddress,
    Subscription,
    mail_address,
    subscription,
)

ENDPOINT = "https://push.example:8443/send/abc?x=1"
POINT, AUTH = "B" + "A" * 86, "A" * 22


def told(endpoint=ENDPOINT, p256dh=POINT, auth=AUTH, **more):
    return json.dumps({"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}, **more})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a@example.jp", "a@example.jp"),
        (" Taro.Yamada@EXAMPLE.Co.JP\r\n", "Taro.Yamada@example.co.jp"),
        ("taro..yamada.@docomo.example", "taro..yamada.@docomo.example"),
        ("a+b@xn--wgv71a119e.jp", "a+b@xn--wgv71a119e.jp"),
        ("'/?@example.jp", "'/?@example.jp"),
    ],
)
def test_a_mail_address_is_taken_as_people_write_it(text, address):
    assert mail_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "a", "a@b", "@example.jp", "a@example", "a@.jp", "a@example.jp.", "a b@example.jp",
        "a@exam ple.jp", "a＠example.jp", "あ@example.jp", "a@日本.jp", "a@example.jp,b@example.jp",
        "a@example.jp\nBcc: b@example.jp", "<a@example.jp>", '"a b"@example.jp', "a@[127.0.0.1]",
        "a@@example.jp", "a\x00@example.jp", f"{'a' * 65}@example.jp", f"a@{'b' * 64}.jp",
        f"a@{'b.' * 130}jp",
    ],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(text):
    with pytest.raises(BadAddress):
        mail_address(text)


@given(st.text())
def test_a_mail_address_is_one_line_that_an_envelope_can_carry(text):
    try:
        address = mail_address(text)
    except BadAddress:
        return
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' <>,;:\\"()[]')
    assert mail_address(address) == address


def test_a_subscription_is_what_the_browser_gave():
    assert subscription(told(expirationTime=None)) == Subscription(ENDPOINT, POINT, AUTH)


def test_keys_may_have_their_end():
    padded = base64.urlsafe_b64encode(b"\x04" + b"\xff" * 64).decode()
    assert subscription(told(p256dh=padded, auth=AUTH + "==")).p256dh == padded


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "1", '"x"', "{}", '{"endpoint": "https://a.example"}',
        '{"endpoint": "https://a.example", "keys": []}', "[" * 100_000,
        told(p256dh=None), told(p256dh=1), told(p256dh=[1]), told(auth=None),
        told(p256dh=POINT[:-1]), told(p256dh=POINT + "AAAA"), told(auth=AUTH[:-2]), told(p256dh=""),
        told(p256dh=POINT[:-1] + "+"), told(p256dh=POINT[:40] + "!!" + POINT[40:]),
        told(p256dh=POINT[:-1] + "あ"), told(auth=AUTH[:-1] + "\ud800"), told(auth="=" * 22),
    ],
)  # fmt: skip
def test_what_is_no_subscription_is_refused(text):
    with pytest.raises(BadAddress):
        subscription(text)


@pytest.mark.parametrize(
    "endpoint",
    [
        None, 1, ["https://a.example"], "", "http://push.example/1", "https://", "https:///1",
        "//push.example/1", "javascript:alert(1)", "https://push.example/\n1", " https://a.example",
        "https://push.example/a b", "https://push.example/あ", "https://push.example/\ud800",
        "https://push.example:99999/", "https://push.example:x/", "https://[::1/",
        "https://push.example/" + "a" * 2000,
    ],
)  # fmt: skip
def test_notifications_go_to_an_https_address_only(endpoint):
    with pytest.raises(BadAddress, match="https"):
        subscription(told(endpoint=endpoint))
