"""A reader who follows every link and opens every encoding."""

import gzip
import os
import re
import zlib
from pathlib import Path

import brotli

from policity.foundations.publishing.rules import ENCODINGS, file_of

LINK = re.compile(rb'href="([^"]+)"')
DECODE = {".br": brotli.decompress, ".gz": gzip.decompress}


def crawl(root: Path) -> list[str]:
    """Everything that is wrong with the folder as a reader meets it, while others write."""
    problems: list[str] = []
    seen, queue = {"/"}, ["/"]
    while queue:
        address = queue.pop()
        path = root / file_of(address)
        problems += _encodings(address, path)
        try:
            with path.open("rb") as file:
                body, opened = file.read(), os.fstat(file.fileno())
        except FileNotFoundError:
            continue
        if not _whole(body):
            problems.append(f"half a file: {address}")
        for link in (found.decode() for found in LINK.findall(body)):
            if not (root / file_of(link)).exists() and _still(path, opened):
                problems.append(f"dead link: {address} to {link}")
            if link not in seen:
                seen.add(link)
                queue.append(link)
    return problems


def _whole(body: bytes) -> bool:
    return body.endswith((b"</ul>", b"}"))


def _still(path: Path, opened: os.stat_result) -> bool:
    """Is the file that we read still the one that stands there?"""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_mtime_ns) == (opened.st_ino, opened.st_mtime_ns)


def _encodings(address: str, path: Path) -> list[str]:
    problems = []
    for suffix in ENCODINGS:
        try:
            if not _whole(DECODE[suffix](Path(f"{path}{suffix}").read_bytes())):
                problems.append(f"half of {suffix}: {address}")
        except FileNotFoundError:
            continue
        except (OSError, EOFError, zlib.error, brotli.error) as error:
            problems.append(f"{suffix} does not decode: {address}: {error!r}")
    return problems
