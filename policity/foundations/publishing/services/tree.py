"""The published folder. Every file in it is whole at any moment, its encodings beside it.

Only the holder of the pen writes. What is half written lies in a folder of its own within the
published one (a rename does not cross file systems) that no web server may enter.
"""

import fcntl
import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import brotli
from django.conf import settings

from policity.foundations.publishing.rules import ENCODINGS, address_of, encodings, file_of

QUICK, DENSE = 5, 11
GZIP_LEVEL = 6
STAGING = ".writing"
# Threads let the disk answer several fsyncs with one write of its journal.
WRITERS = 8


@contextmanager
def pen() -> Iterator[None]:
    """The right to write, one holder on the machine at a time; waits for it."""
    path = Path(settings.HOME) / "run" / "pen.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _tidy()
        yield


def write(pages: Mapping[str, bytes]) -> dict[str, OSError]:
    """Write pages of one stage; says which could not be written, and why.

    All of them are on disk before the first takes its place, so that they change together.
    """
    staging = _staging()
    staged: dict[str, list[tuple[Path, Path]]] = {}
    failed: dict[str, OSError] = {}

    def stage(number: int, address: str) -> list[tuple[Path, Path]]:
        body, target = pages[address], root() / file_of(address)
        parts = []
        # The page itself comes last: where it is, its encodings are.
        for suffix in (*encodings(address), ""):
            part = staging / f"{number}{suffix}"
            _write_whole(part, _encoded(body, suffix, QUICK))
            parts.append((part, Path(f"{target}{suffix}")))
        return parts

    touched: set[Path] = set()
    with ThreadPoolExecutor(WRITERS) as pool:
        futures = {
            address: pool.submit(stage, number, address) for number, address in enumerate(pages)
        }
        for address, future in futures.items():
            try:
                staged[address] = future.result()
            except OSError as error:
                failed[address] = error
        for address, parts in staged.items():
            try:
                touched |= _make_parents(parts[0][1])
                for part, target in parts:
                    _take_place(part, target)
            except OSError as error:
                failed[address] = error
        list(pool.map(_sync_folder, touched))
    return failed


def replace_brotli(address: str, compressed: bytes) -> None:
    """Put a smaller encoding of the same bytes in its place."""
    part = _staging() / "dense"
    target = Path(f"{root() / file_of(address)}.br")
    _write_whole(part, compressed)
    _take_place(part, target)
    _sync_folder(target.parent)


def remove(addresses: Iterable[str]) -> None:
    """Take pages away in this order, each with its encodings and the folders it leaves empty."""
    touched: set[Path] = set()
    for address in addresses:
        target = root() / file_of(address)
        for suffix in ("", *ENCODINGS):
            Path(f"{target}{suffix}").unlink(missing_ok=True)
        folder = target.parent
        while folder != root() and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
        touched.add(folder)
    for folder in touched:
        if folder.is_dir():
            _sync_folder(folder)


def read(address: str) -> bytes | None:
    """The bytes of a page as it stands in the folder, None where there is none."""
    try:
        return (root() / file_of(address)).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def exists(address: str) -> bool:
    """Is there a file of this address, in any encoding?"""
    target = root() / file_of(address)
    return any(Path(f"{target}{suffix}").is_file() for suffix in ("", *ENCODINGS))


def holds(address: str, body: bytes) -> bool:
    """Does the folder hold exactly this, in every encoding?"""
    decoders: dict[str, Callable[[bytes], bytes]] = {
        "": bytes,
        ".br": brotli.decompress,
        ".gz": gzip.decompress,
    }
    target = root() / file_of(address)
    try:
        return all(
            decoders[suffix](Path(f"{target}{suffix}").read_bytes()) == body
            for suffix in ("", *encodings(address))
        )
    except (OSError, EOFError, zlib.error, brotli.error):
        return False


def present() -> frozenset[str]:
    """The address of every file in the folder, whoever put it there."""
    top = root()
    found = set()
    for folder, names, files in os.walk(top):
        if STAGING in names and Path(folder) == top:
            names.remove(STAGING)
        inside = PurePosixPath(folder).relative_to(top)
        found |= {address_of(inside / name) for name in files}
    return frozenset(found)


def root() -> Path:
    """The published folder."""
    return Path(settings.PUBLISHED)


def _staging() -> Path:
    _folder(root(), 0o755)
    return _folder(root() / STAGING, 0o700)


def _encoded(body: bytes, suffix: str, quality: int) -> bytes:
    if suffix == ".br":
        return bytes(brotli.compress(body, quality=quality))
    return gzip.compress(body, GZIP_LEVEL, mtime=0) if suffix == ".gz" else body


def _tidy() -> None:
    """What lies half written when the pen is taken belongs to somebody who died."""
    staging = root() / STAGING
    if staging.is_dir():
        for left in staging.iterdir():
            left.unlink()


def _write_whole(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        # Web servers read these under another account, whatever our umask.
        os.fchmod(file.fileno(), 0o644)
        os.fsync(file.fileno())


def _take_place(part: Path, target: Path) -> None:
    """Replace a file by a new version, of a later second than the old one.

    nginx tells versions apart by length and second of change alone: a level that went from 3 to 4
    within one second would stay 3 for every reader who had asked before.
    """
    with suppress(FileNotFoundError):
        second = int(target.stat().st_mtime)
        if int(part.stat().st_mtime) <= second:
            os.utime(part, (second + 1, second + 1))
    part.replace(target)


def _make_parents(target: Path) -> set[Path]:
    """Make the folders of a file; says which folders then have a new entry."""
    touched = {target.parent}
    missing = [folder for folder in target.parents if not folder.is_dir()]
    for folder in reversed(missing):
        _folder(folder, 0o755)
        touched.add(folder.parent)
    return touched


def _folder(path: Path, mode: int) -> Path:
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(mode)
    return path


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
