"""Mail addresses and push subscriptions as people and browsers give them. Pure."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_ADDRESS = re.compile(r"https://[\x21-\x7e]+")
_BASE64URL = re.compile("[A-Za-z0-9_-]*={0,2}")
_POINT_BYTES = 65
_AUTH_BYTES = 16


class BadAddress(ValueError):  # noqa: N818  # the thing refused
    """Not an address. The message is one Japanese sentence for whoever gave it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser's push subscription: where to (RFC 8030) and with which keys (RFC 8291)."""

    endpoint: str
    p256dh: str
    auth: str


def mail_address(text: str) -> str:
    """The address without what surrounds it, its domain in lower case. Raises BadAddress.

    Two dots in a row and a dot before the @ are let through: Japanese phones had such addresses.
    """
    tidy = text.strip()
    if not _MAIL.fullmatch(tidy) or len(tidy) > 254:
        raise BadAddress("メールアドレスの形が正しくありません。例のように入れてください。")
    local, _, domain = tidy.rpartition("@")
    return f"{local}@{domain.lower()}"


def subscription(text: str) -> Subscription:
    """What `PushSubscription.toJSON()` gave in the browser. Raises BadAddress."""
    try:
        read: Any = json.loads(text)
        endpoint, keys = read["endpoint"], read["keys"]
        found = Subscription(endpoint, keys["p256dh"], keys["auth"])
        lengths = (len(_bytes(found.p256dh)), len(_bytes(found.auth)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadAddress("通知の登録を読み取れません。もう一度お試しください。") from error
    if lengths != (_POINT_BYTES, _AUTH_BYTES):
        raise BadAddress("通知の登録の鍵が正しくありません。もう一度お試しください。")
    if not _sound(endpoint):
        raise BadAddress("通知の送り先が https のアドレスではありません。")
    return found


def _sound(endpoint: Any) -> bool:
    if not isinstance(endpoint, str) or len(endpoint) > 2000 or not _ADDRESS.fullmatch(endpoint):
        return False
    try:
        parts = urlsplit(endpoint)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _bytes(text: str) -> bytes:
    """From base64url, with its end or, as browsers write it, without. Raises ValueError."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
