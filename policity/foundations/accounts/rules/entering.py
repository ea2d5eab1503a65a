"""When a sign-in may be tried again, when a session is over, and what one-time codes look like.

Pure. Failures are counted by name and address together, so that nobody locks somebody else out.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policity.foundations.accounts.rules.limits import Limits

# No letter that is taken for another on paper (Crockford's base 32 without L, I, O, U).
GLASS_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GLASS_LETTERS = 30
_GROUP = 5


class How(StrEnum):
    """By what somebody came in, beyond a name and a password."""

    PASSKEY = "passkey"
    CODE = "code"
    RECOVERY = "recovery"
    PROVIDER = "provider"
    SAMPLE = "sample"
    GLASS = "glass"


@dataclass(frozen=True, slots=True)
class Entered:
    """What a session notes of a sign-in. `until` ends it sooner than the limits do."""

    how: How
    at: datetime
    seen: datetime
    until: datetime | None = None

    def over(self, now: datetime, limits: Limits, *, idle: bool = True) -> bool:
        """Whether the session is too old. `idle=False` where nobody is expected to press."""
        return (
            now - self.at >= limits.longest
            or (idle and now - self.seen >= limits.idle)
            or (self.until is not None and now >= self.until)
        )

    def fresh(self, now: datetime, limits: Limits) -> bool:
        """Whether it is recent enough to change one's own keys."""
        return now - self.at < limits.fresh


def wait(failures: Iterable[datetime], *, most: int, window: timedelta, now: datetime) -> timedelta:
    """How long until another try; zero where it may be tried now.

    There are never more than `most` failures within a window, wherever the window begins.
    """
    recent = sorted(at for at in failures if now - at < window)
    if len(recent) < most:
        return timedelta(0)
    return recent[-most] + window - now


def typed_code(text: str) -> str:
    """A code as somebody types it from a telephone or paper: any width, with spaces or hyphens."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())


def typed_glass(text: str) -> str:
    """The sealed code as typed; what looks like another sign is read as the one that exists."""
    return typed_code(text).translate(str.maketrans("OIL", "011"))


def grouped(code: str) -> str:
    """ "ABCDE-FGHJK-…": as it is printed."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


# How a provider says that it asked for more than a password: RFC 8176 ("mfa"); the authentication
# contexts of OpenID Connect EAP and of REFEDS.
_METHODS = frozenset({"mfa"})
_CONTEXTS = frozenset({"phr", "phrh", "https://refeds.org/profile/mfa"})


def asserts_second(methods: object, context: object) -> bool:
    """Whether the claims `amr` and `acr` of an ID token stand for a second factor."""
    said = set(methods) if isinstance(methods, list) else set()
    return bool(said & _METHODS) or context in _CONTEXTS
