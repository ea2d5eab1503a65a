"""The city's rules and texts in use: what ships, with what staff changed since.

Each process reads them once, and again when the file `words` in the home says that there is a
newer change: the pages ask for them thousands of times. A home without the file was never changed,
or was just put back from a backup; the first question reads the table in any case.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Max

from policity.fields.alerts.models import Edit
from policity.fields.alerts.rules import edits, response
from policity.fields.alerts.rules import order_texts as orders
from policity.fields.alerts.rules import texts as alerts
from policity.fields.alerts.rules.edits import Book
from policity.fields.alerts.rules.order_texts import OrderTexts
from policity.fields.alerts.rules.response import Responses
from policity.fields.alerts.rules.texts import Texts

# A change that was announced so long ago and is not there was never committed.
VOID_NS = 60 * 10**9


class Words:
    """Rules and texts as one set of changes leaves them. `edits`: data by book and subject."""

    def __init__(self, edits: dict[tuple[str, str], dict[str, Any]]) -> None:
        self._edits = edits

    def changed(self, book: Book, subject: str, data: dict[str, Any]) -> "Words":
        """As if this were changed, too."""
        return Words(self._edits | {(book, subject): data})

    def data(self, book: Book, subject: str) -> dict[str, Any]:
        """What differs from what ships."""
        return self._edits.get((book, subject), {})

    def subjects(self, book: Book) -> frozenset[str]:
        """What of a book differs from what ships."""
        return frozenset(subject for subject, data in self._of(book) if data)

    @cached_property
    def responses(self) -> Responses:
        """What the city does with what it hears."""
        return response.shipped().answering(edits.answers(self._of(Book.RULES)))

    @cached_property
    def texts(self) -> Texts:
        """What residents read of alerts."""
        own = edits.over(self._of(Book.ALERTS))
        return alerts.load(own) if own else alerts.shipped()

    @cached_property
    def order_texts(self) -> OrderTexts:
        """What residents read of evacuation information."""
        own = edits.over(self._of(Book.ORDERS))
        return orders.load(own) if own else orders.shipped()

    def _of(self, book: Book) -> Iterable[tuple[str, dict[str, Any]]]:
        return ((subject, data) for (of, subject), data in self._edits.items() if of == book)


@dataclass(slots=True)
class _Memory:
    """What this process read, and how old the file was then."""

    words: Words
    stamp: int


_memory: list[_Memory] = []


def current() -> Words:
    """The rules and texts in use."""
    stamp = _stamp()
    if not _memory or _memory[0].stamp != stamp:
        upto, words = _read()
        # A change is announced before it is committed: as long as it is not seen it is asked for.
        seen = upto >= newest_announced() or time.time_ns() - stamp > VOID_NS
        _memory[:] = [_Memory(words, stamp if seen else -1)]
    return _memory[0].words


def responses() -> Responses:
    """What the city does with what it hears."""
    return current().responses


def texts() -> Texts:
    """What residents read of alerts."""
    return current().texts


def order_texts() -> OrderTexts:
    """What residents read of evacuation information."""
    return current().order_texts


def forget() -> None:
    """Nothing was read yet."""
    _memory.clear()


def take_for_shipped() -> None:
    """What ships is in use, without a look at the table: for tests that have none."""
    _memory[:] = [_Memory(Words({}), _stamp())]


def announcement() -> Path:
    """The file that tells every process of the newest change, by its number."""
    return Path(settings.HOME) / "run" / "words"


def newest_announced() -> int:
    """The number of the newest change that was announced; 0: none."""
    try:
        return int(announcement().read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return 0


def _stamp() -> int:
    try:
        return os.stat(f"{settings.HOME}/run/words").st_mtime_ns  # noqa: PTH116  # asked very often
    except FileNotFoundError:
        return 0


def _read() -> tuple[int, Words]:
    last = Edit.objects.values("book", "subject").annotate(last=Max("pk")).values("last")
    found = list(Edit.objects.filter(pk__in=last).order_by("pk"))
    by_subject = {(edit.book, edit.subject): edit.data for edit in found}
    return max((edit.pk for edit in found), default=0), Words(by_subject)


@dataclass(frozen=True, slots=True)
class EditView:
    """A change, for staff. `data` as `Edit.data`; `number` names it."""

    number: int
    book: Book
    subject: str
    data: dict[str, Any]
    why: str
    at: datetime
    by: str


def history(*, book: Book | None = None, subject: str = "", limit: int = 50) -> list[EditView]:
    """Changes, the newest first: all of them, of a book, or of one subject."""
    found = Edit.objects.select_related("by").order_by("-pk")
    if book is not None:
        found = found.filter(book=book)
    if subject:
        found = found.filter(subject=subject)
    return [_view(edit) for edit in found[:limit]]


def edited(since: datetime, until: datetime) -> list[EditView]:
    """The changes of a period, the oldest first."""
    found = Edit.objects.select_related("by").filter(at__gte=since, at__lt=until)
    return [_view(edit) for edit in found.order_by("at", "pk")]


def _view(edit: Edit) -> EditView:
    return EditView(
        edit.pk, Book(edit.book), edit.subject, edit.data, edit.why, edit.at, str(edit.by)
    )


def newest(book: Book, subject: str) -> int:
    """The number of a subject's newest change; 0: it is as it ships."""
    found = Edit.objects.filter(book=book, subject=subject).aggregate(last=Max("pk"))
    return found["last"] or 0
