"""A mail as a file (RFC 5322, .eml): what somebody wrote, without what they attached. Pure."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from html import unescape

from policity.foundations.city_plan.rules.commenting import readable, tidy

LARGEST = 900_000
# Lines that quote another's words are theirs to keep: nothing is cut but markup.
_TAG = re.compile(
    r"<(?:script|style)\b.*?</(?:script|style)\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE
)
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr)\b[^>]*>", re.IGNORECASE)


class BadMail(ValueError):  # noqa: N818  # the thing refused
    """No mail that can be read. The message is one Japanese sentence."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. `at` is when its sender's program says it was sent, None: it does not."""

    text: str
    name: str
    address: str
    at: datetime | None


def read(data: bytes) -> Mail:
    """Read a mail; of several forms of its text the plain one. Raises BadMail."""
    if len(data) > LARGEST:
        raise BadMail(
            "ファイルが大きすぎます。900KBまでのメールを選ぶか、本文を写して入れてください。"
        )
    try:
        mail = email.message_from_bytes(data, policy=email.policy.default)
        text, sender, at = _text(mail), mail["from"], mail["date"]
        found = sender.addresses[0] if sender and sender.addresses else None
        name = str(found.display_name) if found else ""
        address = str(found.addr_spec) if found else ""
        return Mail(text, _clean(name), _clean(address), at.datetime if at else None)
    except BadMail:
        raise
    except Exception as error:  # the library breaks at what strangers write in many ways
        raise BadMail(_UNREADABLE) from error


_UNREADABLE = "メールとして読めません。.eml のファイルを選ぶか、本文を写して入れてください。"


def _text(mail: EmailMessage) -> str:
    if not mail.keys():
        raise BadMail(_UNREADABLE)
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        raise BadMail(_UNREADABLE)
    said = body.get_payload(decode=True)
    if not isinstance(said, bytes):
        raise BadMail(_UNREADABLE)
    try:
        text = said.decode(body.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = said.decode("utf-8", "replace")
    if body.get_content_subtype() == "html":
        text = unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    if not (text := _clean(text)):
        raise BadMail(_UNREADABLE)
    return text


def _clean(text: str) -> str:
    """Without signs that no form takes: what they meant nobody knows."""
    return readable(tidy(text)).strip()
