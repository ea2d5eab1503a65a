"""Calls for comments and the city's answers, in the language of the page."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_noop

from policity.foundations.city_plan.queries.comments import (
    ROOT,
    CallView,
    CommentView,
    GroupView,
    Result,
    Texts,
)
from policity.foundations.city_plan.rules.commenting import Channel, Numbers, Outcome, Reason, Stage
from policity.foundations.continuity.rules.retention import periods
from policity.kit import moments, ruby
from policity.kit.eras import fiscal_name
from policity.kit.furigana import furigana

STAGES = {
    Stage.COMING: gettext_noop("まもなく始まります"),
    Stage.OPEN: gettext_noop("受け付けています"),
    Stage.CLOSED: gettext_noop("締め切りました"),
    Stage.PUBLISHED: gettext_noop("結果が出ました"),
}
CHANNELS = {
    Channel.WEB: gettext_noop("このサイト"),
    Channel.MAIL: gettext_noop("メール"),
    Channel.PAPER: gettext_noop("紙"),
}
OUTCOMES = {
    Outcome.REFLECTED: gettext_noop("反映しました"),
    Outcome.INCLUDED: gettext_noop("すでに入っています"),
    Outcome.NOTED: gettext_noop("参考にします"),
    Outcome.DECLINED: gettext_noop("反映しません"),
    Outcome.ANSWERED: gettext_noop("質問に答えました"),
}
REASONS = {
    Reason.PERSONAL: gettext_noop("だれかの個人のことが書かれているため、公開しません。"),
    Reason.ABUSE: gettext_noop("ひとを傷つけることばがあるため、公開しません。"),
    Reason.ADVERT: gettext_noop("宣伝か、計画に関係のないことのため、公開しません。"),
    Reason.OTHER: gettext_noop("公開しないことにしました。"),
}
# The head of the table, in Japanese, and each group's row beneath it: what the page says, too.
HEAD = ("番号", "意見のまとまり", "意見の概要", "件数", "施策", "市の考え方", "反映", "変えたこと")


def own(texts: Texts, code: str, part: str) -> str:
    """A text in a language, in Japanese where there is none; with readings in やさしい日本語."""
    text = ruby.foreign(texts.get(code, {}).get(part) or texts["ja"].get(part, ""))
    return furigana(text, {}) if code == "ja-easy" else text


def lang(texts: Texts, code: str) -> str:
    """The lang attribute of its texts, empty where they are in the page's own language."""
    return "" if code in ("ja", "ja-easy") or texts.get(code, {}).get("title") else "ja"


def _day(day: date, code: str) -> str:
    return moments.day(datetime.combine(day, time()), code)


def _subject(view: CallView, code: str) -> str:
    """What of the plan it is on."""
    if view.year is None:
        return gettext("計画の案")
    year = str(view.year)
    if code in ("ja", "ja-easy"):
        year = own({"ja": {"year": fiscal_name(view.year).removesuffix("年度")}}, code, "year")
    return gettext("%(year)s年度の評価") % {"year": year}


@dataclass(frozen=True, slots=True)
class Row:
    """One call in the list."""

    page: str
    title: str
    lang: str
    mark: str
    days: str
    off: bool


def listed(views: Sequence[CallView], code: str) -> dict[str, Any]:
    """Every call, the newest first."""
    return {
        "rows": [
            Row(
                f"{ROOT}{view.id}/",
                own(view.texts, code, "title"),
                lang(view.texts, code),
                gettext(STAGES[view.stage]),
                _days(view, code),
                view.stage is Stage.CLOSED,
            )
            for view in views
        ]
    }


def _days(view: CallView, code: str) -> str:
    dash = "–" if code in ("en", "ko") else "〜"
    return f"{_day(view.first_day, code)}{dash}{_day(view.last_day, code)}"


def call(view: CallView, code: str) -> dict[str, Any]:
    """A call, and the way to the form or to the answers."""
    body = own(view.texts, code, "body")
    return {
        "id": view.id,
        "title": own(view.texts, code, "title"),
        "lang": lang(view.texts, code),
        "paragraphs": [text for text in body.split("\n\n") if text.strip()],
        "plan": view.plan_name,
        "subject": _subject(view, code),
        "mark": gettext(STAGES[view.stage]),
        "days": _days(view, code),
        "first_day": _day(view.first_day, code),
        "stage": view.stage.value,
        "is_sample": view.is_sample,
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """A group of comments with the answer, for its page."""

    title: str
    lang: str
    size: int
    measures: tuple[str, ...]
    outcome: str
    outcome_key: str
    summary: list[str]
    answer: list[str]
    change: list[str]


def result(found: Result, code: str) -> dict[str, Any]:
    """The answers, and how many comments came how."""
    return {
        **call(found.call, code),
        "answers": [_answer(one, code) for one in found.groups],
        "translated": all(not lang(one.texts, code) for one in found.groups),
        **_sums(found.numbers),
    }


def _sums(found: Numbers) -> dict[str, Any]:
    return {
        "channels": [(gettext(CHANNELS[one]), count) for one, count in found.by_channel.items()],
        "all": found.all,
        "withheld": found.withheld,
    }


def _answer(view: GroupView, code: str) -> Answer:
    def lines(part: str) -> list[str]:
        text = own(view.texts, code, part)
        return [line for line in text.split("\n") if line.strip()]

    outcome = view.outcome or Outcome.ANSWERED
    return Answer(
        own(view.texts, code, "title"),
        lang(view.texts, code),
        view.size,
        tuple(map(ruby.foreign, view.measures)),
        gettext(OUTCOMES[outcome]),
        outcome.value,
        lines("summary"),
        lines("answer"),
        lines("change"),
    )


def table(found: Result) -> bytes:
    """The answers as CSV for a spreadsheet, in Japanese: the page's words and numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    for number, one in enumerate(found.groups, 1):
        said = one.texts["ja"]
        outcome = OUTCOMES[one.outcome or Outcome.ANSWERED]
        cells = (said["title"], said["summary"], one.size, "、".join(one.measures),
                 said["answer"], outcome, said["change"])  # fmt: skip
        writer.writerow((number, *(_safe(cell) for cell in cells)))
    writer.writerow(())
    writer.writerow(("受け取った意見", "", "", found.numbers.all))
    for channel, count in found.numbers.by_channel.items():
        writer.writerow((CHANNELS[channel], "", "", count))
    writer.writerow(("公開しない意見", "", "", found.numbers.withheld))
    return ("\N{BYTE ORDER MARK}" + text.getvalue()).encode()


def _safe(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") else cell


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the id of the field where it is."""

    field: str
    text: str


def send(
    view: CallView | None,
    fields: Sequence[tuple[str, Sequence[tuple[int, str]]]],
    form: forms.Form,
    code: str,
    *,
    refusal: str = "",
) -> dict[str, Any]:
    """The form, with what was typed. Without a view nobody knows the call just now."""
    chosen = str(form["measure"].value() or "")
    faults = {} if refusal else form.errors
    return {
        "form": form,
        "faults": [Fault(name, str(texts[0])) for name, texts in faults.items()],
        "refusal": refusal,
        "call": call(view, code) if view else None,
        "fields": [(ruby.foreign(name), _options(some, chosen)) for name, some in fields],
        # Kept until they are known again.
        "chosen": chosen if view is None else "",
        "days": periods()["comments"].keeps.days,
    }


def _options(some: Sequence[tuple[int, str]], chosen: str) -> list[tuple[str, str, bool]]:
    return [(str(key), ruby.foreign(said), str(key) == chosen) for key, said in some]


def mine(
    comment: CommentView, view: CallView, answers: Result | None, code: str, *, word: str
) -> dict[str, Any]:
    """What somebody sent, for them, and what the city answers once everybody may read it."""
    found: Mapping[int, GroupView] = {one.id: one for one in answers.groups} if answers else {}
    answered = found.get(comment.group or 0)
    reason = gettext(REASONS[comment.withheld]) if answers and comment.withheld else ""
    return {
        "said": gettext("受け取りました。ありがとうございます。") if word == "sent" else "",
        "number": comment.id,
        "received": _day(comment.received, code),
        "lines": [ruby.foreign(line) for line in comment.text.split("\n")],
        "measure": ruby.foreign(comment.measure_name),
        "call": call(view, code),
        "answer": _answer(answered, code) if answered else None,
        "reason": reason,
    }


def away() -> Fault:
    """What is said where the database is away: it is not kept, and what was typed is there."""
    return Fault(
        "text",
        gettext(
            "いまは受け取れません。少し待って、もう一度送ってください。書いたことは残っています。"
        ),
    )


def gone() -> dict[str, Any]:
    """What is said of a call that is not there."""
    return {
        "title": gettext("この募集は、ありません。"),
        "body": gettext("終わったか、まだ始まっていません。"),
    }


def broken() -> dict[str, Any]:
    """What is said of a link that leads nowhere."""
    return {
        "title": gettext("このアドレスは使えません。"),
        "body": gettext("途中で切れたか、別の用のアドレスです。もう一度、全部開いてください。"),
    }
