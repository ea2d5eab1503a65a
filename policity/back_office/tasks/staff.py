"""What the worker does for staff: mails about accounts, and forgetting what is over.

A mail's text is made when it is sent: a one-time link lies in no queue.
"""

import random
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from policity.back_office.channels import send
from policity.back_office.presenters.frame import city_name
from policity.back_office.presenters.morning import morning
from policity.design import drills
from policity.foundations.accounts.models import Seal, User
from policity.foundations.accounts.rules.mails import About
from policity.foundations.accounts.services import entering, staff
from policity.foundations.work import services as work
from policity.kit import moments
from policity.kit.declare import Lane

log = structlog.get_logger("policity.back_office")

MAIL = "staff-mail"
LEASE = timedelta(minutes=1)
EVERY = timedelta(hours=1)
_last: list[datetime] = []


def on_mail_wanted(*, user: int, about: About, on: int, now: datetime, **_: Any) -> None:
    """Put it into the queue, in the transaction that wants it."""
    key = f"{about.value}:{on}:{user}:{int(now.timestamp())}"
    work.put(MAIL, [key], lane=Lane.URGENT, due=now)


def mails(now: datetime) -> int:
    """Send one mail that is due. One that cannot be sent is tried again."""
    claims = work.claim(MAIL, lane=Lane.URGENT, now=now, lease=LEASE, limit=1)
    for held in claims:
        about, on, user, moment = held.key.split(":")
        to = User.objects.filter(pk=int(user), is_active=True).first()
        said = _said(About(about), int(on), to) if to and to.email else None
        try:
            if to and said:
                subject = drills.titled(f"【{city_name()}】{said[0]}", "ja")
                send(key=f"{moment}-{held.id}", to=to.email, subject=subject, text=said[1])
        except OSError as error:
            jitter = random.random()  # noqa: S311 - it spreads load, it hides nothing
            work.retry(held, error=type(error).__name__, now=now, jitter=jitter)
            log.warning("staff_mail_failed", error=type(error).__name__)
        else:
            work.done([held])
    return len(claims)


def _said(about: About, on: int, to: User) -> tuple[str, str] | None:
    """The subject and the text; None where it is not true any more."""
    if about is About.LINK:
        if to.has_usable_password():
            return None
        number, token = staff.link_of(to).split("/")
        way = settings.PUBLIC_URL + reverse("back_office:welcome", args=[number, token])
        return "職員の登録", (
            f"{to}さん\n\n職員の登録ができました。下のアドレスを開いて、パスワードを決めてください。"
            f"一回だけ、期限のうちに使えます。ほかの人に転送しないでください。\n\n{way}\n"
        )
    if about is About.GLASS:
        seal = Seal.objects.filter(pk=on).first()
        if seal is None or seal.opened_at is None:
            return None
        at = moments.full(timezone.localtime(seal.opened_at), "ja")
        return "非常用アカウントの封が開けられました", (
            f"{at}に、封筒の番号で、非常用アカウントに入った人がいます。\n"
            "心当たりがなければ、すぐに情報システムの担当に知らせてください。\n"
            "サーバーで policity accounts seal を動かすと、その場で使えなくなり、封をし直せます。\n"
        )
    if about is About.DAY:
        now = timezone.now()
        # One that waited for a mail server until the next morning is told no more.
        return morning(now=now) if on == timezone.localdate(now).toordinal() else None
    return "サインインのキーかパスワードが変わりました", (
        f"{to}さんのキーかパスワードが変わりました。\n"
        "心当たりがなければ、すぐに管理者に、リセットを頼んでください。\n"
    )


def tidy(now: datetime) -> int:
    """Once an hour: forget failures that are counted no more, and sessions that are over."""
    if _last and now - _last[0] < EVERY:
        return 0
    _last[:] = [now]
    entering.tidy(now=now)
    return 0
