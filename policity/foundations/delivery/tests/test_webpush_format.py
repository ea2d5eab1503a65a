"""Web push messages against the RFCs' own vectors, and opened by another implementation."""

import json
from datetime import UTC, datetime, timedelta

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from policity.foundations.delivery.formats import webpush
from policity.foundations.delivery.formats.webpush import (
    LENGTHS,
    LONGEST,
    Options,
    Vapid,
    agree,
    check,
    derive,
    encrypt,
    from_base64url,
    new_key,
    to_base64url,
)

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
ORIGIN = "https://push.example.net"
AUTH = bytes(range(16))
BROWSER = ec.derive_private_key(20261125, ec.SECP256R1())
P256DH = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def opened(body: bytes) -> bytes:
    found: bytes = http_ece.decrypt(body, private_key=BROWSER, auth_secret=AUTH)
    return found


@pytest.fixture
def vectors(shared_data):
    return json.loads((shared_data / "webpush" / "vectors.json").read_text())


def test_the_example_of_rfc_8291(vectors):
    given_ = vectors["rfc8291_appendix_a"]
    key = ec.derive_private_key(
        int.from_bytes(from_base64url(given_["as_private"]), "big"), ec.SECP256R1()
    )
    envelope = agree(
        from_base64url(given_["ua_public"]),
        from_base64url(given_["auth_secret"]),
        key,
        from_base64url(given_["salt"]),
    )
    body = envelope.sealed(given_["plaintext"].encode() + b"\x02")
    assert to_base64url(body) == given_["body"]


def test_the_example_of_rfc_8188(vectors):
    given_ = vectors["rfc8188_3_1"]
    body = from_base64url(given_["body"])
    text = given_["plaintext"].encode() + b"\x02"
    assert derive(from_base64url(given_["key"]), body[:16], b"").sealed(text) == body


def test_the_example_of_rfc_8292_is_a_token_of_our_form(vectors):
    given_ = vectors["rfc8292_2_4"]
    theirs = jwt.decode(given_["jwt"], options={"verify_signature": False})
    header = Vapid(new_key(), given_["claims"]["sub"]).header(ORIGIN, NOW)
    token = header.partition("t=")[2].partition(",")[0]
    ours = jwt.decode(token, options={"verify_signature": False})
    assert theirs == given_["claims"]
    assert ours.keys() == theirs.keys()
    assert jwt.get_unverified_header(token) == jwt.get_unverified_header(given_["jwt"])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=LONGEST))
def test_a_browser_reads_what_was_written(payload):
    body = encrypt(payload, P256DH, AUTH)
    assert opened(body) == payload
    assert len(body) - 103 in LENGTHS


def test_no_two_messages_are_alike():
    one, two = encrypt(b"x", P256DH, AUTH), encrypt(b"x", P256DH, AUTH)
    assert one[:16] != two[:16], "the salt"
    assert one[21:86] != two[21:86], "the ephemeral key"


def test_an_order_and_a_newsletter_are_of_one_length():
    assert len(encrypt(b"x" * 80, P256DH, AUTH)) == len(encrypt(b"x" * 1024, P256DH, AUTH))


def test_the_longest_payload_and_one_more():
    assert len(encrypt(bytes(3993), P256DH, AUTH)) == 4096
    with pytest.raises(ValueError, match="3994 bytes, more than 3993"):
        encrypt(bytes(3994), P256DH, AUTH)


GOOD = "https://push.example.net/a?b=c"


@pytest.mark.parametrize(
    "endpoint", [GOOD, "https://push.example.net:8443/x", "HTTPS://[2001:db8::1]/x"]
)
def test_a_good_subscription_passes(endpoint):
    check(endpoint, P256DH, AUTH)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://push.example.net/a",
        "ftp://push.example.net/a",
        "https:///a",
        "https://user@push.example.net/a",
        "https://push.example.net/a#b",
        "https://push.example.net\\@other.example/a",
        "https://push.example.net:99999/a",
        "https://push.example.net/ a",
        "https://push.example.net/a\n",
        "https://プッシュ.example/a",
        "https://push.example.net/" + "a" * 2000,
    ],
)
def test_an_endpoint_that_is_none_is_refused(endpoint):
    with pytest.raises(ValueError, match=r"endpoint|[Pp]ort"):
        check(endpoint, P256DH, AUTH)


@pytest.mark.parametrize(
    ("p256dh", "auth", "why"),
    [
        (P256DH, AUTH[:15], "auth has 15 bytes"),
        (P256DH, AUTH + b"x", "auth has 17 bytes"),
        (b"", AUTH, "65 bytes"),
        (P256DH[:64], AUTH, "65 bytes"),
        (b"\x05" + P256DH[1:], AUTH, "65 bytes"),
        (b"\x02" + P256DH[1:33], AUTH, "65 bytes"),
        (P256DH[:64] + bytes([P256DH[64] ^ 1]), AUTH, "not a point on the curve"),
        (b"\x04" + bytes(64), AUTH, "not a point on the curve"),
    ],
)
def test_keys_that_are_none_are_refused(p256dh, auth, why):
    with pytest.raises(ValueError, match=why):
        check(GOOD, p256dh, auth)


@given(st.binary(max_size=80))
def test_base64url_goes_there_and_back(value):
    text = to_base64url(value)
    assert from_base64url(text) == value
    assert from_base64url(text + "=" * (-len(text) % 4)) == value


@pytest.mark.parametrize("text", ["a", "a+b/", "あ", "ab c", "abcd\n"])
def test_what_is_not_base64url_is_refused(text):
    with pytest.raises(ValueError, match="base64url"):
        from_base64url(text)


def test_a_push_service_can_verify_the_header():
    vapid = Vapid(new_key(), "mailto:bousai@city.example.jp")
    scheme, token, key = vapid.header(ORIGIN, NOW).replace(",", "").split()
    assert (scheme, key) == ("vapid", f"k={vapid.application_server_key}")
    point = from_base64url(key.removeprefix("k="))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(
        token.removeprefix("t="),
        public,
        algorithms=["ES256"],
        audience=ORIGIN,
        options={"verify_exp": False},
    )
    assert claims["sub"] == "mailto:bousai@city.example.jp"
    assert NOW.timestamp() < claims["exp"] <= (NOW + timedelta(hours=24)).timestamp()


def test_a_key_that_was_kept_is_the_same_identity():
    key = new_key()
    one, two = Vapid(key, "https://city.example.jp"), Vapid(key, "mailto:a@city.example.jp")
    assert one.application_server_key == two.application_server_key
    assert len(from_base64url(one.application_server_key)) == 65
    assert one.application_server_key != Vapid(new_key(), "mailto:a@b.jp").application_server_key


def test_a_token_is_signed_once_for_each_origin_until_it_ages(monkeypatch):
    signed = []
    encode = jwt.encode

    def counted(claims, *args, **settings):
        signed.append(claims)
        return encode(claims, *args, **settings)

    monkeypatch.setattr(jwt, "encode", counted)
    vapid = Vapid(new_key(), "mailto:a@city.example.jp")
    first = vapid.header(ORIGIN, NOW)
    assert vapid.header(ORIGIN, NOW + timedelta(hours=11)) == first
    vapid.header("https://other.example", NOW)
    assert [claims["aud"] for claims in signed] == [ORIGIN, "https://other.example"]
    assert vapid.header(ORIGIN, NOW + timedelta(hours=11, minutes=1)) != first
    # A clock that went back: the token would live for longer than a service accepts.
    vapid.header(ORIGIN, NOW - timedelta(days=2))
    assert signed[-1]["exp"] <= (NOW - timedelta(days=1)).timestamp()


def test_the_tokens_kept_are_bounded(monkeypatch):
    monkeypatch.setattr(webpush, "TOKENS_KEPT", 3)
    vapid = Vapid(new_key(), "mailto:a@city.example.jp")
    for number in range(10):
        vapid.header(f"https://{number}.example", NOW)
        assert len(vapid._tokens) <= 3


@pytest.mark.parametrize(
    "key", ["", "AAAA", "+", to_base64url(bytes(32)), to_base64url(b"\xff" * 32)]
)
def test_a_vapid_key_that_is_none_is_refused(key):
    with pytest.raises(ValueError, match=r"VAPID key|base64url"):
        Vapid(key, "mailto:a@city.example.jp")


@pytest.mark.parametrize("contact", ["", "a@city.example.jp", "mailto:", "http://city.example.jp"])
def test_a_contact_that_is_none_is_refused(contact):
    with pytest.raises(ValueError, match="contact"):
        Vapid(new_key(), contact)


def test_options_become_headers():
    options = Options(timedelta(hours=1), "high", "w-1_A")
    assert options.headers() == {"ttl": "3600", "urgency": "high", "topic": "w-1_A"}
    assert Options(timedelta()).headers() == {"ttl": "0", "urgency": "normal"}


@pytest.mark.parametrize("topic", ["a" * 33, "a b", "a.b", "警報"])
def test_a_topic_that_services_refuse_is_refused(topic):
    with pytest.raises(ValueError, match="topic"):
        Options(timedelta(), topic=topic)


@pytest.mark.parametrize("ttl", [timedelta(seconds=-1), timedelta(days=29)])
def test_a_time_that_services_refuse_is_refused(ttl):
    with pytest.raises(ValueError, match="28 days"):
        Options(ttl)
