"""Staff keep the words that mean the same: they count from the next question on."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.search.models import Synonyms
from policity.foundations.search.rules.asking import group_fault, group_key

MOST = 1_000


class WordsRefused(ValueError):  # noqa: N818  # the thing refused
    """It cannot be so. The message is one Japanese sentence for staff."""


def keep(*, words: Sequence[str], by: User, now: datetime) -> None:
    """Let these expressions find each other: new, or ended until now. Raises WordsRefused."""
    _set(words, ended=False, act="synonyms.added", by=by, now=now)


def end(*, words: Sequence[str], by: User, now: datetime) -> None:
    """Let them find each other no more, whoever wrote them down. Raises WordsRefused."""
    _set(words, ended=True, act="synonyms.ended", by=by, now=now)


@transaction.atomic
def _set(words: Sequence[str], *, ended: bool, act: str, by: User, now: datetime) -> None:
    if fault := group_fault(words):
        raise WordsRefused(fault)
    key = group_key(words)
    row = Synonyms.objects.filter(key=key).first()
    if row is not None and row.ended == ended:
        raise WordsRefused("もう、終わりにしています。" if ended else "同じ組が、もうあります。")
    if row is None and Synonyms.objects.count() >= MOST:
        raise WordsRefused(f"{MOST:,}組までです。使わない組を、管理者に消してもらってください。")
    said = {"words": "\n".join(words), "kept_by": by, "kept_at": now, "ended": ended}
    row, _ = Synonyms.objects.update_or_create(key=key, defaults=said)
    audit.record(act, on=f"search.synonyms:{row.pk}", by=by, now=now, title="、".join(words)[:200])
