"""Taking photographs that residents send, deciding on them, and deleting them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.db import transaction
from django.utils.translation import gettext_noop

from policity.fields.charm import queries
from policity.fields.charm.formats.photographs import Shot
from policity.fields.charm.models import Contribution, Photograph, PhotographReport, Spot
from policity.fields.charm.rules.photographs import (
    LONGEST_NAME,
    LONGEST_REPORT,
    LONGEST_WORDS,
    MOST_WAITING,
    TERMS,
    Licence,
    Reason,
)
from policity.fields.charm.services import files
from policity.fields.charm.services.showing import TOPIC
from policity.fields.charm.services.telling import tell_decided, tell_received
from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.publishing.services import mark_stale
from policity.foundations.residents import services as residents
from policity.foundations.work import services as work

# Reports of one photograph that staff have not seen yet: more of them say nothing new.
MOST_REPORTS = 20
Stage = Photograph.Stage


class PhotographRefused(ValueError):  # noqa: N818  # the thing refused
    """It cannot be so. The message is one Japanese sentence, for the catalogues."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody sent, besides the photographs; see `models.Contribution`."""

    alt: str
    language: str
    licence: Licence
    spot: int | None = None
    taken: date | None = None
    credit: str = ""
    email: str = ""


def receive(*, sent: Sent, shots: Sequence[Shot], now: datetime) -> int:
    """Keep photographs for staff to look at, and give the number of what was sent.

    Raises PhotographRefused where too many wait, residents' BadAddress.
    """
    if Photograph.objects.filter(stage=Stage.WAITING).count() >= MOST_WAITING:
        raise PhotographRefused(
            gettext_noop("いまは、写真がたくさん届いています。数日たってから、送ってください。")
        )
    kept = [files.keep(shot.body) for shot in shots]
    try:
        return _receive(sent, list(zip(kept, shots, strict=True)), now=now)
    except BaseException:
        for file, shot in zip(kept, shots, strict=True):
            files.remove(file, shot.width, shot.height)
        raise


@work.alone(TOPIC)
def _receive(sent: Sent, kept: Sequence[tuple[str, Shot]], *, now: datetime) -> int:
    guest = None
    if sent.email:
        guest = residents.welcome(email=sent.email, language=sent.language, now=now)
    spot = Spot.objects.public().filter(pk=sent.spot).first() if sent.spot else None
    contribution = Contribution.objects.create(
        person=guest.resident if guest else None,
        language=sent.language,
        credit=sent.credit[:LONGEST_NAME],
        licence=sent.licence,
        terms=TERMS,
        taken=sent.taken,
        sent_at=now,
    )
    texts = {sent.language: {"alt": sent.alt[:LONGEST_WORDS]}}
    for file, shot in kept:
        Photograph.objects.create(
            contribution=contribution, spot=spot, texts=texts, file=file,
            width=shot.width, height=shot.height,
        )  # fmt: skip
    if guest:
        tell_received(contribution, confirmed=guest.confirmed, now=now)
    return contribution.pk


@work.alone(TOPIC)
def withdraw(*, contribution: int, photograph: int, now: datetime) -> bool:
    """Its sender takes a photograph back: it is deleted, and on no page. False: it was already."""
    rows = Photograph.objects.filter(pk=photograph, contribution=contribution)
    row = rows.exclude(stage=Stage.WITHDRAWN).first()
    if row is None:
        return False
    _mark(row, now=now)
    forget(row)
    row.stage, row.decided_at = Stage.WITHDRAWN, now
    row.save()
    Contribution.objects.filter(pk=contribution).exclude(
        photographs__stage__in=(Stage.WAITING, Stage.PUBLISHED)
    ).update(credit="")
    audit.record("photograph.withdrawn", on=_on(row), by=None, now=now)
    return True


@work.alone(TOPIC)
def report(*, photograph: int, text: str, now: datetime) -> bool:
    """Somebody says that something is wrong with it. False: it is not published (any more)."""
    row = Photograph.objects.filter(pk=photograph, stage=Stage.PUBLISHED).first()
    if row is None:
        return False
    if row.reports.filter(settled_at=None).count() < MOST_REPORTS:
        row.reports.create(text=text[:LONGEST_REPORT], at=now)
    return True


@work.alone(TOPIC)
def settle(*, photograph: int, by: User, now: datetime) -> None:
    """Staff have looked at what was said of it."""
    row = _found(photograph)
    rows = PhotographReport.objects.filter(photograph=row, settled_at=None)
    if rows.update(settled_at=now):
        audit.record("photograph.settled", on=_on(row), by=by, now=now)


@work.alone(TOPIC)
def mend(
    *,
    photograph: int,
    texts: Mapping[str, Mapping[str, str]],
    spot: int | None,
    by: User,
    now: datetime,
) -> None:
    """Say better what can be seen, and where it was. Raises PhotographRefused."""
    row = _found(photograph)
    if not row.file:
        raise PhotographRefused("この写真は、もう消してあります。")
    if row.stage == Stage.PUBLISHED:
        _described(texts)
    place = Spot.objects.filter(pk=spot).first() if spot else None
    if spot and place is None:
        raise PhotographRefused("見どころを、選びなおしてください。")
    _mark(row, now=now)
    row.texts = {code: dict(text) for code, text in texts.items()}
    row.spot = place
    row.save(update_fields=["texts", "spot"])
    _mark(row, now=now)
    audit.record("photograph.changed", on=_on(row), by=by, now=now)


def publish(*, photograph: int, by: User, now: datetime) -> None:
    """Show it to everybody. Raises PhotographRefused."""
    row = _found(photograph)
    if row.file:
        # Before anything is locked: nobody else's writing waits for it.
        files.make_sizes(row.file, row.width, row.height)
    _publish(photograph, by=by, now=now)


@work.alone(TOPIC)
def _publish(photograph: int, *, by: User, now: datetime) -> None:
    row = _waiting(photograph)
    _described(row.texts)
    row.stage, row.decided_at = Stage.PUBLISHED, now
    row.save(update_fields=["stage", "decided_at"])
    _mark(row, now=now)
    tell_decided(row.contribution, now=now)
    audit.record("photograph.published", on=_on(row), by=by, now=now)


@work.alone(TOPIC)
def decline(*, photograph: int, reason: Reason, note: str, by: User, now: datetime) -> None:
    """Do not show it; its sender is told why, where they can be. It is deleted days later.

    Raises PhotographRefused.
    """
    row = _waiting(photograph)
    row.stage, row.decided_at, row.reason, row.note = Stage.DECLINED, now, reason, note[:200]
    row.save(update_fields=["stage", "decided_at", "reason", "note"])
    tell_decided(row.contribution, now=now)
    audit.record("photograph.declined", on=_on(row), by=by, now=now, reason=reason.value)


@work.alone(TOPIC)
def take_back(*, photograph: int, by: User, now: datetime) -> None:
    """Undo what was decided: it waits again, and is on no page. Raises PhotographRefused."""
    row = _found(photograph)
    if row.stage not in (Stage.PUBLISHED, Stage.DECLINED) or not row.file:
        raise PhotographRefused("もう、元にもどせません。")
    if row.stage == Stage.PUBLISHED:
        _mark(row, now=now)
        transaction.on_commit(partial(files.remove_sizes, row.file, row.width, row.height))
    row.stage, row.decided_at, row.reason, row.note = Stage.WAITING, None, "", ""
    row.save(update_fields=["stage", "decided_at", "reason", "note"])
    audit.record("photograph.returned", on=_on(row), by=by, now=now)


def _found(photograph: int) -> Photograph:
    rows = Photograph.objects.select_related("contribution")
    row = rows.filter(pk=photograph).first()
    if row is None:
        raise PhotographRefused("この写真は、ありません。")
    return row


def _waiting(photograph: int) -> Photograph:
    row = _found(photograph)
    if row.stage != Stage.WAITING:
        raise PhotographRefused("この写真は、もう決めてあるか、取り下げられました。")
    return row


def _described(texts: Mapping[str, Mapping[str, str]]) -> None:
    if not texts.get("ja", {}).get("alt"):
        raise PhotographRefused("何が写っているかを、日本語で書いてください。")


def _mark(row: Photograph, *, now: datetime) -> None:
    """The pages that show it, if any do, are made anew."""
    if row.stage == Stage.PUBLISHED:
        spots = [queries.spot_key(row.spot_id)] if row.spot_id else []
        mark_stale([*spots, queries.PHOTOGRAPHS, queries.photograph_key(row.pk)], now=now)


def forget(row: Photograph) -> None:
    """Leave nothing of it but that there was one, to be saved; files go once that is written."""
    if row.file:
        transaction.on_commit(partial(files.remove, row.file, row.width, row.height))
    row.file, row.texts, row.note, row.spot = "", {}, "", None
    row.reports.all().delete()


def _on(row: Photograph) -> str:
    return f"charm.photograph:{row.pk}"
