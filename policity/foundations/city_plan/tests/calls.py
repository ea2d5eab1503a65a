"""A call for comments as tests make one, with somebody who keeps the plan."""

from datetime import date, datetime, timedelta
from typing import Any

from policity.foundations.accounts.models import Role, User
from policity.foundations.city_plan import services
from policity.foundations.city_plan.models import Plan
from policity.foundations.city_plan.rules.commenting import Channel, Outcome
from policity.foundations.city_plan.services import CallDraft, Sent
from policity.foundations.city_plan.tests.conftest import NOW, staff

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
TEXTS = {
    "ja": {"title": "令和7年度の評価への意見", "body": "評価の案を読んで、意見を送ってください。"},
    "en": {"title": "Comments on 2025", "body": "Please read the draft."},
}
NAME, ADDRESS = "見本 名字花子", "見本町 9-8-7"
ANSWER = {
    "ja": {"title": "英語でも", "summary": "英語でも知らせてほしい。", "answer": "そうします。",
           "change": "施策1に、英語を足しました。"},
}  # fmt: skip


def keeper() -> User:
    found = User.objects.filter(username="kikaku").first()
    return found or staff("kikaku", Role.PLANNER)


def call(plan: Plan, *, first: date = FIRST, last: date = LAST, now: datetime = NOW) -> int:
    """A call that has a page."""
    draft = CallDraft(plan.pk, 2025, TEXTS, first, last)
    made = services.draft_call(draft=draft, by=keeper(), now=now).pk
    services.announce(call=made, by=keeper(), now=now)
    return made


def web(number: int, text: str = "英語でも知らせてください", **more: Any) -> int:
    return services.receive(call=number, sent=Sent(text, **more), language="ja", now=NOW)


def paper(
    number: int, text: str = "英語も", *, channel: Channel = Channel.PAPER, **more: Any
) -> int:
    sent = Sent(text, **more)
    return services.type_in(
        call=number, sent=sent, channel=channel, received=NOW.date(), by=keeper(), now=NOW
    ).pk


def grouped(number: int, comments: list[int], title: str = "英語でも") -> int:
    return services.put_together(
        call=number, comments=comments, group=None, title=title, by=keeper(), now=NOW
    ).pk


def answered(group: int, *, seen: int = 0, **more: object) -> None:
    said = {"texts": ANSWER, "outcome": Outcome.REFLECTED, "is_checked": False, **more}
    services.answer(group=group, seen=seen, by=keeper(), now=NOW, **said)  # type: ignore[arg-type]


def published(plan: Plan) -> int:
    """A call with two comments in a group, one that is withheld, and its answer, for everybody."""
    from policity.foundations.city_plan.rules.commenting import Reason

    number = call(plan)
    one = web(number, f"{NAME}です。英語でも知らせてください", name=NAME, address=ADDRESS)
    two = paper(number, name=NAME)
    bad = web(number, "ひどいことば", name=NAME)
    services.withhold(comment=bad, reason=Reason.ABUSE, note="", by=keeper(), now=NOW)
    answered(grouped(number, [one, two]))
    services.close(call=number, reason="試す", by=keeper(), now=NOW)
    services.publish_answers(call=number, by=keeper(), now=NOW)
    return number


DAY = timedelta(days=1)
