"""Registering, changing and leaving. Whoever holds a personal link may act for that person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db.models import F
from django.utils.translation import gettext_noop

from policity.foundations.places import queries as places
from policity.foundations.residents.models import Address, Channel, Label, Place, Resident
from policity.foundations.residents.queries import version as published
from policity.foundations.residents.rules.addresses import Subscription, mail_address
from policity.foundations.residents.rules.choices import Quiet, Wants, defaults, pack
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services.versions import TOPIC, depart, next_version
from policity.foundations.residents.signals import left, link_wanted, needed
from policity.foundations.work import services as work
from policity.kit.languages import BY_CODE

# An address that its owner has not confirmed by then is forgotten, with the registration.
UNCONFIRMED_FOR = timedelta(days=1)
# Nobody's mailbox is filled by somebody else who types its address again and again.
MAIL_AGAIN_AFTER = timedelta(minutes=5)
MOST_PLACES = 5


class BadRegistrationError(ValueError):
    """It cannot be registered so. The message is one Japanese sentence, for the catalogues."""


class AlreadyConfirmedError(BadRegistrationError):
    """The address was confirmed before."""


@work.alone(TOPIC)
def register(
    *,
    town: int,
    language: str,
    email: str = "",
    push: Subscription | None = None,
    wants: Wants | None = None,
    quiet: Quiet | None = None,
    born: int | None = None,
    now: datetime,
) -> int:
    """Take somebody in, and give their number. A mail address is used once it is confirmed.

    Where an address is known already its owner is sent the link to their settings, and nothing
    else happens: a stranger learns nothing, and changes nothing. Raises BadRegistrationError,
    BadAddress.
    """
    if not email and push is None:
        raise BadRegistrationError(
            gettext_noop("メールアドレスを入れるか、通知を許可してください。")
        )
    mail = mail_address(email) if email else ""
    _check(town=town, language=language)
    forget_unconfirmed(now=now)
    known = _owner(mail, push)
    if known and mail:
        _settle_guest(known, town=town, language=language, wants=wants, quiet=quiet, born=born)
        if _may_mail(known, now=now):
            purpose = Purpose.CHANGE if known.confirmed_at else Purpose.CONFIRM
            Address.objects.filter(pk=known.pk).update(added_at=now)
            _want_link(known, purpose, now=now)
        return known.resident_id
    if known:
        # The same browser once more: it begins anew.
        leave(resident=known.resident_id, now=now)
    resident = Resident.objects.create(
        language=language,
        wants=_stored(wants),
        quiet_from=quiet.starts if quiet else None,
        quiet_to=quiet.ends if quiet else None,
        born=born,
        registered_at=now,
        version=next_version(),
    )
    Place.objects.create(resident=resident, town_id=town)
    if push:
        set_push(resident=resident.pk, push=push, now=now)
    if mail:
        _ask_to_confirm(resident.pk, mail, now=now)
    return resident.pk


def _settle_guest(
    known: Address,
    *,
    town: int,
    language: str,
    wants: Wants | None,
    quiet: Quiet | None,
    born: int | None,
) -> None:
    """A guest whose address nobody has confirmed yet registers: by one link for both.

    What its owner has confirmed is changed by its owner alone, in their settings.
    """
    resident = known.resident_id
    if known.confirmed_at or Place.objects.filter(resident=resident).exists():
        return
    Resident.objects.filter(pk=resident).update(
        language=language,
        wants=_stored(wants),
        quiet_from=quiet.starts if quiet else None,
        quiet_to=quiet.ends if quiet else None,
        born=born,
        version=next_version(),
    )
    Place.objects.create(resident_id=resident, town_id=town)


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom a mail address belongs to, and its number; whether its owner has proved that."""

    resident: int
    address: int
    confirmed: bool


@work.alone(TOPIC)
def welcome(*, email: str, language: str, now: datetime) -> Guest:
    """Who is reached at a mail address: somebody known, or a guest who hears of nothing.

    A guest watches no place and wants no kind: messages that name them are all they get. One whose
    address is not confirmed in time is forgotten, as everybody. Raises BadAddress.
    """
    mail = mail_address(email)
    forget_unconfirmed(now=now)
    known = _owner(mail, None)
    if known is None:
        resident = Resident.objects.create(
            language=language, wants=pack({}), registered_at=now, version=next_version()
        )
        known = Address.objects.create(
            resident=resident, channel=Channel.MAIL, value=mail, added_at=now
        )
    elif known.confirmed_at is None:
        Address.objects.filter(pk=known.pk).update(added_at=now)
    return Guest(known.resident_id, known.pk, confirmed=known.confirmed_at is not None)


@work.alone(TOPIC)
def part(*, persons: Sequence[int], now: datetime) -> int:
    """Forget those of these who are guests, and say how many that were.

    Whoever watches a place, chose something to hear of, or is still to be told something is none.
    """
    still: set[int] = set()
    for _, some in needed.send(Resident, persons=persons):
        still |= cast(set[int], some)
    left_alone = [person for person in persons if person not in still]
    guests = Resident.objects.filter(pk__in=left_alone, places=None, wants=pack({}))
    numbers = list(guests.order_by("pk").values_list("pk", flat=True))
    for resident in numbers:
        leave(resident=resident, now=now)
    return len(numbers)


def _owner(mail: str, push: Subscription | None) -> Address | None:
    addresses = Address.objects.filter(channel=Channel.MAIL, value=mail)
    if not mail:
        value = push.endpoint if push else ""
        addresses = Address.objects.filter(channel=Channel.PUSH, value=value)
    # What an import has not finished may yet be nobody's. One that a list brought stays with it.
    made = addresses.filter(resident__version__lte=published())
    return made.order_by(F("confirmed_at").asc(nulls_last=True), "pk").first()


def _may_mail(address: Address, *, now: datetime) -> bool:
    return address.retired_at is None and now - address.added_at >= MAIL_AGAIN_AFTER


def _check(*, town: int, language: str) -> None:
    if language not in BY_CODE:
        raise BadRegistrationError("言語を選んでください。")
    if town not in {known.id for known in places.towns()}:
        raise BadRegistrationError("町を、一覧から選んでください。")


def _stored(wants: Wants | None) -> str:
    """Who takes the defaults follows them when the city changes them."""
    return "" if wants is None or wants == defaults() else pack(wants)


def _ask_to_confirm(resident: int, mail: str, *, now: datetime) -> None:
    address = Address.objects.create(
        resident_id=resident, channel=Channel.MAIL, value=mail, added_at=now
    )
    _want_link(address, Purpose.CONFIRM, now=now)


def _want_link(address: Address, purpose: Purpose, *, now: datetime) -> None:
    link_wanted.send(Resident, resident=address.resident_id, purpose=purpose, now=now)


@work.alone(TOPIC)
def confirm_mail(*, resident: int, address: int, now: datetime) -> None:
    """The owner of a mail address says that it is theirs; it takes the place of the one before.

    `address` is its number, which the link in the mail names: a link proves its own mailbox and
    no other. Safe to repeat. Raises BadRegistrationError where it has run out, or was replaced.
    """
    mails = Address.objects.filter(resident=resident, channel=Channel.MAIL)
    found = mails.filter(pk=address).first()
    if found is None or (not found.confirmed_at and now - found.added_at > UNCONFIRMED_FOR):
        raise BadRegistrationError(
            gettext_noop("確認の期限が切れています。もう一度、登録してください。")
        )
    if found.confirmed_at is None:
        mails.exclude(pk=address).delete()
        mails.update(confirmed_at=now)
        _touch(resident)


@work.alone(TOPIC)
def change(
    *,
    resident: int,
    language: str,
    wants: Wants,
    quiet: Quiet | None,
    born: int | None,
    now: datetime,
) -> None:
    """New choices; a year of birth that is not given is forgotten. Raises BadRegistrationError."""
    if language not in BY_CODE:
        raise BadRegistrationError("言語を選んでください。")
    Resident.objects.filter(pk=resident).update(
        language=language,
        wants=_stored(wants),
        quiet_from=quiet.starts if quiet else None,
        quiet_to=quiet.ends if quiet else None,
        born=born,
        version=next_version(),
    )


@work.alone(TOPIC)
def change_mail(*, resident: int, email: str, now: datetime) -> None:
    """Another mail address: used once it is confirmed, and until then the one before is.

    Raises BadAddress, BadRegistrationError.
    """
    mail = mail_address(email)
    mails = Address.objects.filter(resident=resident, channel=Channel.MAIL)
    if mails.filter(value=mail).usable():
        raise AlreadyConfirmedError(gettext_noop("このアドレスには、もう届いています。"))
    waiting = mails.filter(confirmed_at=None)
    if waiting.filter(added_at__gt=now - MAIL_AGAIN_AFTER).exists():
        raise BadRegistrationError(
            gettext_noop("確かめるメールを送ったばかりです。5分たってから、入れてください。")
        )
    waiting.delete()
    _ask_to_confirm(resident, mail, now=now)
    _touch(resident)


@work.alone(TOPIC)
def set_push(*, resident: int, push: Subscription, now: datetime) -> None:
    """Notifications of this browser; a browser belongs to one registration."""
    Address.objects.filter(channel=Channel.PUSH, value=push.endpoint).delete()
    Address.objects.update_or_create(
        resident_id=resident,
        channel=Channel.PUSH,
        defaults={
            "value": push.endpoint,
            "p256dh": push.p256dh,
            "auth": push.auth,
            "added_at": now,
            "confirmed_at": now,
            "retired_at": None,
            "retired_for": "",
        },
    )
    _touch(resident)


@work.alone(TOPIC)
def drop_push(*, resident: int, now: datetime) -> None:
    """No more notifications. Raises BadRegistrationError where nothing else is left."""
    mail = Address.objects.usable().filter(resident=resident, channel=Channel.MAIL)
    if not mail.exists():
        raise BadRegistrationError(
            gettext_noop("ほかに受け取る方法がありません。やめるときは登録を消してください。")
        )
    Address.objects.filter(resident=resident, channel=Channel.PUSH).delete()
    _touch(resident)


@work.alone(TOPIC)
def add_place(*, resident: int, town: int, label: Label, now: datetime) -> None:
    """One more place to watch. Raises BadRegistrationError."""
    if town not in {known.id for known in places.towns()}:
        raise BadRegistrationError("町を、一覧から選んでください。")
    watched = Place.objects.filter(resident=resident)
    if watched.filter(town=town).exists():
        raise BadRegistrationError(gettext_noop("その町は、もう登録してあります。"))
    if watched.count() >= MOST_PLACES:
        raise BadRegistrationError(
            gettext_noop("これより多くは足せません。ほかの場所を消してから、足してください。")
        )
    Place.objects.create(resident_id=resident, town_id=town, label=label)
    _touch(resident)


@work.alone(TOPIC)
def remove_place(*, resident: int, place: int, now: datetime) -> None:
    """One place less; the last one stays. Raises BadRegistrationError."""
    watched = Place.objects.filter(resident=resident)
    if watched.count() <= 1:
        raise BadRegistrationError(
            gettext_noop("場所は、1つ残してください。ちがう町を足してから消せます。")
        )
    watched.filter(pk=place).delete()
    _touch(resident)


@work.alone(TOPIC)
def leave(*, resident: int, now: datetime) -> None:
    """Forget somebody altogether. What was sent stays counted, by number. Safe to repeat."""
    found = Resident.objects.filter(pk=resident)
    if found.exists():
        left.send(Resident, resident=resident, now=now)
        found.delete()
        depart([resident], version=next_version())


@dataclass(frozen=True, slots=True)
class Dead:
    """An address that a gateway calls dead. With `value` only if it is still that person's."""

    resident: int
    channel: str
    value: str
    reason: str


@work.alone(TOPIC)
def retire(dead: Sequence[Dead], *, now: datetime) -> int:
    """Use these addresses no more; staff see why. Says how many that were. Two queries each way.

    Without a `value` the confirmed address is meant.
    """
    told = {(one.resident, one.channel): one for one in dead}
    held = Address.objects.filter(retired_at=None, resident__in={one.resident for one in dead})
    retired = []
    for address in held:
        one = told.get((address.resident_id, address.channel))
        if one and (one.value == address.value or (not one.value and address.confirmed_at)):
            address.retired_at, address.retired_for = now, one.reason[:200]
            retired.append(address)
    if retired:
        Address.objects.bulk_update(retired, ["retired_at", "retired_for"])
        Resident.objects.filter(pk__in={address.resident_id for address in retired}).update(
            version=next_version()
        )
    return len(retired)


def forget_unconfirmed(*, now: datetime) -> None:
    """Addresses that nobody confirmed in time are forgotten, and who has no other with them.

    Whoever came with a list stays.
    """
    old = Address.objects.filter(confirmed_at=None, added_at__lt=now - UNCONFIRMED_FOR)
    waited = set(old.values_list("resident_id", flat=True))
    others = Address.objects.filter(resident__in=waited).exclude(pk__in=old)
    listed = Resident.objects.filter(pk__in=waited, external_id__isnull=False)
    stay = {*others.values_list("resident_id", flat=True), *listed.values_list("pk", flat=True)}
    for resident in sorted(waited - stay):
        leave(resident=resident, now=now)
    old.delete()


def _touch(resident: int) -> None:
    Resident.objects.filter(pk=resident).update(version=next_version())
