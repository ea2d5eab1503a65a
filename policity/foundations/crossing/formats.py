"""The file that crosses: a header, what is in it, and a signature over both (Ed25519, RFC 8032).

Four lines of text, so that whatever looks into it on the way (無害化) can read it: the format's
name, the header and the payload as JSON, the signature in Base64. Pure.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from hashlib import sha256
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from policity.foundations.crossing.rules import Header, Refusal, RefusedError
from policity.kit.sides import Side

FORMAT = b"policity-crossing/1"
KEY = "policity-crossing-key/1"
# Characters of one text. What is longer is a document, and none crosses.
LONGEST = 1000


def seal(header: Header, payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The whole file."""
    said = {
        "kind": header.kind,
        "from": header.sender,
        "to": header.receiver,
        "number": header.number,
        "made_at": header.made_at.isoformat(),
        "digest": header.digest,
    }
    signed = b"\n".join((FORMAT, _json(said), payload)) + b"\n"
    return signed + b64encode(key.sign(signed)) + b"\n"


def unseal(raw: bytes, trusted: Collection[tuple[Side, Ed25519PublicKey]]) -> tuple[Header, bytes]:
    """The header and the payload of a file whose signature holds. Raises RefusedError.

    Who signed it must be the side that it says it comes from.
    """
    lines = raw.split(b"\n")
    if len(lines) != 5 or lines[0] != FORMAT or lines[4]:
        raise RefusedError(Refusal.CUT)
    try:
        said = json.loads(lines[1])
        header = Header(
            _is(str, said["kind"]), Side(said["from"]), Side(said["to"]),
            _is(int, said["number"]), _moment(said["made_at"]), _is(str, said["digest"]),
        )  # fmt: skip
        signature = b64decode(lines[3], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedError(Refusal.CUT) from error
    keys = [key for side, key in trusted if side is header.sender]
    if not keys:
        raise RefusedError(Refusal.KEY)
    signed = b"\n".join(lines[:3]) + b"\n"
    if not any(_holds(key, signature, signed) for key in keys):
        raise RefusedError(Refusal.FORGED if len(signature) == 64 else Refusal.CUT)
    if digest(lines[2]) != header.digest:
        raise RefusedError(Refusal.FORGED, header)
    return header, lines[2]


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def digest(payload: bytes) -> str:
    """By which a payload is known without keeping it."""
    return sha256(payload).hexdigest()


def key_line(side: Side, key: Ed25519PublicKey) -> str:
    """A public key as people carry it from one side to the other."""
    return f"{KEY} {side.value} {b64encode(key.public_bytes_raw()).decode()}"


def read_key(line: str) -> tuple[Side, Ed25519PublicKey]:
    """A public key and whose it is. Raises ValueError."""
    name, side, text = line.split()
    if name != KEY:
        raise ValueError(name)
    return Side(side), Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True))


def pack(schema: type, value: object) -> bytes:
    """A value as its schema says, and nothing more. Raises TypeError for what does not fit."""
    return _json(_out(schema, value))


def unpack(schema: type, payload: bytes) -> Any:
    """What `pack` made. Raises ValueError for a field too many, one too few, or another type."""
    try:
        return _in(schema, json.loads(payload))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _json(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _hints(schema: type) -> dict[str, Any]:
    hints = get_type_hints(schema)
    return {field.name: hints[field.name] for field in fields(schema)}


def _out(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        return None if value is None else _out(_some(hint), value)
    if get_origin(hint) is tuple:
        return [_out(get_args(hint)[0], one) for one in _is(tuple, value)]
    # The very type: a subclass may hold more than was meant to cross.
    _is(hint, value)
    if _is_schema(hint):
        return {name: _out(one, getattr(value, name)) for name, one in _hints(hint).items()}
    if hint is datetime:
        return _moment(value.isoformat()).isoformat()
    return _plain(value.value if isinstance(value, Enum) else value)


def _in(hint: Any, said: Any) -> Any:
    if get_origin(hint) is UnionType:
        return None if said is None else _in(_some(hint), said)
    if get_origin(hint) is tuple:
        return tuple(_in(get_args(hint)[0], one) for one in _is(list, said))
    if _is_schema(hint):
        hints = _hints(hint)
        if _is(dict, said).keys() != hints.keys():
            raise ValueError("other fields")
        return hint(**{name: _in(one, said[name]) for name, one in hints.items()})
    if hint is datetime:
        return _moment(said)
    if issubclass(hint, Enum):
        return hint(said)
    return _plain(_is(hint, said))


def _is_schema(hint: Any) -> bool:
    return is_dataclass(hint)


def _some(hint: Any) -> Any:
    """The type in "that or None"; no other union can cross."""
    (some,) = (one for one in get_args(hint) if one is not type(None))
    return some


def _is(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{type(value).__name__} is no {kind.__name__}")
    return value


def _plain(value: Any) -> Any:
    if type(value) not in (str, int, bool):
        raise TypeError(f"{type(value).__name__} cannot cross")
    if isinstance(value, str) and len(value) > LONGEST:
        raise ValueError("too long")
    return value


def _moment(said: str) -> datetime:
    found = datetime.fromisoformat(said)
    if found.tzinfo is None:
        raise ValueError("a moment without its zone")
    return found
