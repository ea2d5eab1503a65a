"""Saying how a site stands: open, crowded, full, closed.

Nobody is sent a message of it: the pages say it, and residents who are told to leave look there.
One message for each site that opens is what people elsewhere switch everything off for.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, where
from policity.foundations.accounts.services import audit
from policity.foundations.places.models import Opening, Site
from policity.foundations.places.rules.openings import OPENNESS_WORDS, Openness, problem
from policity.foundations.publishing.services import mark_stale
from policity.kit import moments

log = structlog.get_logger("policity.places")


class OpeningRefused(ValueError):  # noqa: N818  # what is the case, in the reader's words
    """It was not recorded. The text says why and what to do, in Japanese."""


class ChangedMeanwhile(OpeningRefused):
    """Somebody else has said something newer of the site than what this person saw."""


def set_opening(
    *,
    site: int,
    state: Openness,
    evacuees: int | None,
    note: str,
    by: User,
    now: datetime,
    seen: int,
) -> Opening:
    """Say how a site stands. `seen`: the newest opening that the person saw there, 0 for none.

    Nobody is counted in a site that is shut. Said twice, it is recorded once: a second tap is no
    change. Raises OpeningRefused for a site
    that is not the city's (any more) or for what cannot be, ChangedMeanwhile where somebody
    else was faster.
    """
    note = note.strip()
    evacuees = evacuees if state.is_open else None
    if wrong := problem(evacuees, note):
        raise OpeningRefused(wrong)
    with transaction.atomic():
        _refuse_elsewhere(site, by, now)
        last = _last(site)
        if last and (last.state, last.evacuees, last.note) == (state, evacuees, note):
            return last
        _refuse_if_changed(last, seen, by)
        _render([site], now)
        said = _record(site, state, evacuees, note, by, now)
    log.info("site set", by=by.pk, site=site, state=state.value, evacuees=evacuees)
    return said


def take_back(*, opening: int, by: User, now: datetime) -> Opening:
    """Undo the newest opening of a site: it stands as before. What was said stays on record.

    Raises OpeningRefused where there is none, ChangedMeanwhile where it is not the newest.
    """
    with transaction.atomic():
        slip = Opening.objects.filter(pk=opening).first()
        if slip is None:
            raise OpeningRefused("もどす記録がありません。いまの様子を見てください。")
        _refuse_elsewhere(slip.site_id, by, now)
        _refuse_if_changed(_last(slip.site_id), opening, by)
        before = Opening.objects.filter(site=slip.site_id, pk__lt=opening).order_by("-pk").first()
        _render([slip.site_id], now)
        said = _record(
            slip.site_id,
            Openness(before.state) if before else Openness.UNOPENED,
            before.evacuees if before else None,
            before.note if before else "",
            by,
            now,
        )
    log.info("site taken back", by=by.pk, site=slip.site_id, state=said.state)
    return said


def close_all(*, seen: Mapping[int, int], by: User, now: datetime) -> int:
    """Close every site that is open, says how many. `seen`: those listed, with their opening.

    Whose role is for some towns closes those of their towns.

    All or none. Raises ChangedMeanwhile where what is open now is not what was listed.
    """
    with transaction.atomic():
        # Before reading: who opens a site now waits for us, or we for them.
        list(Site.objects.here().select_for_update(of=("self",)).only("pk"))
        theirs = Site.objects.here()
        if (towns := where(by, Act.OPEN_SITES, on=timezone.localdate(now))) is not None:
            theirs = theirs.filter(town__name__in=towns)
        here = Opening.objects.filter(site__in=theirs).newest()
        open_now = {row.site_id: row for row in here if Openness(row.state).is_open}
        if {site: row.pk for site, row in open_now.items()} != dict(seen):
            raise ChangedMeanwhile(
                "一覧を開いたあとに、ほかの人が変えました。閉じていません。"
                "新しい一覧を確かめて、もう一度押してください。"
            )
        if seen:
            _render(seen, now)
        for site in seen:
            _record(site, Openness.CLOSED, None, "", by, now)
    log.info("all sites closed", by=by.pk, sites=len(seen))
    return len(seen)


def _refuse_elsewhere(site: int, by: User, now: datetime) -> None:
    """Whose role is for some towns says nothing of the sites of others."""
    towns = where(by, Act.OPEN_SITES, on=timezone.localdate(now))
    here = Site.objects.here().filter(pk=site)
    if towns is not None and here.exists() and not here.filter(town__name__in=towns).exists():
        raise OpeningRefused(
            "この場所は、あなたの担当の町の外です。記録していません。"
            "本部か、この町の担当に知らせてください。"
        )


def _last(site: int) -> Opening | None:
    """The newest opening of one of the city's sites, which stays the newest until we commit."""
    locked = Site.objects.here().select_for_update(of=("self",)).only("pk")
    if locked.filter(pk=site).first() is None:
        raise OpeningRefused("この場所は、いまの市の一覧にありません。一覧を読み直してください。")
    return Opening.objects.filter(site=site).select_related("by").order_by("-pk").first()


def _refuse_if_changed(last: Opening | None, seen: int, by: User) -> None:
    if last is None or last.pk == seen:
        return
    who = "あなた" if last.by_id == by.pk else f"{last.by}さん"
    at = moments.clock(timezone.localtime(last.at), "ja")
    word = OPENNESS_WORDS[Openness(last.state)]
    count = "" if last.evacuees is None else f"（{last.evacuees}人）"
    raise ChangedMeanwhile(
        f"先に、{who}が{at}に「{word}」{count}にしました。いまの操作は、記録していません。"
        "様子を確かめて、もう一度押してください。"
    )


def _record(
    site: int, state: Openness, evacuees: int | None, note: str, by: User, now: datetime
) -> Opening:
    made = Opening.objects.create(
        site_id=site, state=state.value, evacuees=evacuees, note=note, by=by, at=now
    )
    audit.record(
        "site.set", on=f"places.site:{site}", by=by, now=now, state=state.value, evacuees=evacuees
    )
    return made


def _render(sites: Iterable[int], now: datetime) -> None:
    mark_stale({"places:sites", *(f"places:site:{site}" for site in sites)}, now=now)
