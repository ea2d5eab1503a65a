"""What the city says to somebody about their own registration: by the same road as all else."""

from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from policity.foundations.delivery.models import Leads
from policity.foundations.delivery.services.telling import send, tell, withdraw_person
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT
from policity.foundations.residents.rules.links import Purpose
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

TITLES = {
    Purpose.CONFIRM: gettext_noop("メールアドレスの確認"),
    Purpose.CHANGE: gettext_noop("登録の内容を変える"),
}
BODIES = {
    Purpose.CONFIRM: (
        gettext_noop("知らせを受け取る登録を、受け付けました。"),
        gettext_noop("下のアドレスを開いて、ボタンを押すと、届くようになります。"),
        gettext_noop("24時間たつと使えません。"),
        gettext_noop("心当たりがないときは、何もしないでください。何も届きません。"),
    ),
    Purpose.CHANGE: (
        gettext_noop("このメールアドレスは、もう登録してあります。"),
        gettext_noop("下のアドレスから、内容を変えられます。"),
        gettext_noop("心当たりがないときは、何もしないでください。何も変わりません。"),
    ),
}


def on_link_wanted(*, resident: int, purpose: Purpose, now: datetime, **_: Any) -> None:
    """Send somebody a link of their own, in the transaction in which they asked for it."""
    message = tell(
        kind=ACCOUNT,
        thread=f"account:{purpose}",
        severity=Severity.MINOR,
        level=None,
        texts={language.code: _texts(language.code, purpose) for language in LANGUAGES},
        told_at=now,
        now=now,
    )
    audience = Audience(ACCOUNT, Severity.MINOR, persons=(resident,))
    send(messages=[message], audience=audience, by=None, now=now, leads_to=Leads(purpose.value))


def on_left(*, resident: int, now: datetime, **_: Any) -> None:
    """Nothing more to somebody who left."""
    withdraw_person(resident=resident, now=now)


def _texts(code: str, purpose: Purpose) -> dict[str, str]:
    with translation.override(code):
        body = "\n".join(gettext(sentence) for sentence in BODIES[purpose])
        return {"title": gettext(TITLES[purpose]), "body": body}
