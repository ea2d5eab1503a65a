"""Changing the city's rules and texts. Every change is kept, and the one before can return."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from django.utils import timezone

from policity.fields.alerts.models import Edit
from policity.fields.alerts.queries import words
from policity.fields.alerts.rules import edits, response
from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity
from policity.fields.alerts.rules.edits import Book, Entry, Words
from policity.fields.alerts.rules.response import Answer
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import audit
from policity.foundations.places import queries as places
from policity.foundations.publishing.services import rebuild
from policity.foundations.work import services as work

log = structlog.get_logger("policity.alerts")


class EditError(ValueError):
    """It was not changed. The text says why and what to do, in Japanese."""


class EditedMeanwhileError(EditError):
    """Somebody else changed it since it was read."""


def edit_rule(
    phenomenon: Phenomenon,
    answers: Mapping[Severity, Answer],
    *,
    why: str,
    seen: int,
    by: User,
    now: datetime,
) -> Edit:
    """Choose what the city does with a phenomenon, by severity. It holds from the next telegram on.

    `seen` is the number of the change that was read before. Raises EditError.
    """
    if fault := edits.answer_fault(answers):
        raise EditError(fault)
    data = {
        str(severity): str(answer)
        for severity, answer in answers.items()
        if answer is not shipped_answer(phenomenon, severity)
    }
    return _keep(Book.RULES, phenomenon, data, why=why, seen=seen, by=by, now=now)


def shipped_answer(phenomenon: Phenomenon, severity: Severity) -> Answer:
    """What is done where staff chose nothing."""
    lineage = places.lineage(places.city().jma_code)
    return response.shipped().answer(phenomenon, severity, Change.ISSUED, lineage)


def edit_text(entry: Entry, wanted: Words, *, why: str, seen: int, by: User, now: datetime) -> Edit:
    """Write an entry in all languages. Pages follow at once; what was sent stays as it was.

    `seen` is the number of the change that was read before. Raises EditError.
    """
    if faults := edits.faults(entry, wanted):
        raise EditError(next(iter(faults.values())))
    data = edits.difference(entry, wanted)
    return _keep(entry.book, entry.key, data, why=why, seen=seen, by=by, now=now)


@work.alone("alerts")
def _keep(
    book: Book,
    subject: str,
    data: dict[str, Any],
    *,
    why: str,
    seen: int,
    by: User,
    now: datetime,
) -> Edit:
    if not may(roles(by, on=timezone.localdate(now)), Act.EDIT_RULES):
        raise EditError("この仕事をする権限がありません。管理者に相談してください。")
    if fault := edits.why_fault(why):
        raise EditError(fault)
    last = Edit.objects.filter(book=book, subject=subject).order_by("-pk").first()
    if (last.pk if last else 0) != seen:
        raise EditedMeanwhileError(
            f"開いているあいだに、{last.by if last else '別の人'}が変えました。"
            "いまの内容を確かめて、もう一度直してください。"
        )
    if data == (last.data if last else {}):
        raise EditError("いまと同じ内容です。変えるところがありません。")
    made: Edit = Edit.objects.create(
        book=book, subject=subject, data=data, why=why.strip(), at=now, by=by
    )
    if book is not Book.RULES:
        rebuild()
    audit.record(f"edit.{book.value}", on=f"alerts.edit:{made.pk}", by=by, now=now, subject=subject)
    _announce(made.pk)
    log.info("edited", book=book, subject=subject, edit=made.pk)
    return made


def _announce(edit: int) -> None:
    """Let every process read anew, before the change is seen: who renders pages for it must not
    have read before.
    """
    file = words.announcement()
    file.parent.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(f"{edit}\n", "utf-8")
    part.replace(file)
