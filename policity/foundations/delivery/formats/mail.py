"""Mail: one text for many people, the sender that names each of them, and what bounces say. Pure.

Building a mail from its parts takes milliseconds; a message is built once a language, and a
person's copy is bytes put between bytes.
"""

import hmac
import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime, parseaddr
from hashlib import blake2b

LIMIT = 1024 * 1024
"""Bytes of a bounce. It holds the mail that came back, and ours are small."""

# Three bytes are four letters of base64, so 57 bytes are one line of 76 (RFC 2045, 6.8).
_ROW = 57
_LETTERS = 76
# "=?utf-8?B?" and "?=" leave 63 letters of the 75 a word may have (RFC 2047, 2), and the first
# word shares its line of 76 with the field's name.
_WORD = 39
_LONGEST_LINE = 900
_REASON = 300

_ATOM = r"[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]+"
_LABEL = r"[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_HOST}")
_QUOTED = re.compile(rf'"[ !#-\[\]-~]+"@{_HOST}')
_DOTTED = re.compile(rf"([.!#$%&'*+/=?^_`{{|}}~0-9A-Za-z-]+)@({_HOST})")
_KEY = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LINK = re.compile(r"https?://[!#-;=?-~]+")
_FIELD = re.compile(r"[0-9A-Za-z-]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[0-9A-Za-z]{1,8})*")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_BREAKS = re.compile("[\r\n\0]")
_NEWLINE = re.compile("\r\n|\r|\n")
# What a template writes itself, or what is a server's to write.
_OWN = {
    "from", "sender", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version",
    "list-unsubscribe", "list-unsubscribe-post", "auto-submitted", "precedence", "return-path",
    "received", "dkim-signature",
}  # fmt: skip


def mailbox(address: str) -> str:
    """The address as mail writes it (RFC 5321, 4.1.2); raises ValueError if it is none.

    Old addresses of Japanese mobile carriers have dots where no dot may stand
    (a..b.@docomo.ne.jp). They work when they are quoted, so they are.
    """
    if len(address) <= 254:
        if _ADDRESS.fullmatch(address) or _QUOTED.fullmatch(address):
            found = address
        elif dotted := _DOTTED.fullmatch(address):
            found = f'"{dotted[1]}"@{dotted[2]}'
        else:
            raise ValueError(f"not a mail address: {address[:80]!r}")
        if found.rindex("@") <= 64:
            return found
    raise ValueError(f"too long for a mail address: {address[:80]!r}")


class Template:
    """One mail in one language, rendered once. `personal` makes a person's copy of it.

    `body` is the text in pieces; between each two of them stands one personal line. `date` is
    aware. `headers` are further fixed fields, of plain text or wholly in ASCII. `bulk` says that
    no human wrote this to one person, so that nobody's out-of-office answers (RFC 3834). Anything
    that would break out of its field raises ValueError.

    The mail is utf-8 in base64 whatever the text, so it is 7-bit with CRLF and lines of 76, no
    server has to re-encode it under a DKIM signature, and no line of it begins with a dot.
    """

    __slots__ = ("domain", "head", "pieces")

    def __init__(
        self,
        *,
        sender: str,
        name: str,
        subject: str,
        body: Sequence[str],
        date: datetime,
        language: str,
        headers: Mapping[str, str] | None = None,
        bulk: bool = True,
    ) -> None:
        sender = mailbox(sender)
        if date.tzinfo is None:
            raise ValueError("a mail's date needs a time zone")
        if not _LANGUAGE.fullmatch(language):
            raise ValueError(f"not a language tag: {language[:40]!r}")
        if not body:
            raise ValueError("a mail without a body")
        fields = {
            "From": f"{_phrase(name)} <{sender}>" if name else f"<{sender}>",
            "Subject": _words(subject),
            "Date": format_datetime(date),
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "base64",
            "Content-Language": language,
        }
        if bulk:
            fields |= {"Auto-Submitted": "auto-generated", "Precedence": "bulk"}
        for field, text in (headers or {}).items():
            own = field.lower() in _OWN or field.lower().startswith("content-")
            if own or not _FIELD.fullmatch(field):
                raise ValueError(f"not a further field of a mail: {field[:40]!r}")
            fields[field] = _words(text)
        self.domain = sender.rpartition("@")[2]
        self.head = "".join(f"{field}: {text}\r\n" for field, text in fields.items()).encode()
        *first, last = body
        self.pieces = (*(_rows(_padded(_text(piece))) for piece in first), _rows(_text(last)))


def personal(
    template: Template, *, key: str, to: str, unsubscribe: str = "", lines: Sequence[str] = ()
) -> tuple[bytes, ...]:
    """A person's copy: the whole message, ready for SMTP, in pieces. Raises ValueError.

    The template's own pieces are the same objects in everybody's copy.

    `key` becomes the Message-ID: the same key, the same id, so that a copy sent twice is one
    mail to those who look. `unsubscribe` is a link that one POST is enough for (RFC 8058, which
    asks for https; a city that tries things out has none).
    `lines` are the personal lines, one for each gap between the template's pieces.
    """
    if not _KEY.fullmatch(key) or len(key) > 200:
        raise ValueError(f"not a key for a Message-ID: {key[:80]!r}")
    if len(lines) != len(template.pieces) - 1:
        raise ValueError(f"{len(template.pieces) - 1} personal lines, not {len(lines)}")
    fields = f"To: <{mailbox(to)}>\r\nMessage-ID: <{key}@{template.domain}>\r\n"
    if unsubscribe:
        if not _LINK.fullmatch(unsubscribe) or len(unsubscribe) > _LONGEST_LINE:
            raise ValueError(f"not a link: {unsubscribe[:80]!r}")
        fields += (
            f"List-Unsubscribe: <{unsubscribe}>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        )
    parts = [template.head, fields.encode() + b"\r\n", template.pieces[0]]
    for line, piece in zip(lines, template.pieces[1:], strict=True):
        if "\n" in line or "\r" in line or "\0" in line:
            raise ValueError("a personal line is one line")
        parts += (_rows(_padded(line.encode() + b"\r\n")), piece)
    return tuple(parts)


def _text(piece: str) -> bytes:
    """The piece with CRLF after every line, the last too (RFC 2045, 6.8)."""
    if "\0" in piece:
        raise ValueError("a NUL in the text")
    if piece and piece[-1] not in "\r\n":
        piece += "\n"
    return _NEWLINE.sub("\r\n", piece).encode()


def _padded(text: bytes) -> bytes:
    """Spaces before the last line's end make whole rows, so that what follows starts a new one."""
    short = -len(text) % _ROW
    return text[:-2] + b" " * short + b"\r\n" if short else text


def _rows(text: bytes) -> bytes:
    letters = b2a_base64(text, newline=False)
    rows = [letters[at : at + _LETTERS] for at in range(0, len(letters), _LETTERS)]
    return b"\r\n".join([*rows, b""])


def _words(text: str) -> str:
    """A field's text: as it is if it is plain ASCII, else as encoded words (RFC 2047)."""
    if _BREAKS.search(text):
        raise ValueError("a line break or NUL in a field of a mail")
    if not text or (_PLAIN.fullmatch(text) and "=?" not in text and len(text) <= _LONGEST_LINE):
        return text
    words = (b2a_base64(word, newline=False).decode() for word in _cut(text))
    return "\r\n ".join(f"=?utf-8?B?{word}?=" for word in words)


def _phrase(name: str) -> str:
    """A display name: quoted, or as encoded words with the address on a line of its own."""
    words = _words(name)
    if words != name:
        return f"{words}\r\n"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _cut(text: str) -> Iterator[bytes]:
    """The text as utf-8 in pieces of at most a word. No sign is cut in two (RFC 2047, 5)."""
    word = b""
    for sign in text:
        encoded = sign.encode()
        if len(word) + len(encoded) > _WORD:
            yield word
            word = b""
        word += encoded
    yield word


# Who a bounce is about (VERP): the sender of each copy names its message and its person.
_VERP = re.compile(r"[^@]+\+([0-9a-f]{1,16})\.([0-9a-f]{1,16})\.([0-9a-f]{15})@.+")


def verp(local: str, domain: str, message: int, person: int, key: bytes) -> str:
    """The envelope sender of one person's copy: local+message.person.seal@domain.

    The seal is 60 bits of a keyed hash, so that nobody can make somebody's address bounce. All is
    lower-case, because some servers make it so. Numbers are from 0 to 2^64 - 1. Raises ValueError,
    also when the local part would exceed the 64 characters of RFC 5321 (4.5.3.1.1).
    """
    if not (0 <= message < 1 << 64 and 0 <= person < 1 << 64):
        raise ValueError("numbers in a bounce address are from 0 to 2^64 - 1")
    return mailbox(f"{local}+{message:x}.{person:x}.{_seal(message, person, key)}@{domain}")


def read_verp(address: str, key: bytes) -> tuple[int, int] | None:
    """(message, person) of an address `verp` made with this key, else None."""
    found = _VERP.fullmatch(address.strip().lower())
    if found is None:
        return None
    message, person = int(found[1], 16), int(found[2], 16)
    return (message, person) if hmac.compare_digest(found[3], _seal(message, person, key)) else None


def _seal(message: int, person: int, key: bytes) -> str:
    said = f"bounce {message:x} {person:x}".encode()
    # Keyed BLAKE2b (RFC 7693) proves as much as an HMAC, in a fifth of its time.
    return blake2b(said, key=key[:64], digest_size=8).hexdigest()[:15]


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery status notification (RFC 3464) says of one copy.

    `to` is the address it came back to: the copy's envelope sender. `action` is failed, delayed,
    delivered, relayed or expanded; `status` is RFC 3463's ("5.1.1"); `diagnostic` is the far
    server's own words in one line, empty if it gave none.
    """

    to: str
    action: str
    status: str
    diagnostic: str


# Where one notification tells of several, the first is what counts.
_ACTIONS = {"failed": "5", "delayed": "4", "delivered": "2", "relayed": "2", "expanded": "2"}
_STATUS = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")


def read_bounce(data: bytes, to: str = "") -> Bounce:
    """A bounce as it arrived, with the envelope recipient if the caller knows it.

    Raises ValueError with one line if it is no delivery status notification: an out-of-office
    answer, a read receipt and a complaint are none.
    """
    if len(data) > LIMIT:
        raise ValueError(f"a bounce larger than {LIMIT} bytes")
    try:
        mail = message_from_bytes(data)
        blocks = _blocks(mail)
    except RecursionError:
        raise ValueError("a mail with too many parts in each other") from None
    if not blocks:
        raise ValueError("not a delivery status notification")
    told = {_line(block["Action"]).partition(" ")[0].lower(): block for block in reversed(blocks)}
    action = next((action for action in _ACTIONS if action in told), None)
    if action is None:
        raise ValueError("a delivery status notification without a known action")
    status = _STATUS.match(_line(told[action]["Status"]))
    kind, _, words = _line(told[action]["Diagnostic-Code"]).partition(";")
    return Bounce(
        to=_sent_to(mail, to),
        action=action,
        status=status[1] if status else f"{_ACTIONS[action]}.0.0",
        diagnostic=(words.strip() or kind)[:_REASON],
    )


def _blocks(mail: Message) -> list[Message]:
    """What is said of each recipient. The first block, of the message as a whole, has no action."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            inside = part.get_payload()
            blocks = inside if isinstance(inside, list) else []
            return [block for block in blocks if isinstance(block, Message) and block["Action"]]
    return []


def _sent_to(mail: Message, to: str) -> str:
    """The first address that could be one of `verp`'s, else the first.

    Before To, because aliases may have changed what the far server wrote to, and before
    Delivered-To, because that may name the mailbox where all bounces end.
    """
    fields: Iterable[object] = (
        field
        for name in ("X-Original-To", "Delivered-To", "Envelope-To", "To")
        for field in mail.get_all(name, [])
    )
    given = [to.strip(), *(parseaddr(_line(field))[1] for field in fields)]
    found = [address for address in given if address]
    if not found:
        raise ValueError("a delivery status notification that names no recipient of its own")
    return next((address for address in found if _VERP.fullmatch(address.lower())), found[0])


def _line(field: object) -> str:
    """A field's text in one line. It may be missing, folded, or hold bytes of no known charset."""
    text = "" if field is None else str(field)
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
