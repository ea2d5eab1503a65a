"""Staff's keys beyond a password: passkeys, codes by the clock, recovery codes.

The only module that knows the library which keeps them (django-allauth, docs/adr/0013).
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.accounts.rules.entering import How, typed_code
from policity.foundations.accounts.rules.mails import About
from policity.foundations.accounts.services import audit
from policity.foundations.accounts.signals import mail_wanted

Type = Authenticator.Type
_STEP = 30
# A telephone's clock may be half a minute off (RFC 6238, 5.2).
_DRIFT = (-1, 0, 1)
MOST_PASSKEYS = 10
LONGEST_NAME = 50


class KeyRefused(ValueError):  # noqa: N818  # the thing refused
    """It was not taken for a key. The text says what to do, in Japanese."""


NOT_READ = "パスキーを確かめられませんでした。もう一度ためしてください。"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped
    """What is secret about a key lies encrypted: a copy of the database opens no account."""

    def encrypt(self, text: str) -> str:
        """For the database."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """From the database. Raises InvalidToken where the home's secret.key is another one."""
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> Fernet:
    derive = HKDF(SHA256(), length=32, salt=None, info=b"policity.accounts.keys")
    return Fernet(base64.urlsafe_b64encode(derive.derive(settings.SECRET_KEY.encode())))


@dataclass(frozen=True, slots=True)
class Key:
    """One key of somebody's, as they see it."""

    id: int
    is_passkey: bool
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Keys:
    """All of somebody's keys. `left` is how many recovery codes are unused."""

    keys: tuple[Key, ...]
    left: int

    @property
    def has_code(self) -> bool:
        """Whether one of them gives codes by the clock."""
        return any(not key.is_passkey for key in self.keys)

    @property
    def has_passkey(self) -> bool:
        """Whether one of them is a passkey."""
        return any(key.is_passkey for key in self.keys)


def keys_of(user: User) -> Keys:
    """What somebody can come in with. One query."""
    found = list(Authenticator.objects.filter(user=user).order_by("pk"))
    codes = next((one for one in found if one.type == Type.RECOVERY_CODES), None)
    return Keys(
        tuple(
            Key(
                one.pk,
                one.type == Type.WEBAUTHN,
                one.data["name"] if one.type == Type.WEBAUTHN else "認証アプリ",
                one.created_at,
                one.last_used_at,
            )
            for one in found
            if one.type != Type.RECOVERY_CODES
        ),
        len(RecoveryCodes(codes).get_unused_codes()) if codes else 0,
    )


def has_keys(user: User) -> bool:
    """Whether somebody has a second factor already."""
    return bool(Authenticator.objects.filter(user=user).exclude(type=Type.RECOVERY_CODES).exists())


# Passkeys (WebAuthn level 3). The library keeps the challenge in the session of the request.


def passkey_wanted(user: User) -> dict[str, Any]:
    """What the browser is asked to make a passkey with."""
    return _plain(webauthn.begin_registration(user, True))


@transaction.atomic
def add_passkey(
    answer: Mapping[str, Any], *, name: str, by: User, now: datetime
) -> tuple[str, ...]:
    """Keep the passkey that a browser made for `by`; gives recovery codes with the first key.

    Raises KeyRefused.
    """
    if Authenticator.objects.filter(user=by, type=Type.WEBAUTHN).count() >= MOST_PASSKEYS:
        raise KeyRefused("パスキーが多すぎます。使っていないものを消してから、足してください。")
    try:
        webauthn.parse_registration_response(answer)
        webauthn.complete_registration(dict(answer))
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise KeyRefused(NOT_READ) from error
    name = name.strip()[:LONGEST_NAME] or "パスキー"
    made = webauthn.WebAuthn.add(by, name, dict(answer)).instance
    return _added(by, made, now=now)


def passkey_asked(user: User | None) -> dict[str, Any]:
    """What a browser is asked to prove: that it has one of `user`'s passkeys, or anybody's."""
    return _plain(webauthn.begin_authentication(user))


@transaction.atomic
def prove_passkey(answer: Mapping[str, Any], *, user: User | None, now: datetime) -> User:
    """Whose passkey it is that a browser answered with. Raises KeyRefused."""
    try:
        webauthn.parse_authentication_response(answer)
        owner = webauthn.extract_user_from_response(dict(answer))
        if not isinstance(owner, User) or (user is not None and owner.pk != user.pk):
            raise KeyRefused(NOT_READ)
        key = webauthn.complete_authentication(owner, dict(answer))
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyRefused(NOT_READ) from error
    if not owner.is_active:
        raise KeyRefused(NOT_READ)
    Authenticator.objects.filter(pk=key.pk).update(last_used_at=now)
    return owner


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dict(options), default=dict))
    return plain


# Codes by the clock (TOTP, RFC 6238), and codes on paper for the day the key is lost.


def new_secret() -> str:
    """A secret for an application that gives codes, in base 32."""
    return str(totp.generate_totp_secret())


def address_of(secret: str, *, user: User, city: str) -> str:
    """What such an application scans."""
    asked = urlencode({"secret": secret, "issuer": city}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{city}:{user.username}')}?{asked}"


@transaction.atomic
def add_codes(secret: str, code: str, *, by: User, now: datetime) -> tuple[str, ...]:
    """Take an application for `by`'s key, which shows that it has the secret; as `add_passkey`."""
    counter = _counter(secret, code, after=0, now=now)
    if counter is None:
        raise KeyRefused("番号がちがいます。アプリにいま出ている6桁の番号を入れてください。")
    Authenticator.objects.filter(user=by, type=Type.TOTP).delete()
    made = totp.TOTP.activate(by, secret).instance
    made.data["last"] = counter
    made.save(update_fields=["data"])
    return _added(by, made, now=now)


@transaction.atomic
def prove_code(code: str, *, user: User, now: datetime) -> How | None:
    """By what `user` came in, where the code is right: each is good for once."""
    typed = typed_code(code)
    mine = Authenticator.objects.select_for_update().filter(user=user)
    key = mine.filter(type=Type.TOTP).first()
    if key is not None:
        secret = Adapter().decrypt(key.data["secret"])
        counter = _counter(secret, typed, after=key.data.get("last", 0), now=now)
        if counter is not None:
            key.data["last"], key.last_used_at = counter, now
            key.save(update_fields=["data", "last_used_at"])
            return How.CODE
    paper = mine.filter(type=Type.RECOVERY_CODES).first()
    if paper is not None and RecoveryCodes(paper).validate_code(typed):
        return How.RECOVERY
    return None


def _counter(secret: str, code: str, *, after: int, now: datetime) -> int | None:
    """The step of the clock that gives this code; none that was used, or that is older."""
    here = int(now.timestamp()) // _STEP
    for counter in (here + off for off in _DRIFT):
        said = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if counter > after and hmac.compare_digest(said.encode(), typed_code(code).encode()):
            return counter
    return None


@transaction.atomic
def new_recovery_codes(*, by: User, now: datetime) -> tuple[str, ...]:
    """Codes to print, instead of those from before."""
    Authenticator.objects.filter(user=by, type=Type.RECOVERY_CODES).delete()
    audit.record("keys.printed", on=f"accounts.user:{by.pk}", by=by, now=now)
    return tuple(RecoveryCodes.activate(by).generate_codes())


@transaction.atomic
def remove_key(key: int, *, by: User, must_have: bool, now: datetime) -> None:
    """Take one of one's own keys away. Raises KeyRefused for the last one where one is needed."""
    mine = Authenticator.objects.select_for_update().filter(user=by)
    found = mine.exclude(type=Type.RECOVERY_CODES).filter(pk=key).first()
    if found is None:
        raise KeyRefused("このキーは、もうありません。")
    if mine.exclude(type=Type.RECOVERY_CODES).count() == 1:
        if must_have:
            raise KeyRefused("最後の一つは消せません。先に、新しいものを足してください。")
        mine.delete()
    else:
        found.delete()
    audit.record("keys.removed", on=f"accounts.user:{by.pk}", by=by, now=now, kind=found.type)
    mail_wanted.send(Authenticator, user=by.pk, about=About.KEYS, on=found.pk, now=now)


def _added(by: User, made: Authenticator, *, now: datetime) -> tuple[str, ...]:
    audit.record("keys.added", on=f"accounts.user:{by.pk}", by=by, now=now, kind=made.type)
    mail_wanted.send(Authenticator, user=by.pk, about=About.KEYS, on=made.pk, now=now)
    if Authenticator.objects.filter(user=by, type=Type.RECOVERY_CODES).exists():
        return ()
    return new_recovery_codes(by=by, now=now)
