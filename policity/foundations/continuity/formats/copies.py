"""What lies where copies are kept: names, and what is inside before it is encrypted (age v1).

A generation is a folder named by the moment it was begun: `base.age`, a tar of the whole home, and
beside it `00000001.age` and so on, what changed in the database since. Where the data is in
PostgreSQL, `server.age` holds its data folder, and what changed is a piece of its log.
`files-00000001.age` and so on are tars of what else in the home is new, and say what is gone.
"""

import json
import re
import struct
import zlib
from datetime import UTC, datetime
from typing import NamedTuple

from policity.foundations.continuity.rules.wal import Changes

BASE = "base.age"
SERVER = "server.age"
MANIFEST = "manifest.json"
_MOMENT = "%Y%m%dT%H%M%SZ"
_FILES = re.compile(r"files-([0-9]{8})\.age")
_CHANGE = re.compile(r"([0-9]{8})\.age")


class BadCopyError(ValueError):
    """A copy cannot be read. The text says what is wrong with it, in Japanese."""


def generation(at: datetime) -> str:
    """The name of the generation that was begun at a moment."""
    return at.astimezone(UTC).strftime(_MOMENT)


def begun(name: str) -> datetime | None:
    """When a generation was begun, by its name; None for another name."""
    try:
        return datetime.strptime(name, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def change_name(number: int) -> str:
    """The name of a change: they count from 1."""
    return f"{number:08}.age"


def change_number(name: str) -> int | None:
    """The number of a change, by its name; None for another name."""
    found = _CHANGE.fullmatch(name)
    return int(found[1]) if found else None


def files_name(number: int) -> str:
    """The name of files that were new: they count from 1."""
    return f"files-{number:08}.age"


def files_number(name: str) -> int | None:
    """The number of files that were new, by their name; None for another name."""
    found = _FILES.fullmatch(name)
    return int(found[1]) if found else None


class Change(NamedTuple):
    """What changed in the database until `at`; `number` says where it belongs."""

    generation: str
    number: int
    at: datetime
    page_size: int
    changes: Changes


class Logged(NamedTuple):
    """What PostgreSQL wrote into its log until `at`, from position `start` on."""

    generation: str
    number: int
    at: datetime
    timeline: int
    start: int
    data: bytes


def pack_log(logged: Logged) -> bytes:
    """A piece of the log as bytes, compressed."""
    head = logged._asdict() | {"at": logged.at.isoformat()}
    del head["data"]
    return zlib.compress(json.dumps(head).encode() + b"\n" + logged.data, level=1)


def unpack_log(data: bytes) -> Logged:
    """What `pack_log` gave. Raises BadCopyError."""
    try:
        head, _, body = zlib.decompress(data).partition(b"\n")
        said = json.loads(head)
        return Logged(
            said["generation"],
            int(said["number"]),
            datetime.fromisoformat(said["at"]),
            int(said["timeline"]),
            int(said["start"]),
            body,
        )
    except (zlib.error, KeyError, TypeError, ValueError) as error:
        raise BadCopyError(f"変更の写しが読めません（{type(error).__name__}）") from error


def moment(data: bytes) -> datetime:
    """Up to when a change goes, of either kind, from what was packed. Raises BadCopyError."""
    try:
        head = zlib.decompressobj().decompress(data, 1 << 12).partition(b"\n")[0]
        return datetime.fromisoformat(json.loads(head)["at"])
    except (zlib.error, KeyError, TypeError, ValueError) as error:
        raise BadCopyError(f"変更の写しが読めません（{type(error).__name__}）") from error


def pack(change: Change) -> bytes:
    """A change as bytes, compressed."""
    head = {
        "generation": change.generation,
        "number": change.number,
        "at": change.at.isoformat(),
        "page_size": change.page_size,
        "size": change.changes.size,
        "pages": len(change.changes.pages),
    }
    parts = [json.dumps(head).encode(), b"\n"]
    for number, page in change.changes.pages.items():
        parts += [struct.pack(">I", number), page]
    return zlib.compress(b"".join(parts), level=1)


def unpack(data: bytes) -> Change:
    """What `pack` gave. Raises BadCopyError."""
    try:
        head, _, body = zlib.decompress(data).partition(b"\n")
        said = json.loads(head)
        page_size, count = int(said["page_size"]), int(said["pages"])
        length = 4 + page_size
        if len(body) != count * length:
            raise BadCopyError("変更の写しが、途中で切れています")
        pages = {
            struct.unpack_from(">I", body, start)[0]: body[start + 4 : start + length]
            for start in range(0, len(body), length)
        }
        return Change(
            said["generation"],
            int(said["number"]),
            datetime.fromisoformat(said["at"]),
            page_size,
            Changes(pages, int(said["size"])),
        )
    except (zlib.error, KeyError, TypeError, json.JSONDecodeError, struct.error) as error:
        raise BadCopyError(f"変更の写しが読めません（{type(error).__name__}）") from error
