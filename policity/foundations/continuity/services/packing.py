"""The whole home as one encrypted file, streamed: the database as of one moment, and the keys."""

import gzip
import io
import json
import os
import tarfile
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pyrage

from policity.foundations.continuity.formats.copies import MANIFEST

DATABASE = "policity.sqlite3"
# Besides the database. `published` is rendered anew from it, `run` is of the moment, and what was
# kept in `upgrades` and `drills` is another time's.
TAKEN = (
    "secret.key", "vapid.key", "address", "media", "outbox", "spool", "search.toml",
    "crossing-internet.key", "crossing-internal.key", "crossing-trusted.txt",
)  # fmt: skip
CHUNK = 1 << 20
# Of a file: its bytes, and when it was last written, in nanoseconds since 1970.
Stamp = tuple[int, int]


def taken(home: Path) -> dict[str, Stamp]:
    """The files of a home that are copied, beside the database, by their paths within it."""
    found = {}
    for name in TAKEN:
        place = home / name
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            # Half-written ones have a name that begins with a dot.
            if not file.name.startswith(".") and file.is_file():
                with suppress(FileNotFoundError):
                    said = file.stat()
                    found[str(file.relative_to(home))] = (said.st_size, said.st_mtime_ns)
    return found


def recipients(file: Path) -> list[Any]:
    """Whom copies are encrypted for: public keys (age1…), one a line, # before a remark.

    Raises OSError, and ValueError where there is none or a line is none.
    """
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    found = []
    for line in filter(None, lines):
        try:
            found.append(pyrage.x25519.Recipient.from_str(line))
        except pyrage.RecipientError as error:
            raise ValueError(f"{file}: 「{line[:20]}…」は公開鍵（age1…）ではありません") from error
    if not found:
        raise ValueError(f"{file}: 公開鍵（age1…）がありません")
    return found


def identities(file: Path) -> list[Any]:
    """Private keys (AGE-SECRET-KEY-1…), one a line. Raises OSError, ValueError."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in filter(None, lines)]
    except pyrage.IdentityError as error:
        raise ValueError(f"{file}: 秘密鍵（AGE-SECRET-KEY-1…）ではない行があります") from error
    if not found:
        raise ValueError(f"{file}: 秘密鍵（AGE-SECRET-KEY-1…）がありません")
    return found


def pack_home(
    home: Path, database: Path | None, said: dict[str, Any], to: BinaryIO, keys: Sequence[Any]
) -> dict[str, Stamp]:
    """Write a home to a file, with `database` in the place of its own, encrypted for `keys`.

    `said` goes into the manifest, beside each file's digest. Without `database` the data is
    elsewhere. Gives the files that were taken, as they were before.
    """
    found = taken(home)
    files = [] if database is None else [(DATABASE, database)]
    _pack([*files, *((name, home / name) for name in found)], said, to, keys)
    return found


def pack_some(
    home: Path, names: Sequence[str], said: dict[str, Any], to: BinaryIO, keys: Sequence[Any]
) -> None:
    """Write some files of a home to a file, as `pack_home` does; one that is gone is left out."""
    _pack([(name, home / name) for name in names], said, to, keys)


def _pack(
    files: Sequence[tuple[str, Path]], said: dict[str, Any], to: BinaryIO, keys: Sequence[Any]
) -> None:
    reading, writing = os.pipe()
    faults: list[BaseException] = []

    def fill() -> None:
        try:
            with os.fdopen(writing, "wb") as out:
                _tar(files, said, out)
        except BaseException as fault:  # told to who waits below
            faults.append(fault)

    filler = threading.Thread(target=fill)
    filler.start()
    with os.fdopen(reading, "rb") as text:
        pyrage.encrypt_io(text, to, keys)
    filler.join()
    if faults:
        raise faults[0]


def _tar(files: Sequence[tuple[str, Path]], said: dict[str, Any], out: BinaryIO) -> None:
    digests = {}
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w|") as tar,
    ):
        for name, path in files:
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue  # it went since we looked
            with file:
                entry = _plain(tar.gettarinfo(arcname=name, fileobj=file))
                held = _Held(file)
                tar.addfile(entry, held)
            digests[name] = held.digest.hexdigest()
        text = json.dumps(said | {"files": digests}, ensure_ascii=False).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))


class _Held:
    """A file as it goes into the copy. What others write meanwhile must not spoil the whole copy:
    the digest is of what went in, and a file that became shorter ends in zeros.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest = file, sha256()

    def read(self, size: int = 0, /) -> bytes:
        """Exactly as much as asked for."""
        some = self.file.read(size).ljust(size, b"\0")
        self.digest.update(some)
        return some


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def unpack_home(source: BinaryIO, keys: Sequence[Any], into: Path) -> dict[str, Any]:
    """What `pack_home` wrote, into an empty folder; gives the manifest.

    Raises pyrage.DecryptError, and ValueError where it is broken or not what the manifest says.
    """
    unpack_tar(source, keys, into)
    manifest = into / MANIFEST
    said: dict[str, Any] = json.loads(manifest.read_text())
    manifest.unlink()
    for name, wanted in said["files"].items():
        if digest(into / name) != wanted:
            raise ValueError(f"{name} が、写したときと違います")
    return said


def unpack_tar(source: BinaryIO, keys: Sequence[Any], into: Path) -> None:
    """An encrypted tar, into an empty folder.

    Raises pyrage.DecryptError, and ValueError where it is broken.
    """
    reading, writing = os.pipe()
    faults: list[Exception] = []

    def fill() -> None:
        try:
            with os.fdopen(writing, "wb") as out:
                pyrage.decrypt_io(source, out, keys)
        except Exception as fault:  # told to who waits below
            faults.append(fault)

    filler = threading.Thread(target=fill)
    filler.start()
    broken: Exception | None = None
    with os.fdopen(reading, "rb") as text:
        try:
            with tarfile.open(fileobj=text, mode="r|gz") as tar:
                # Newer Pythons look as well, and older know no filter (Debian 12's 3.11.2).
                tar.extraction_filter = getattr(tarfile, "data_filter", None)
                tar.extractall(into, _harmless(tar))  # noqa: S202  # looked at, one by one
        except (tarfile.TarError, EOFError, OSError, zlib.error) as fault:
            broken = fault
        # To the end: only there it shows that nothing was cut off.
        while text.read(CHUNK):
            pass
    filler.join()
    for one in (*faults, broken):
        if isinstance(one, pyrage.DecryptError):
            raise one
        if one is not None:
            raise ValueError(f"{type(one).__name__}: {one}") from one


def _harmless(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Files and folders within; whoever knows the public key could have packed something else."""
    for entry in tar:
        parts = PurePosixPath(entry.name).parts
        if not (entry.isreg() or entry.isdir()) or entry.name.startswith("/") or ".." in parts:
            raise tarfile.ReadError(f"{entry.name} は、写しに入れたものではありません")
        entry.mode &= 0o755
        entry.uid, entry.gid, entry.uname, entry.gname = os.geteuid(), os.getegid(), "", ""
        yield entry


def differing(home: Path, other: Path) -> list[str]:
    """Which files that are copied are not the same in two homes."""
    one, two = taken(home), taken(other)
    return sorted(
        name
        for name in one.keys() | two.keys()
        if name not in one or name not in two or digest(home / name) != digest(other / name)
    )


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    found = sha256()
    with file.open("rb") as data:
        while some := data.read(CHUNK):
            found.update(some)
    return found.hexdigest()
