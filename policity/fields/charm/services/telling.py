"""Telling whoever sent a photograph: by the road that all that is told takes, message to ledger."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from policity.fields.charm import queries
from policity.fields.charm.models import Contribution, Photograph
from policity.fields.charm.rules.photographs import Reason
from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.models import Leads
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT
from policity.kit import ruby
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

# Nobody's mailbox is filled by somebody else who types its address again and again.
MAIL_AGAIN_AFTER = timedelta(minutes=5)
MOST_A_DAY = 5

REASONS = {
    Reason.PEOPLE: gettext_noop("写っている人が、だれか分かるため"),
    Reason.ELSEWHERE: gettext_noop("このまちの写真ではないため"),
    Reason.UNCLEAR: gettext_noop("暗い、ぼけているなどで、見えにくいため"),
    Reason.ANOTHERS: gettext_noop("ほかの人の作品が写っているため"),
    Reason.HARM: gettext_noop("広告や、人をきずつける内容のため"),
    Reason.OTHER: gettext_noop("ほかの理由"),
}


def tell_received(sent: Contribution, *, confirmed: bool, now: datetime) -> None:
    """Tell somebody that it came, and how to take it back; and ask whose the mailbox is."""
    others = Contribution.objects.filter(person=sent.person).exclude(pk=sent.pk)
    if others.filter(sent_at__gt=now - MAIL_AGAIN_AFTER).exists():
        return
    if others.filter(sent_at__gt=now - timedelta(days=1)).count() >= MOST_A_DAY:
        return

    def said() -> list[str]:
        lines = [
            gettext("職員が見てから、公開します。"),
            gettext("「くわしく見る」のアドレスから、いつでも取り下げられます。心当たりがないときも、取り下げてください。"),
        ]  # fmt: skip
        if not confirmed:
            lines.append(
                gettext(
                    "公開したかどうかを知りたいときは、もう一つのアドレスを開いて、ボタンを押してください。24時間たつと使えません。"
                )
            )
        return lines

    title = gettext_noop("写真を受け取りました")
    _send(sent, title, said, leads_to="" if confirmed else Leads.CONFIRM, now=now)


def tell_decided(sent: Contribution, *, now: datetime) -> None:
    """Tell somebody what became of what they sent, once nothing of it waits any more."""
    rows = list(Photograph.objects.filter(contribution=sent))
    stages = Counter(row.stage for row in rows)
    if sent.person is None or stages[Photograph.Stage.WAITING]:
        return
    declined = [row for row in rows if row.stage == Photograph.Stage.DECLINED]

    def said() -> list[str]:
        lines = []
        if count := stages[Photograph.Stage.PUBLISHED]:
            lines.append(
                gettext("%(count)s枚を、公開しました。ありがとうございます。") % {"count": count}
            )
        for row in declined:
            reason = gettext(REASONS[Reason(row.reason)])
            lines.append(
                gettext("1枚は、公開しませんでした。理由：%(reason)s") % {"reason": reason}
            )
            lines += [ruby.foreign(row.note)] if row.note else []
        return lines

    _send(sent, gettext_noop("送ってくれた写真について"), said, leads_to="", now=now)


def _send(
    sent: Contribution, title: str, said: Callable[[], list[str]], *, leads_to: str, now: datetime
) -> None:
    texts = {}
    for one in LANGUAGES:
        with translation.override(one.code):
            texts[one.code] = {"title": gettext(title), "body": "\n".join(said())}
    message = delivery.tell(
        kind=ACCOUNT,
        thread=f"charm:contribution:{sent.pk}",
        severity=Severity.MINOR,
        level=None,
        texts=texts,
        told_at=now,
        now=now,
    )
    delivery.send(
        messages=[message],
        audience=Audience(ACCOUNT, Severity.MINOR, persons=(sent.person or 0,)),
        by=None,
        now=now,
        # The page on which they take it back: it is theirs also when we no longer know them.
        paths={message.pk: queries.own_page(sent.pk)},
        leads_to=leads_to,
    )
