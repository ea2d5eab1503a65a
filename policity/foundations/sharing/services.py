"""Making a short link, ending it, and counting who opens it."""

import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.sharing.models import DayCount, ShortLink
from policity.foundations.sharing.queries import is_published
from policity.foundations.sharing.rules import new_code, own_address


class LinkRefused(ValueError):  # noqa: N818  # the thing refused
    """It cannot be so. The message is one Japanese sentence for staff."""


@transaction.atomic
def make(*, address: str, label: str, by: User, now: datetime) -> ShortLink:
    """A new link to a published page, named by its path or whole. Raises LinkRefused."""
    own = own_address(address, settings.PUBLIC_URL)
    if own is None:
        raise LinkRefused(
            "このサイトのページのアドレスを入れてください。ほかのサイトには、つなげません。"
        )
    if not is_published(own):
        raise LinkRefused(
            "このアドレスのページは、公開されていません。ページを開いて、アドレスを写してください。"
        )
    code = new_code(secrets.choice)
    while ShortLink.objects.filter(code=code).exists():
        code = new_code(secrets.choice)
    link = ShortLink.objects.create(code=code, address=own, label=label, made_by=by, made_at=now)
    audit.record("link.made", on=f"sharing.shortlink:{link.pk}", by=by, now=now)
    return link


def end(*, number: int, by: User, now: datetime) -> None:
    """Let it lead nowhere. Raises LinkRefused."""
    _turn(number, now, "もう、終わりにしています。", act="link.ended", by=by, now=now)


def resume(*, number: int, by: User, now: datetime) -> None:
    """Let it lead to its page again. Raises LinkRefused."""
    _turn(number, None, "もう、使えるようになっています。", act="link.resumed", by=by, now=now)


@transaction.atomic
def _turn(
    number: int, ended_at: datetime | None, refusal: str, *, act: str, by: User, now: datetime
) -> None:
    rows = ShortLink.objects.filter(pk=number, ended_at__isnull=ended_at is not None)
    if not rows.update(ended_at=ended_at):
        raise LinkRefused(refusal)
    audit.record(act, on=f"sharing.shortlink:{number}", by=by, now=now)


@transaction.atomic
def count(*, link: ShortLink, now: datetime) -> None:
    """One more opening on this day: a number, and nothing of who it was."""
    day = timezone.localdate(now)
    DayCount.objects.bulk_create([DayCount(link=link, day=day)], ignore_conflicts=True)
    DayCount.objects.filter(link=link, day=day).update(count=F("count") + 1)
