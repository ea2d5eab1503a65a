"""An older site taken over at the desk: asked for there, done by the worker, and undone.

What was uploaded or saved lies in the home's folder `imports` until it has come in.
"""

import json
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page, Revision

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.publishing.models import CityDocument, CityImage, CityRendition
from policity.foundations.work import services as work
from policity.foundations.work.services import Claim
from policity.kit.declare import Lane
from policity.kit.fetching import Fetcher
from policity.public_site.formats import Mentioned, mentioned
from policity.public_site.formats.older import Template
from policity.public_site.formats.saved import BadSource, glance, opened
from policity.public_site.models import TakenFile, TakenOver, Takeover
from policity.public_site.services import taking_over
from policity.public_site.services.telling import together
from policity.public_site.sources import NoCrawl, Saving, crawl

KIND = "takeover"
State = Takeover.State
# Whoever has it in hand says every second that they live.
LEASE = timedelta(minutes=2)
BEAT = 1.0
# So often it is begun again by itself; then it is what stops the worker.
MOST_ATTEMPTS = 5
# Of a site that is saved from its address, and what stays free on the disk for everything else.
MOST_FILES, MOST_BYTES, KEPT_FREE = 5_000, 2**30, 3 * 2**30
PAUSE = 1.0
# So many of the addresses that could not be read are kept.
MOST_NOTES = 200


class TakeoverRefused(ValueError):  # noqa: N818  # the thing refused
    """It cannot be so. The message is a Japanese sentence for staff."""


class _Over(Exception):  # noqa: N818  # what is the case
    """It was stopped at the desk, or somebody else has it in hand."""


def folder(takeover: int) -> Path:
    """Where lies what is being taken over."""
    return Path(settings.HOME) / "imports" / str(takeover)


def ask(
    *, section: Page, address: str, file: UploadedFile[Any] | None, main: str, drop: str, by: User,
    now: datetime,
) -> Takeover:  # fmt: skip
    """Have a site taken over below a section: a file of it, or what answers at its address.

    Raises TakeoverRefused, and then nothing of it stays.
    """
    if shutil.disk_usage(settings.HOME).free < MOST_BYTES + KEPT_FREE:
        raise TakeoverRefused("ディスクの空きが足りません。管理者に知らせてください。")
    source = address or (file.name if file and file.name else "")
    with transaction.atomic():
        row = Takeover.objects.create(
            source=source[:500], section=section, main=main, drop=drop, asked_by=by, asked_at=now
        )
        # After a restore a number may be given twice.
        shutil.rmtree(folder(row.pk), ignore_errors=True)
        try:
            if file is not None:
                _place(folder(row.pk), file)
        except (BadSource, OSError) as error:
            shutil.rmtree(folder(row.pk), ignore_errors=True)
            said = str(error) if isinstance(error, BadSource) else "ファイルを置けませんでした。"
            raise TakeoverRefused(f"{said}まだ何も取り込んでいません。") from error
        work.put(KIND, [key(row.pk)], lane=Lane.ROUTINE, due=now)
        audit.record("takeover.begun", on=_on(row), by=by, now=now, title=source[:200])
    return row


def _place(where: Path, file: UploadedFile[Any]) -> None:
    where.mkdir(parents=True, mode=0o700)
    # Its own name says no more than what kind it is.
    name = (file.name or "").lower()
    ending = next((one for one in (".warc.gz", ".warc") if name.endswith(one)), ".zip")
    with (where / f"upload{ending}").open("wb") as there:
        for chunk in file.chunks():
            there.write(chunk)
    glance(where / f"upload{ending}")


def stop(*, takeover: int, by: User, now: datetime) -> None:
    """Let it end after the page in hand; what came in stays. Raises TakeoverRefused."""
    _turn(takeover, (State.WAITING,), State.BROKEN_OFF, "もう、終わっています。",
          act="takeover.stopped", by=by, now=now, fault="止めました。")  # fmt: skip


def go_on(*, takeover: int, by: User, now: datetime) -> None:
    """Go on where it was broken off. Raises TakeoverRefused."""
    _turn(takeover, (State.BROKEN_OFF,), State.WAITING, "いまは、続けられません。",
          act="takeover.resumed", by=by, now=now, fault="")  # fmt: skip


def undo(*, takeover: int, by: User, now: datetime) -> None:
    """Have everything taken away again that nobody has changed since. Raises TakeoverRefused."""
    _turn(takeover, (State.DONE, State.BROKEN_OFF, State.UNDONE), State.UNDOING,
          "いまは、取り消せません。", act="takeover.withdrawn", by=by, now=now,
          fault="")  # fmt: skip


@transaction.atomic
def _turn(
    takeover: int, froms: tuple[State, ...], to: State, refusal: str, *, act: str, by: User,
    now: datetime, fault: str,
) -> None:  # fmt: skip
    rows = Takeover.objects.filter(pk=takeover, state__in=froms)
    if not rows.update(state=to, fault=fault, ended_at=now):
        raise TakeoverRefused(refusal)
    if to == State.BROKEN_OFF:
        work.cancel([KIND], prefix=key(takeover))
    else:
        work.put(KIND, [key(takeover)], lane=Lane.ROUTINE, due=now)
    audit.record(act, on=f"public_site.takeover:{takeover}", by=by, now=now)


def look_at(*, row: TakenOver, looked: bool, by: User, now: datetime) -> None:
    """Note that somebody looked at a page that came in, or that nobody did."""
    rows = TakenOver.objects.filter(pk=row.pk)
    rows.update(looked_at=now if looked else None, looked_by=by if looked else None)


def carry_out(claim: Claim, *, wait: Callable[[float], None] = time.sleep) -> None:
    """Do what was asked for, to its end: takes as long as it takes, beside everything else."""
    number = int(claim.key.rstrip(":"))
    row = Takeover.objects.filter(pk=number, state__in=(State.WAITING, State.UNDOING)).first()
    if row is not None:
        try:
            hand = _Hand(claim, row, wait)
            if claim.attempt > MOST_ATTEMPTS:
                fault = "進めるたびに止まってしまいます。管理者に、記録を見てもらってください。"
                _end(row, State.BROKEN_OFF, fault=fault)
            elif row.state == State.UNDOING:
                _take_back(row, hand)
            else:
                _take(row, hand)
        except _Over:
            pass
        except (BadSource, NoCrawl, taking_over.NoSection) as error:
            _end(row, State.BROKEN_OFF, fault=str(error)[:300])
    work.done([claim])


class _Hand:
    """Says now and then how far it has come, and hears whether it is to go on."""

    def __init__(self, claim: Claim, row: Takeover, wait: Callable[[float], None]) -> None:
        self._claim, self._row, self._wait, self._said = claim, row, wait, 0.0

    def beat(self, **how_far: int | str) -> None:
        """Raises _Over."""
        if time.monotonic() - self._said < BEAT:
            return
        self._said = time.monotonic()
        there = Takeover.objects.filter(pk=self._row.pk, state=self._row.state).exists()
        if not there or not work.progress(
            self._claim, dict(how_far), now=timezone.now(), lease=LEASE
        ):
            raise _Over

    def saved(self, saving: Saving, address: str) -> None:
        """One more file of the older site."""
        self.beat(saved=saving.files, megabytes=saving.bytes // 2**20, at=address[:200])

    def taken(self, number: int, total: int, address: str, faults: object) -> None:
        """One more page."""
        self.beat(done=number, total=total, at=address[:200])

    def rest(self, seconds: float) -> None:
        """A pause, however long the older site asks for one."""
        while seconds > 0:
            self._wait(min(seconds, BEAT))
            seconds -= BEAT
            there = Takeover.objects.filter(pk=self._row.pk, state=self._row.state).exists()
            if not there:
                raise _Over


def _take(row: Takeover, hand: _Hand) -> None:
    where = folder(row.pk)
    upload = next(iter(where.glob("upload.*")), None) if where.is_dir() else None
    notes: list[str] = []
    if upload is None and not row.source.startswith(("http://", "https://")):
        raise BadSource(
            "送られたファイルがもうありません。もう一度、はじめから取り込んでください。"
        )
    if upload is None:
        notes = _save(row, hand, where / "site")
    if row.section is None:
        raise taking_over.NoSection("取り込み先の見出しページが、なくなりました。")
    taken = taking_over.take_over(
        opened(upload or where / "site"), below=row.section.specific,
        template=Template(row.main, (row.drop,) if row.drop else ()), by=row.asked_by,
        now=timezone.now(), told=hand.taken, takeover=row,
    )  # fmt: skip
    if not any((taken.new, taken.changed, taken.same, taken.left, taken.broken)):
        raise BadSource("ページ（.html）が一つもありませんでした。何も取り込んでいません。")
    _end(row, State.DONE, left=taken.left, notes=notes)
    shutil.rmtree(where, ignore_errors=True)


def _save(row: Takeover, hand: _Hand, where: Path) -> list[str]:
    """Save a site from its address; gives what could not be read, in words."""
    fetcher = Fetcher(allow_private=settings.FEEDS_ALLOW_PRIVATE)
    try:
        saving = crawl(row.source, out=where, fetcher=fetcher, most=MOST_FILES,
                       most_bytes=MOST_BYTES, pause=PAUSE, told=hand.saved,
                       wait=hand.rest)  # fmt: skip
    finally:
        fetcher.close()
    if not saving.files:
        why = saving.failed[0] if saving.failed else "サイトが、機械に読まれることを断っています。"
        raise NoCrawl(f"1ページも読めませんでした。{why}")
    full = [f"大きいので、{MOST_FILES:,}件か1GBで止めました。残りは、分けて取り込んでください。"]
    return (full if saving.full else []) + saving.failed[:MOST_NOTES]


def _take_back(row: Takeover, hand: _Hand) -> None:
    """The deepest first: a page goes when nothing is below it any more."""
    pages = TakenOver.objects.filter(takeover=row).order_by("-page__path", "pk")
    numbers = list(pages.values_list("pk", flat=True))
    for number, one in enumerate(numbers, 1):
        hand.beat(done=number, total=len(numbers), at="")
        with together():
            taken = TakenOver.objects.select_for_update().get(pk=one)
            _take_page_back(taken, by=row.asked_by)
    _take_files_back(row)
    _end(row, State.UNDONE)
    shutil.rmtree(folder(row.pk), ignore_errors=True)


def _take_page_back(taken: TakenOver, *, by: User) -> None:
    page = Page.objects.filter(pk=taken.page_id).first()
    if page is None:
        taken.delete()
    elif page.latest_revision_id != taken.revision or page.live_revision_id == taken.revision:
        return
    elif taken.before is None:
        if not page.live and not page.get_children().exists():
            taken.delete()
            page.specific.delete(user=by)
    elif earlier := Revision.objects.filter(pk=taken.before).first():
        older = earlier.as_object()
        revision = older.save_revision(user=by, clean=False, previous_revision=earlier)
        if not page.live:
            older.save()
        # Written anew by whoever takes it over again.
        rows = TakenOver.objects.filter(pk=taken.pk)
        rows.update(revision=revision.pk, digest="", takeover=None, before=None)


def _take_files_back(row: Takeover) -> None:
    """Pictures and files that came with it and that nothing shows, not even a draft."""
    files = TakenFile.objects.filter(takeover=row)
    used = _used()
    used.pictures.update(_named(CityImage, files.values("picture")))
    used.files.update(_named(CityDocument, files.values("file")))
    for one in files.select_related("picture", "file"):
        if one.picture and one.picture_id not in used.pictures:
            one.picture.delete()
        if one.file and one.file_id not in used.files:
            ours = f"{settings.PUBLIC_URL.rstrip('/')}/files/{one.file_id}."
            Redirect.objects.filter(redirect_link__startswith=ours).delete()
            one.file.delete()


def _used() -> Mentioned:
    """What any page shows or links to, as it was last written and as it is published."""
    found = Mentioned()
    newest, shown = Page.objects.values("latest_revision"), Page.objects.values("live_revision")
    revisions = Revision.objects.filter(Q(pk__in=newest) | Q(pk__in=shown))
    for content in revisions.values_list("content", flat=True).iterator(chunk_size=100):
        found |= mentioned(json.loads(content.get("body") or "[]"))
    return found


def _named(model: type[Model], numbers: Any) -> set[int]:
    """Those of these that rows of another kind name: a spot's picture."""
    found: set[int] = set()
    for one in model._meta.related_objects:
        if one.related_model not in (TakenFile, CityRendition):
            rows: Any = one.related_model
            named = rows._default_manager.filter(**{f"{one.field.name}__in": numbers})
            found.update(named.values_list(one.field.name, flat=True))
    return found


def _end(row: Takeover, state: State, *, fault: str = "", **said: Any) -> None:
    rows = Takeover.objects.filter(pk=row.pk, state=row.state)
    rows.update(state=state, fault=fault, ended_at=timezone.now(), **said)


def key(takeover: int) -> str:
    """What its work is called."""
    return f"{takeover}:"


def _on(row: Takeover) -> str:
    return f"public_site.takeover:{row.pk}"
