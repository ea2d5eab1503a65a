"""Staff as the administrator sees them, and everybody their own sessions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import segno
from django.utils.safestring import SafeString, mark_safe

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.queries import Grant, Person
from policity.foundations.accounts.rules.entering import How
from policity.foundations.accounts.services import entering

HOW = {
    How.PASSKEY: "パスキー",
    How.CODE: "認証アプリの番号",
    How.RECOVERY: "回復コード",
    How.PROVIDER: "市の認証サーバー",
    How.SAMPLE: "パスワードだけ（見本）",
    How.GLASS: "封筒の番号（非常用）",
}
_BROWSERS = (
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_DEVICES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session: on what, from where, since when."""

    id: int
    device: str
    address: str
    began_at: datetime
    seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A role in words. `state`: "", "まだ" or "終わり"."""

    id: int
    role: str
    towns: str
    starts: date
    ends: date | None
    state: str


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody with an account."""

    who: Person
    now: str
    ends: date | None
    keys: str
    grants: tuple[GrantLine, ...]


def picture(text: str, title: str) -> SafeString:
    """A code to scan, as SVG inside the page."""
    code = segno.make(text, error="m")
    drawn = code.svg_inline(
        omitsize=True, svgclass=None, lineclass=None, border=4, dark="#000", title=title
    )
    return mark_safe(drawn)  # noqa: S308  # squares, drawn by segno, and a title of ours


def sessions(user: User, this: str | None, *, now: datetime) -> tuple[SessionLine, ...]:
    """Somebody's sessions, the latest used first."""
    return tuple(
        SessionLine(
            one.pk,
            _device(one.user_agent),
            "" if one.ip == "0.0.0.0" else one.ip,  # noqa: S104  # stands for none
            one.created_at,
            one.last_seen_at,
            one.session_key == this,
        )
        for one in entering.sessions_of(user, now=now)
    )


def _device(agent: str) -> str:
    named = [
        next((name for sign, name in some if sign in agent), "") for some in (_DEVICES, _BROWSERS)
    ]
    return "・".join(filter(None, named)) or "分からない端末"


def line(person: Person, *, on: date) -> PersonLine:
    """Somebody, as they stand on a day."""
    grants = tuple(_grant(grant, on=on) for grant in person.grants)
    held = [grant for grant in person.grants if not grant.over(on) and not grant.begins(on)]
    ends = [grant.ends for grant in held]
    keys = [f"パスキー {person.passkeys}"] if person.passkeys else []
    keys += ["認証アプリ"] if person.has_code else []
    return PersonLine(
        person,
        "、".join(dict.fromkeys(_named(grant) for grant in held)),
        max((day for day in ends if day is not None), default=None) if None not in ends else None,
        "、".join(keys),
        grants,
    )


def lines(people: Iterable[Person], *, on: date) -> tuple[tuple[PersonLine, ...], ...]:
    """Those who work here, or will; and those who have left, or have no role yet."""
    every = [line(person, on=on) for person in people]
    here = tuple(one for one in every if one.who.works(on))
    return here, tuple(one for one in every if not one.who.works(on))


def _named(grant: Grant) -> str:
    return (
        f"{grant.role.label}（{_towns(grant)}）"
        if grant.towns or grant.departments
        else str(grant.role.label)
    )


def _towns(grant: Grant) -> str:
    return "、".join((*grant.departments, *grant.towns)) or "市の全体"


def _grant(grant: Grant, *, on: date) -> GrantLine:
    state = "終わり" if grant.over(on) else "まだ" if grant.begins(on) else ""
    name = str(Role(grant.role).label)
    return GrantLine(grant.id, name, _towns(grant), grant.starts, grant.ends, state)
