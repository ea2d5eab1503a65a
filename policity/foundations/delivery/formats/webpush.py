"""Web push: a message that only one browser can read, and the token that says who sent it. Pure.

RFC 8291 (keys), RFC 8188 (aes128gcm content), RFC 8292 (VAPID), RFC 8030 (request headers).
"""

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# A push service must take a body of 4096 bytes (RFC 8030, 7.2). 86 of them are the header, 16 the
# tag and one ends the text (RFC 8291, 4).
RECORD = 4096
LONGEST = RECORD - 86 - 16 - 1

# Texts are filled up to one of these, so that their length does not tell an evacuation order from
# a newsletter. A title, 250 Japanese characters and a link fit the first. The second is the most
# that reaches Firefox on Android, whose service packs a message once more (web-push-php: 2820).
LENGTHS = (1024, 2816, LONGEST)

# RFC 8292, 2: a token may live for 24 hours at most. Ours lives for half of it and is renewed an
# hour before its end, so that clocks that differ do no harm.
TOKEN_LIFE = timedelta(hours=12)
TOKEN_REST = timedelta(hours=1)
TOKENS_KEPT = 1000

MOST_TTL = timedelta(days=28)

_CURVE = ec.SECP256R1()
_ECDH = ec.ECDH()
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_ENDPOINT = re.compile(r"https://[!-\[\]-~]{1,2000}", re.IGNORECASE)  # printable, no backslash
_TOPIC = re.compile(r"[A-Za-z0-9_-]{0,32}")
_CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+|https://[^\s/]+\S*")

Urgency = Literal["very-low", "low", "normal", "high"]


def to_base64url(value: bytes) -> str:
    """Without padding, as browsers and RFC 8292 write keys."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of a key as a browser gives it, padded or not. ValueError: it is something else."""
    bare = text.rstrip("=")
    if not _BASE64URL.fullmatch(bare) or len(bare) % 4 == 1:
        raise ValueError("the key is not base64url")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def check(endpoint: str, p256dh: bytes, auth: bytes) -> None:
    """Refuse a subscription to which nothing could be sent. ValueError says in a line why.

    Whether the endpoint's host is one that we may speak to is seen when it is resolved, and only
    then: `channels/webpush.py`.
    """
    if not _ENDPOINT.fullmatch(endpoint):
        raise ValueError("the endpoint is not an https address of at most 2000 characters")
    parts = urlsplit(endpoint)
    _ = parts.port  # raises ValueError when it is none
    if not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError("the endpoint needs a host, and neither a user nor a fragment")
    if len(auth) != 16:
        raise ValueError(f"auth has {len(auth)} bytes, not 16")
    _point(p256dh)


class Envelope(NamedTuple):
    """What seals one message for one browser, but the message itself. For one use only.

    `head` is the header of the record (RFC 8188, 2.1), `key` and `nonce` are what RFC 8291 (3.4)
    derives from the browser's keys, our ephemeral key and a salt.
    """

    head: bytes
    key: bytes
    nonce: bytes

    def sealed(self, padded: bytes) -> bytes:
        """The body of a request, with a text that `pad` gave: the only record there is."""
        return self.head + AESGCM(self.key).encrypt(self.nonce, padded, None)


def envelope(p256dh: bytes, auth: bytes) -> Envelope:
    """For the browser that holds the keys, and for no other.

    A new ephemeral key and salt for every call (RFC 8291, 3.1). ValueError: no point on the curve.
    """
    return agree(p256dh, auth, ec.generate_private_key(_CURVE), os.urandom(16))


def encrypt(payload: bytes, p256dh: bytes, auth: bytes) -> bytes:
    """The body of a request. ValueError: more than 3993 bytes, or no point on the curve."""
    return envelope(p256dh, auth).sealed(pad(payload))


def pad(payload: bytes) -> bytes:
    """Fill up to the next of LENGTHS, after the mark of the last record (RFC 8188, 2)."""
    for length in LENGTHS:
        if len(payload) <= length:
            return payload + b"\x02" + bytes(length - len(payload))
    raise ValueError(f"the payload has {len(payload)} bytes, more than {LONGEST}")


def agree(p256dh: bytes, auth: bytes, key: ec.EllipticCurvePrivateKey, salt: bytes) -> Envelope:
    """`envelope` with its chances given. A key and salt are for one message only."""
    shared = key.exchange(_ECDH, _point(p256dh))
    ours = _raw(key.public_key())
    info = b"WebPush: info\0" + p256dh + ours
    return derive(_hkdf(auth, shared, info, 32), salt, ours)


def derive(secret: bytes, salt: bytes, keyid: bytes) -> Envelope:
    """An envelope of aes128gcm (RFC 8188, 2.2 and 2.3)."""
    cek = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    return Envelope(salt + RECORD.to_bytes(4, "big") + bytes((len(keyid),)) + keyid, cek, nonce)


def new_key() -> str:
    """A new private key for VAPID: its 32 bytes in base64url.

    One short line fits an environment variable, and it is the form in which the web-push packages
    of other languages keep theirs, so that a city can bring its key and its subscribers.
    """
    secret = ec.generate_private_key(_CURVE).private_numbers().private_value
    return to_base64url(secret.to_bytes(32, "big"))


class Vapid:
    """Who we are to push services (RFC 8292). One key pair for all residents of a city.

    `key` is what `new_key` gave. `contact` (mailto: or https:) is where a push service's staff
    find the city's. A subscription is bound to the key: with another one it is refused.
    `application_server_key` is the public half, as browsers want it in `subscribe()`.
    ValueError: the key or the contact is of another form.
    """

    def __init__(self, key: str, contact: str) -> None:
        if not _CONTACT.fullmatch(contact):
            raise ValueError("the contact for push services is not a mailto: or https: address")
        raw = from_base64url(key)
        if len(raw) != 32:
            raise ValueError(f"the VAPID key has {len(raw)} bytes, not 32")
        try:
            self._key = ec.derive_private_key(int.from_bytes(raw, "big"), _CURVE)
        except ValueError as error:
            raise ValueError("the VAPID key is none of the curve P-256") from error
        self._given = (key, contact)
        self._contact = contact
        self._tokens: dict[str, tuple[datetime, str]] = {}
        self.application_server_key = to_base64url(_raw(self._key.public_key()))

    def __reduce__(self) -> tuple[type["Vapid"], tuple[str, str]]:
        # On its way to another process: the library's key does not travel.
        return Vapid, self._given

    def header(self, origin: str, now: datetime) -> str:
        """The Authorization header for a push service, signed once and used until it ages.

        `origin` is the endpoint's scheme, host and port, as in `https://push.example.net`.
        """
        until, header = self._tokens.get(origin, (datetime.min.replace(tzinfo=UTC), ""))
        # A token from a clock that was ahead would live too long: it is not used either.
        if not TOKEN_REST <= until - now <= TOKEN_LIFE:
            until = now + TOKEN_LIFE
            claims = {"aud": origin, "exp": int(until.timestamp()), "sub": self._contact}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            header = f"vapid t={token}, k={self.application_server_key}"
            if len(self._tokens) >= TOKENS_KEPT:
                self._tokens.clear()
            self._tokens[origin] = until, header
        return header


@dataclass(frozen=True, slots=True)
class Options:
    """How a push service shall treat a message (RFC 8030, 5.2 to 5.4).

    `ttl`: how long it is kept for a browser that is away. `urgency`: "high" wakes a phone that
    saves its battery. `topic`: a later message of the same topic takes the place of one not yet
    delivered, at the service and (by its tag) on the screen, so that a double is seen once.
    ValueError: a value that services refuse.
    """

    ttl: timedelta
    urgency: Urgency = "normal"
    topic: str = ""

    def __post_init__(self) -> None:
        if not timedelta() <= self.ttl <= MOST_TTL:
            raise ValueError(f"a push message is kept for {MOST_TTL.days} days at most")
        if not _TOPIC.fullmatch(self.topic):
            raise ValueError("a topic has at most 32 characters of base64url")

    def headers(self) -> dict[str, str]:
        """The request's headers for them."""
        found = {"ttl": str(int(self.ttl.total_seconds())), "urgency": self.urgency}
        return found | {"topic": self.topic} if self.topic else found


def _point(raw: bytes) -> ec.EllipticCurvePublicKey:
    # The library would take a compressed point too; browsers give none (RFC 8291, 3.2).
    if len(raw) != 65 or raw[0] != 4:
        raise ValueError("p256dh is not an uncompressed point of 65 bytes")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, raw)
    except ValueError as error:
        raise ValueError("p256dh is not a point on the curve P-256") from error


def _raw(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
