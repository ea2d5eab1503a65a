"""Coming in: who it is, whether they must wait, and the session that begins.

A session says by what second factor its owner came in (`note_of`). One that does not say so opens
nothing, whichever way it came about.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import authenticate, login, update_session_auth_hash
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from policity.foundations.accounts.models import Failure, User
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.rules.entering import Entered, How, wait
from policity.foundations.accounts.rules.limits import limits
from policity.foundations.accounts.services import audit, keys
from policity.kit.network import place

log = structlog.get_logger("policity.accounts")

ENTERED = "entered"
_PENDING = "pending"
_MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
# Nobody's: it stands where an address is not known.
_UNKNOWN = "0.0.0.0"  # noqa: S104


class EntryRefused(ValueError):  # noqa: N818  # the thing refused
    """Nobody came in. The text says why and what to do, in Japanese."""


class MustWait(EntryRefused):
    """Too many failed; the text says for how long, and what is open meanwhile."""


WRONG = "職員IDかパスワードがちがいます。大文字と小文字も確かめてください。"
WRONG_CODE = (
    "番号がちがいます。アプリにいま出ている番号か、まだ使っていない回復コードを入れてください。"
)
NO_ROLE = "いま使える役割がありません。着任の日や、期限を、管理者に確かめてください。"


# Who it is.


def identify(
    request: HttpRequest, *, username: str, password: str, address: str, now: datetime
) -> User:
    """Whose name and password these are. Raises EntryRefused, MustWait; nobody has come in yet."""
    name = _digest(username)
    _wait(Failure.objects.filter(name=name, address=place(address)), limits().tries, now=now)
    _wait_for_address(address, now=now)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        _note_failure(name, address, now=now)
        raise EntryRefused(WRONG)
    return user


def prove_code(code: str, *, user: User, address: str, now: datetime) -> How:
    """By what somebody whose password was right came in. Raises EntryRefused, MustWait.

    Here codes are counted by account too, since nobody gets here without its password: a million
    codes are not tried from a thousand addresses.
    """
    name = _digest(user.username)
    codes = Failure.objects.filter(name=name, is_code=True)
    _wait(codes.filter(address=place(address)), limits().tries, now=now)
    _wait(codes, limits().codes, now=now)
    _wait_for_address(address, now=now)
    how = keys.prove_code(code, user=user, now=now)
    if how is None:
        _note_failure(name, address, is_code=True, now=now)
        audit.record("staff.refused", on=f"accounts.user:{user.pk}", by=None, now=now, step="code")
        raise EntryRefused(WRONG_CODE)
    return how


def _digest(username: str) -> str:
    """What was typed as a name, so that it can be counted and not be read."""
    folded = User.normalize_username(username.strip()).casefold()
    return salted_hmac("policity.accounts.failure", folded, algorithm="sha256").hexdigest()[:32]


def _wait_for_address(address: str, *, now: datetime) -> None:
    if whose := place(address):
        _wait(Failure.objects.filter(address=whose), limits().tries_from_address, now=now)


def _wait(failures: Any, most: int, *, now: datetime) -> None:
    window = limits().window
    moments = failures.filter(at__gt=now - window).values_list("at", flat=True)
    left = wait(moments, most=most, window=window, now=now)
    if left:
        minutes = max(-(-left // timedelta(minutes=1)), 1)
        raise MustWait(
            f"まちがいが続いたので、あと{minutes}分、パスワードと番号は使えません。"
            "パスキーなら、いますぐ入れます。"
        )


def _note_failure(name: str, address: str, *, now: datetime, is_code: bool = False) -> None:
    Failure.objects.create(name=name, address=place(address), at=now, is_code=is_code)
    log.info("entry_failed", step="code" if is_code else "password")


# Between the password and the second step.


def begin(request: HttpRequest, user: User, *, now: datetime, **kept: str) -> None:
    """Remember in the session who has given one factor; `kept` is given back by `pending`."""
    request.session.cycle_key()
    request.session[_PENDING] = {
        "user": user.pk,
        "at": now.isoformat(),
        "hash": user.get_session_auth_hash(),
        "kept": kept,
    }


def pending(request: HttpRequest, *, now: datetime) -> tuple[User, Mapping[str, str]] | None:
    """Who has given one factor in this session and owes the second, and what was kept for them."""
    found = request.session.get(_PENDING)
    if not found or now - datetime.fromisoformat(found["at"]) >= limits().second_step:
        return None
    user = User.objects.filter(pk=found["user"], is_active=True).first()
    # A password that was changed meanwhile proves nothing any more.
    if user is None or user.get_session_auth_hash() != found["hash"]:
        return None
    return user, found["kept"]


def may_do_without(user: User) -> bool:
    """Whether somebody needs no second factor: made-up staff of a demo or drill alone."""
    return user.is_sample and (settings.DEMO or settings.DRILL)


# The session.


def enter(
    request: HttpRequest,
    user: User,
    *,
    how: How,
    address: str,
    now: datetime,
    until: datetime | None = None,
) -> None:
    """Begin a session. Raises EntryRefused for somebody who holds no role today."""
    if not roles(user, on=timezone.localdate(now)):
        raise EntryRefused(NO_ROLE)
    if how is How.SAMPLE and not may_do_without(user):
        raise EntryRefused("二つめの確かめが必要です。")
    request.session.pop(_PENDING, None)
    login(request, user, backend=_MODEL_BACKEND)
    request.session[ENTERED] = _note(Entered(how, now, now, until))
    if request.session.session_key is None:
        request.session.save()
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "ip": address if place(address) else _UNKNOWN,
            "user_agent": request.headers.get("User-Agent", "")[:200],
            "created_at": now,
            "last_seen_at": now,
        },
    )
    audit.record("staff.entered", on=f"accounts.user:{user.pk}", by=user, now=now, how=how.value)


def note_of(session: SessionBase) -> Entered | None:
    """What a session says of how its owner came in; None where it says nothing."""
    said = session.get(ENTERED)
    if not said:
        return None
    until = said["until"]
    return Entered(
        How(said["how"]),
        datetime.fromisoformat(said["at"]),
        datetime.fromisoformat(said["seen"]),
        datetime.fromisoformat(until) if until else None,
    )


def holds(session: SessionBase, user: User, *, now: datetime, idle: bool = True) -> bool:
    """Whether a session still opens anything: it has a second factor, and is not over.

    Who needs none no more, as made-up staff in a home that is no demo, does not come in with it.
    """
    note = note_of(session)
    if note is None or note.over(now, limits(), idle=idle):
        return False
    return note.how is not How.SAMPLE or may_do_without(user)


def seen(session: SessionBase, *, now: datetime) -> None:
    """Note, once a minute at most, that the session is used."""
    note = note_of(session)
    if note is not None and now - note.seen >= timedelta(minutes=1):
        # First what may fail: a session that is unchanged is not saved.
        with transaction.atomic():
            UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=now)
        session[ENTERED] = _note(Entered(note.how, note.at, now, note.until))


def _note(said: Entered) -> dict[str, str]:
    return {
        "how": said.how.value,
        "at": said.at.isoformat(),
        "seen": said.seen.isoformat(),
        "until": said.until.isoformat() if said.until else "",
    }


def sessions_of(user: User, *, now: datetime) -> list[UserSession]:
    """Somebody's sessions that stand, the latest used first. Those that are gone are forgotten."""
    mine = UserSession.objects.filter(user=user)
    standing = Session.objects.filter(
        session_key__in=mine.values_list("session_key", flat=True), expire_date__gt=now
    ).values_list("session_key", flat=True)
    mine.exclude(session_key__in=list(standing)).delete()
    return list(mine.order_by("-last_seen_at"))


def end_sessions(
    user: User, *, by: User | None, now: datetime, only: int | None = None, but: str = ""
) -> int:
    """End somebody's sessions (`only` one by its number; all `but` one by its key); how many."""
    chosen = UserSession.objects.filter(user=user).exclude(session_key=but)
    if only is not None:
        chosen = chosen.filter(pk=only)
    names = list(chosen.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=names).delete()
    chosen.delete()
    if names:
        audit.record(
            "staff.sessions_ended", on=f"accounts.user:{user.pk}", by=by, now=now, count=len(names)
        )
    return len(names)


def tidy(*, now: datetime) -> None:
    """Forget what is counted no more, and sessions that are over."""
    Failure.objects.filter(at__lt=now - limits().window).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    known = Session.objects.values("session_key")
    UserSession.objects.exclude(session_key__in=known).delete()


def forget(request: HttpRequest) -> None:
    """Drop a session that opens nothing any more, without a word of its own."""
    if key := request.session.session_key:
        UserSession.objects.filter(session_key=key).delete()
    request.session.flush()


def unlist(session: str | None) -> None:
    """A session ends by its owner's own hand."""
    UserSession.objects.filter(session_key=session).delete()


def keep(request: HttpRequest, user: User) -> None:
    """This session outlives a change of its owner's password, under a new key."""
    before = request.session.session_key
    update_session_auth_hash(request, user)
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def user_of(request: HttpRequest) -> User:
    """Who is signed in."""
    return cast(User, request.user)
