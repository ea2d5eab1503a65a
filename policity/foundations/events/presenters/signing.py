"""Signing up, in the language of the page: what stands there, and what is said afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from policity.foundations.events.forms import AnswerForm, SignUpForm
from policity.foundations.events.presenters import Row, row
from policity.foundations.events.queries import Mine, TimeView
from policity.foundations.events.rules.asking import POINTS, Kind, Question, options
from policity.foundations.events.rules.registering import Door
from policity.kit import moments, ruby

# What a page says after something was done, by the word in its address.
DONE = {
    "joined": gettext_noop("申し込みました。"),
    "cancelled": gettext_noop("取り消しました。"),
    "too-late": gettext_noop("もう始まったか、取り消してあります。"),
    "answered": gettext_noop("ありがとうございました。"),
}
# What the ends of a score mean, whatever it is about.
ENDS = {max(POINTS): gettext_noop("いちばんよい"), min(POINTS): gettext_noop("いちばんよくない")}
SCORES = (
    ("5", gettext_noop("とてもよかった")),
    ("4", gettext_noop("よかった")),
    ("3", gettext_noop("ふつう")),
    ("2", gettext_noop("あまりよくなかった")),
    ("1", gettext_noop("よくなかった")),
)


def done(word: str) -> str:
    """What was done, by the word in the address."""
    return gettext(DONE[word]) if word in DONE else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the id of the field where it is."""

    field: str
    text: str


def _faults(form: forms.Form) -> list[Fault]:
    return [Fault(name, str(texts[0])) for name, texts in form.errors.items()]


def register(
    time: TimeView, form: SignUpForm, code: str, *, refusal: str, now: datetime
) -> dict[str, Any]:
    """The form for one time. `refusal` says why nobody can sign up, empty where they can."""
    opens = time.event.terms.opens
    early = opens if opens and now < opens else None
    return {
        "row": row(time, code),
        "form": form,
        "faults": _faults(form),
        "most": range(1, time.event.terms.most + 1),
        "chosen": str(form["seats"].value() or "1"),
        "refusal": gettext(refusal) if refusal else "",
        "opens": moments.full(timezone.localtime(early), code) if early else "",
        "waits": time.door(now) is Door.WAITING,
        "page": f"events/{time.event.id}/",
    }


def registered() -> dict[str, Any]:
    """What to do next."""
    return {"sender": ruby.foreign(settings.EMAIL_FROM)}


def join(times: Sequence[TimeView], code: str) -> dict[str, Any]:
    """What somebody gives their word for."""
    return {"rows": [row(time, code) for time in times]}


@dataclass(frozen=True, slots=True)
class Held:
    """One registration, for its owner."""

    id: int
    row: Row
    number: int
    seats: int
    seated: bool
    ahead: int
    may_cancel: bool
    may_answer: bool


def mine(
    held: Sequence[Mine], times: Sequence[TimeView], code: str, *, now: datetime
) -> dict[str, Any]:
    """What somebody signed up for, and what they still can."""
    have = {one.time.line for one in held}
    lines: dict[tuple[str, int], TimeView] = {}
    for time in times:
        lines.setdefault(time.line, time)
    return {
        "held": [
            Held(
                one.id,
                row(one.time, code),
                one.number,
                one.seats,
                one.seated,
                one.ahead,
                may_cancel=now < one.time.starts and not one.time.cancelled,
                may_answer=one.may_answer,
            )
            for one in held
            if one.may_answer or not one.time.over
        ],
        "others": [
            (row(time, code), range(1, time.event.terms.most + 1))
            for line, time in lines.items()
            if line not in have and time.door(now).lets_in
        ],
        "name": next((one.name for one in reversed(held) if one.name), ""),
    }


@dataclass(frozen=True, slots=True)
class Option:
    """One of what can be chosen. `note` says what it means."""

    value: int
    text: str
    note: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Put:
    """A question of the city's own, as it is put. `lang` is empty where it is the page's."""

    name: str
    number: int
    text: str
    lang: str
    required: bool
    kind: Kind
    options: Sequence[Option]
    written: str
    fault: str


def answer(one: Mine, form: AnswerForm, questions: Sequence[Question], code: str) -> dict[str, Any]:
    """The questions afterwards."""
    chosen = str(form["score"].value() or "")
    return {
        "row": row(one.time, code),
        "form": form,
        "faults": _faults(form),
        "scores": [(value, gettext(text), value == chosen) for value, text in SCORES],
        "questions": [
            _put(form, number, question, code) for number, question in enumerate(questions, 1)
        ],
    }


def _put(form: AnswerForm, number: int, question: Question, code: str) -> Put:
    name, words = f"q{number}", question.said(code)
    given = form[name].value() or []
    is_score = question.kind is Kind.SCORE
    return Put(
        name,
        number,
        ruby.foreign(words.text),
        "" if code in question.words or code == "ja-easy" else "ja",
        question.required,
        question.kind,
        [
            Option(
                value,
                str(value) if is_score else ruby.foreign(words.choices[value]),
                gettext(ENDS[value]) if is_score and value in ENDS else "",
                str(value) in given,
            )
            for value in options(question)
        ],
        given[0] if given else "",
        str(form.errors[name][0]) if name in form.errors else "",
    )


def broken(*, gone: bool) -> dict[str, Any]:
    """What is said of a link that leads nowhere, or to somebody who is no longer registered."""
    if gone:
        return {
            "title": gettext("この登録は、もうありません。"),
            "body": gettext(
                "やめたか、24時間のうちに確かめられなかったので、消えました。知らせは届きません。"
            ),
        }
    return {
        "title": gettext("このアドレスは使えません。"),
        "body": gettext(
            "途中で切れたか、別の用のアドレスです。メールの中のアドレスを、もう一度、全部開いてください。"
        ),
    }


def expired() -> dict[str, Any]:
    """What is said of a link that came too late."""
    return {
        "title": gettext("このアドレスは、もう使えません。"),
        "body": gettext("確認の期限が切れています。もう一度、申し込んでください。"),
    }


def gone() -> dict[str, Any]:
    """What is said of an event that is not there."""
    return {
        "title": gettext("このイベントは、もうありません。"),
        "body": gettext("ほかのイベントを見てください。"),
    }


def refused(why: str) -> dict[str, Any]:
    """What is said where somebody confirmed what by then was closed."""
    return {
        "title": gettext("申し込めませんでした。"),
        "body": gettext(why),
    }
