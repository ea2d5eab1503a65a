"""A worker that starts sees that the folder is as this program makes it, and has the rest drawn."""

import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path

from django.conf import settings

import policity
from policity.foundations.publishing.models import Change, Page
from policity.foundations.publishing.services import tree
from policity.foundations.publishing.services.recording import digest
from policity.foundations.publishing.services.stale import put_pages, rebuild, whole

# Few enough that an alert does not wait for the look at them.
PIECE = 100
SHOWN = ("DRILL", "EMAIL_FROM", "MEDIA_URL", "PUBLIC_URL", "ROLE", "SECURITY_CONTACT")
"""The settings that pages show."""


class LookOver:
    """One look over the whole folder, piece by piece.

    Where other code, packages or settings made the pages, all are drawn again. Where it was this
    program, only what is not as it was noted: files that a power cut took, or somebody's hand.
    """

    def __init__(self) -> None:
        self._left: Iterator[tuple[str, str]] | None = None

    def step(self) -> int:
        """Look at some pages; how many those were, 0 once there are no more."""
        if self._left is None:
            mine = program()
            if not Change.objects.filter(program=mine).exists():
                self._left = iter(())
                count = rebuild()
                Change.objects.update(program=mine)
                return count
            self._left = iter(sorted(whole().items()))
        if not (piece := dict(islice(self._left, PIECE))):
            return 0
        rows = Page.objects.filter(address__in=piece)
        noted = dict(rows.values_list("address", "digest"))
        put_pages(
            (family, address)
            for address, family in piece.items()
            if not _stands(address, noted.get(address, ""))
        )
        return len(piece)


def program() -> str:
    """What draws pages: this code, the packages it stands on, and the settings that pages show."""
    found = [sys.version, *sorted(f"{one.name} {one.version}" for one in distributions())]
    found += [f"{name} {getattr(settings, name)}" for name in SHOWN]
    root = Path(policity.__path__[0])
    for file in sorted([*root.rglob("*"), *Path(settings.HOME).glob("*.toml")]):
        if file.is_file() and "__pycache__" not in file.parts:
            about = file.stat()
            found.append(f"{file.name} {about.st_size} {about.st_mtime_ns}")
    return sha256("\n".join(found).encode()).hexdigest()


def _stands(address: str, noted: str) -> bool:
    body = tree.read(address)
    return body is not None and digest(body) == noted and tree.holds(address, body)
