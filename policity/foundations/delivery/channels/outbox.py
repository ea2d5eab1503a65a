"""Sending without a gateway: each copy becomes a file in the home, for a first look and drills."""

import os
from pathlib import Path

from policity.foundations.delivery.rules.handing import Answer, Desk, Item, Result

_SOME = 100
_GLANCE_SECONDS = 0.2


class Outbox:
    """Writes what a desk gives into a folder, a file for each message and person.

    The same item again is the same file again, so that doubles collapse as they do in a mailbox.
    """

    def __init__(self, folder: Path, suffix: str = ".eml") -> None:
        self._folder = folder
        self._suffix = suffix
        self.trouble = ""

    def run(self, desk: Desk) -> None:
        """Work until the desk says that it is enough."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        while desk.wait(_GLANCE_SECONDS):
            items = desk.take(_SOME)
            if items:
                desk.note([], items)
                desk.note([self._keep(item) for item in items], [])

    def _keep(self, item: Item) -> Answer:
        file = self._folder / f"{item.message:08}-{item.person}{self._suffix}"
        part = file.with_suffix(".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.writelines(item.pieces)
            part.rename(file)
        except OSError as error:
            self.trouble = str(error)
            return Answer(item, Result.LATER, 0, str(error))
        self.trouble = ""
        return Answer(item, Result.HANDED)
