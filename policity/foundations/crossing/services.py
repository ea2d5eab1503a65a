"""Sending to the other installation and taking from it, by files in a folder.

A folder is whatever lies between the two: a stick, a relay that looks into files, a one-way link.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.crossing import formats, queries
from policity.foundations.crossing.models import Crossing
from policity.foundations.crossing.rules import (
    LARGEST,
    SAID,
    Header,
    Refusal,
    RefusedError,
    judge,
)
from policity.foundations.work.services import alone
from policity.kit import declare
from policity.kit.sides import Side, other

ENDING = ".crossing"
REFUSED = "refused"


class CrossingError(Exception):
    """Nothing was done. The text says what to do, in Japanese."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. `said` is empty where it went or was taken."""

    file: str
    kind: str
    number: int | None
    said: str = ""


def own_keys() -> tuple[str, ...]:
    """Our public keys, as lines to be carried to the other side; made where there are none yet.

    Where one installation is both sides, each trusts the other.
    """
    lines = tuple(formats.key_line(side, _key(side).public_key()) for side in queries.sides())
    if len(lines) > 1:
        for line in lines:
            trust(line)
    return lines


def trust(line: str) -> None:
    """From now on take what this key has signed. Raises CrossingError."""
    try:
        side, _ = formats.read_key(line)
    except ValueError as error:
        raise CrossingError(
            "公開鍵ではありません。送る側で policity crossing keys を動かし、"
            "1行をそのまま写してください。"
        ) from error
    if side in queries.sides() and len(queries.sides()) == 1:
        raise CrossingError("こちら側の鍵です。もう一方の設置の公開鍵を渡してください。")
    file = Path(settings.HOME) / queries.TRUSTED
    known = file.read_text("utf-8") if file.exists() else ""
    if line.strip() not in known.splitlines():
        _write(file, (known + line.strip() + "\n").encode())


def _key(side: Side) -> Ed25519PrivateKey:
    file = Path(settings.CROSSING_KEY_FILE or Path(settings.HOME) / f"crossing-{side.value}.key")
    if not file.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        _write(file, pem)
    found = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(found, Ed25519PrivateKey):
        raise CrossingError(f"{file.name} は、受け渡しの鍵ではありません。")
    return found


def send(
    folder: Path, *, by: User | None, now: datetime, after: int | None = None
) -> tuple[Outcome, ...]:
    """Put into a folder what goes to the other side, a file a kind.

    `after`: go on behind this number, where our own count was lost with the machine. Raises
    CrossingError, OSError.
    """
    _require()
    _finish(folder)
    found = (_send(one, folder, by=by, now=now, after=after) for one in queries.going())
    return tuple(outcome for outcome in found if outcome)


def _send(
    one: declare.Crossing, folder: Path, *, by: User | None, now: datetime, after: int | None
) -> Outcome | None:
    sender = other(one.to)
    with alone("crossing"):
        value = one.give() if one.give else None
        if value is None:
            return None
        number = max(queries.last_sent(one.kind), after or 0) + 1
        payload = formats.pack(one.schema, value)
        header = Header(one.kind, sender, one.to, number, now, formats.digest(payload))
        raw = formats.seal(header, payload, _key(sender))
        if len(raw) > LARGEST:
            raise CrossingError(f"{one.name}が大きすぎて、渡せません。")
        target = folder / f"{sender.value}-{one.kind}-{number:010}{ENDING}"
        part = _part(target)
        # On the disk before it is counted; it has its name, by which others see it, only after.
        _flushed(part, raw, 0o640)
        _note(Crossing.Course.SENT, header, size=len(payload), by=by, now=now)
    part.rename(target)
    return Outcome(target.name, one.kind, number)


def news(one: declare.Crossing) -> bool:
    """Whether what there is to say differs from what was last sent."""
    value = one.give() if one.give else None
    if value is None:
        return False
    digest = formats.digest(formats.pack(one.schema, value))
    return digest != queries.last_digest(one.kind)


def _part(target: Path) -> Path:
    return target.with_suffix(".part")


def _finish(folder: Path) -> None:
    """Of a run that was cut off: what was counted gets its name, what was not goes."""
    for part in folder.glob("*.part"):
        side, _, rest = part.stem.partition("-")
        kind, _, number = rest.rpartition("-")
        if side not in queries.sides() or not number.isdecimal():
            continue
        sent = Crossing.objects.filter(
            course=Crossing.Course.SENT, kind=kind, sender=side, number=int(number)
        )
        if sent.exists():
            part.rename(part.with_suffix(ENDING))
        else:
            part.unlink()


def receive(
    folder: Path, *, by: User | None, now: datetime, accept_gap: bool = False
) -> tuple[Outcome, ...]:
    """Take what lies in a folder, each file whole or not at all, in the order of numbers.

    One that was taken is deleted, one that was refused goes into the folder `refused`. What we put
    there ourselves, for the other side, is left alone. Raises CrossingError, OSError.
    """
    _require()
    try:
        trusted = queries.trusted()
    except ValueError as error:
        raise CrossingError(f"{queries.TRUSTED} に、公開鍵ではない行があります。") from error
    sides = queries.sides()
    own = f"{sides[0].value}-" if len(sides) == 1 else "-"
    found = []
    for file in sorted(folder.glob(f"*{ENDING}")):
        # Nor anything that would keep us waiting, or is no file.
        if file.name.startswith(own) or not file.is_file():
            continue
        with file.open("rb") as handle:
            raw = handle.read(LARGEST + 1)
        try:
            if len(raw) > LARGEST:
                raise RefusedError(Refusal.LARGE)
            header = _take(raw, trusted, by=by, now=now, accept_gap=accept_gap)
        except RefusedError as error:
            found.append(_refuse(file, raw, error, by=by, now=now))
        else:
            file.unlink()
            found.append(Outcome(file.name, header.kind, header.number))
    return tuple(found)


def _take(
    raw: bytes, trusted: tuple[tuple[Side, Ed25519PublicKey], ...], *,
    by: User | None, now: datetime, accept_gap: bool,
) -> Header:  # fmt: skip
    header, payload = formats.unseal(raw, trusted)
    if header.receiver not in queries.sides() or header.sender is header.receiver:
        raise RefusedError(Refusal.SIDE, header)
    one = queries.declared().get(header.kind)
    if one is None or one.take is None or one.to is not header.receiver:
        raise RefusedError(Refusal.KIND, header)
    with alone("crossing"):
        missed = judge(
            header, last=queries.last_taken(one.kind), oldest=one.oldest, now=now,
            accept_gap=accept_gap,
        )  # fmt: skip
        try:
            value = formats.unpack(one.schema, payload)
        except ValueError as error:
            raise RefusedError(Refusal.SCHEMA, header) from error
        one.take(value, header.made_at, now)
        _note(
            Crossing.Course.RECEIVED, header, size=len(payload), by=by, now=now, missed=missed
        )  # fmt: skip
    return header


@transaction.atomic
def _refuse(
    file: Path, raw: bytes, error: RefusedError, *, by: User | None, now: datetime
) -> Outcome:
    refusal, header = error.refusal, error.header
    known = header if header and header.kind in queries.declared() else None
    _note(
        Crossing.Course.REFUSED, known, size=len(raw), by=by, now=now, refusal=refusal,
        digest=formats.digest(raw),
    )  # fmt: skip
    away = file.parent / REFUSED
    away.mkdir(exist_ok=True)
    file.rename(away / file.name)
    return Outcome(
        file.name, known.kind if known else "", known.number if known else None, SAID[refusal]
    )


def _note(
    course: Crossing.Course, header: Header | None, *, size: int, by: User | None, now: datetime,
    refusal: str = "", missed: int = 0, digest: str = "",
) -> None:  # fmt: skip
    """The log, and the trail of who did it. Not the file's name: anything may stand in it."""
    kind, number = (header.kind, header.number) if header else ("", None)
    digest = digest or (header.digest if header else "")
    Crossing.objects.create(
        course=course, kind=kind, sender=header.sender if header else "", number=number,
        made_at=header.made_at if header else None, at=now, size=size, digest=digest,
        by=by.username if by else "", refusal=refusal, missed=missed,
    )  # fmt: skip
    audit.record(
        f"crossing.{course.value}", on=f"crossing.{kind}:{number}" if header else "", by=by,
        now=now, kind=kind, number=number, size=size, digest=digest, refusal=refusal, missed=missed,
    )  # fmt: skip


def _require() -> None:
    if settings.DRILL:
        raise CrossingError("訓練のホームでは、何も受け渡しません。")


def _write(file: Path, raw: bytes) -> None:
    """Whole or not at all, for the service's own account."""
    part = file.with_name(f"{file.name}.part")
    _flushed(part, raw, 0o600)
    part.rename(file)


def _flushed(part: Path, raw: bytes, mode: int) -> None:
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(raw)
        out.flush()
        os.fsync(out.fileno())
