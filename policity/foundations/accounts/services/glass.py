"""The sealed account (break-glass): a code in an envelope, for when nobody else can be reached."""

import secrets
from datetime import datetime
from hashlib import sha256

import structlog
from django.db import transaction
from django.utils import timezone

from policity.foundations.accounts.models import Role, RoleGrant, Seal, User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import GLASS, in_charge, roles
from policity.foundations.accounts.rules.entering import (
    GLASS_ALPHABET,
    GLASS_LETTERS,
    grouped,
    typed_glass,
)
from policity.foundations.accounts.rules.limits import limits
from policity.foundations.accounts.rules.mails import About
from policity.foundations.accounts.services import audit
from policity.foundations.accounts.services.entering import EntryRefused, end_sessions
from policity.foundations.accounts.services.staff import StaffRefused
from policity.foundations.accounts.signals import mail_wanted

log = structlog.get_logger("policity.accounts")

NAME = "非常用アカウント"
WRONG = "番号がちがうか、もう使えません。封筒の番号を、はじめから入れ直してください。"


@transaction.atomic
def seal(*, by: User | None, now: datetime) -> str:
    """Make a new code, and give it once; the one from before opens nothing any more.

    150 bits: nobody guesses it, so that only its digest needs to be kept, and nothing counted.
    """
    if by is not None and not may(roles(by, on=timezone.localdate(now)), Act.MANAGE_STAFF):
        raise StaffRefused("この仕事をする権限がありません。管理者に相談してください。")
    code = "".join(secrets.choice(GLASS_ALPHABET) for _ in range(GLASS_LETTERS))
    user = _account()
    RoleGrant.objects.filter(user=user).delete()
    end_sessions(user, by=by, now=now)
    Seal.objects.create(sealed_at=now, sealed_by=by.username if by else "", digest=_digest(code))
    audit.record("glass.sealed", by=by, now=now)
    return grouped(code)


def break_seal(code: str, *, now: datetime) -> tuple[User, datetime]:
    """Whoever has the envelope's code is let in as a commander, until a moment.

    Everybody in charge is told at once. Within that time the code works again, so that a browser
    that was closed costs nothing. Raises EntryRefused.
    """
    opened = _break(code, now=now)
    if opened is None:
        audit.record("glass.refused", by=None, now=now)
        raise EntryRefused(WRONG)
    return opened


@transaction.atomic
def _break(code: str, *, now: datetime) -> tuple[User, datetime] | None:
    found = Seal.objects.select_for_update().order_by("-pk").first()
    if found is None or not secrets.compare_digest(found.digest, _digest(typed_glass(code))):
        return None
    user, until = _account(), found.until or now + limits().glass
    if now >= until:
        return None
    if found.opened_at is None:
        found.opened_at, found.until = now, until
        found.save(update_fields=["opened_at", "until"])
        day = timezone.localdate(now)
        RoleGrant.objects.create(
            user=user, role=Role.COMMANDER, starts=day, ends=timezone.localdate(until)
        )
        for one in in_charge(on=day):
            mail_wanted.send(Seal, user=one.pk, about=About.GLASS, on=found.pk, now=now)
    audit.record("glass.broken", on=f"accounts.seal:{found.pk}", by=user, now=now)
    log.warning("glass_broken", seal=found.pk)
    return user, until


def _account() -> User:
    user, new = User.objects.get_or_create(username=GLASS, defaults={"display_name": NAME})
    if new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _digest(code: str) -> str:
    return sha256(f"policity.seal:{code}".encode()).hexdigest()
