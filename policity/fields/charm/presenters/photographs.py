"""Photographs of residents, in the language of the page: shown, sent, withdrawn, reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_noop

from policity.fields.charm.models import Photograph
from policity.fields.charm.presenters import lang, own
from policity.fields.charm.queries import PhotographView, SpotView
from policity.fields.charm.rules.photographs import MOST, Licence, Reason
from policity.fields.charm.services.telling import REASONS
from policity.foundations.continuity.rules.retention import periods
from policity.foundations.publishing.services.pictures import in_markup
from policity.kit import moments, ruby

# As many as are looked at before somebody goes on.
PAGE = 24
ON_SPOT = 6
Stage = Photograph.Stage

LICENCES = {
    Licence.CC_BY: gettext_noop("だれでも使えます（名前を書けば、ほかのところでも：CC BY 4.0）"),
    Licence.SITE: gettext_noop("このサイトだけで使います"),
}
CONSENTS = {
    "made": gettext_noop("私が撮った写真です。"),
    "agreed": gettext_noop("写っていてだれか分かる人は、公開してよいと言っています。"),
}
WITHDRAWING = gettext_noop("いつでも取り下げられます。取り下げると、このサイトから消えます。")
TERMS = (*LICENCES.values(), *CONSENTS.values(), WITHDRAWING)
"""What a sender agrees to, as `rules.photographs.TERMS` numbers it."""

LICENCE_PAGES = {"ja": "deed.ja", "ja-easy": "deed.ja", "zh-hans": "deed.zh-hans", "ko": "deed.ko"}
STAGES = {
    Stage.WAITING: gettext_noop("職員が見ています。まだ、だれにも見えません。"),
    Stage.PUBLISHED: gettext_noop("公開しています。"),
    Stage.DECLINED: gettext_noop("公開しませんでした。"),
    Stage.WITHDRAWN: gettext_noop("取り下げました。写真は消えました。"),
}
# What a page says after something was done, by the word in its address.
DONE = {
    "sent": gettext_noop("受け取りました。ありがとうございます。"),
    "mailed": gettext_noop("受け取りました。ありがとうございます。メールも送りました。"),
    "withdrawn": gettext_noop("取り下げました。写真は消えました。"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A photograph in a list. `page` is its spot's, empty where it is of the city alone."""

    id: int
    figure: dict[str, Any]
    alt: str
    lang: str
    place: str
    place_lang: str
    page: str
    credit: str
    taken: str
    licence: str


def _shown(view: PhotographView, code: str) -> Shown:
    spot = view.spot_texts
    is_cc = view.licence is Licence.CC_BY
    return Shown(
        id=view.id,
        figure=in_markup(view.picture),
        alt=ruby.plain(own(view.texts, code, "alt")),
        lang="" if code in ("ja", "ja-easy") or view.texts.get(code, {}).get("alt") else "ja",
        place=own(spot, code, "title") if spot else "",
        place_lang=lang(spot, code) if spot else "",
        page=f"charm/spots/{view.spot}/" if spot else "",
        credit=ruby.foreign(view.credit),
        taken=moments.day(datetime.combine(view.taken, time()), code) if view.taken else "",
        licence=f"https://creativecommons.org/licenses/by/4.0/{LICENCE_PAGES.get(code, 'deed.en')}"
        if is_cc
        else "",
    )


def of_spot(views: Sequence[PhotographView], spot: int, code: str) -> dict[str, Any]:
    """What residents photographed at a spot, for its page."""
    here = [view for view in views if view.spot == spot]
    return {
        "spot": spot,
        "photographs": [_shown(view, code) for view in here[:ON_SPOT]],
        "more": len(here) > ON_SPOT,
    }


def pages(count: int) -> int:
    """How many pages a gallery of so many photographs has: never none."""
    return max(1, -(-count // PAGE))


def address(number: int) -> str:
    """Where a page of the gallery is, without its language."""
    return f"charm/photographs/{number}/" if number > 1 else "charm/photographs/"


def gallery(views: Sequence[PhotographView], number: int, code: str) -> dict[str, Any]:
    """One page of the gallery, the newest first."""
    some = views[(number - 1) * PAGE : number * PAGE]
    return {
        "photographs": [_shown(view, code) for view in some],
        "newer": address(number - 1) if number > 1 else "",
        "older": address(number + 1) if number < pages(len(views)) else "",
    }


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the id of the field where it is."""

    field: str
    text: str


def send(form: forms.Form, spots: Mapping[int, SpotView] | None, code: str) -> dict[str, Any]:
    """The form, with what was typed. `spots` is None where nobody knows them just now."""
    chosen = str(form["spot"].value() or "")
    days = periods()
    return {
        "form": form,
        "faults": [Fault(name, str(texts[0])) for name, texts in form.errors.items()],
        "most": MOST,
        "spots": [
            (str(spot.id), own(spot.texts, code, "title"), str(spot.id) == chosen)
            for spot in (spots or {}).values()
        ],
        # Kept until they are known again.
        "chosen": chosen if spots is None else "",
        "licences": [
            (one.value, gettext(text), one.value == form["licence"].value())
            for one, text in LICENCES.items()
        ],
        "consents": [
            (name, gettext(text), bool(form[name].value()), form[name].errors)
            for name, text in CONSENTS.items()
        ],
        "withdrawing": gettext(WITHDRAWING),
        "declined_days": days["declined_photographs"].keeps.days,
        "days": days["photographs"].keeps.days,
    }


@dataclass(frozen=True, slots=True)
class Own:
    """A photograph that somebody sent, for them. `page` is where it is shown, empty for nowhere."""

    id: int
    alt: str
    stage: str
    reason: str
    note: str
    page: str
    figure: dict[str, Any] | None
    may_withdraw: bool


def mine(views: Sequence[PhotographView], *, word: str) -> dict[str, Any]:
    """What somebody sent, and how it stands."""
    return {
        "said": gettext(DONE[word]) if word in DONE else "",
        "rows": [_own(view) for view in views],
        "withdrawing": gettext(WITHDRAWING),
    }


def _own(view: PhotographView) -> Own:
    published = view.stage is Stage.PUBLISHED
    text = view.texts.get(view.language) or view.texts.get("ja") or {}
    return Own(
        view.id,
        ruby.foreign(text.get("alt", "")),
        gettext(STAGES[view.stage]),
        gettext(REASONS[Reason(view.reason)]) if view.reason else "",
        ruby.foreign(view.note),
        (f"charm/spots/{view.spot}/" if view.spot_texts else address(1)) if published else "",
        in_markup(view.picture) if published else None,
        may_withdraw=view.stage is not Stage.WITHDRAWN,
    )


def report(view: PhotographView, form: forms.Form, code: str) -> dict[str, Any]:
    """The form to say that something is wrong with a photograph."""
    return {
        "one": _shown(view, code),
        "form": form,
        "faults": [Fault(name, str(texts[0])) for name, texts in form.errors.items()],
    }


def reported() -> dict[str, Any]:
    """What is said to whoever said something."""
    return {
        "title": gettext("知らせました。ありがとうございます。"),
        "body": gettext("職員が確かめます。"),
    }


def away() -> Fault:
    """What is said where the database is away: it is not kept, and what was typed is there."""
    return Fault(
        "photographs",
        gettext(
            "いまは受け取れません。少し待って、写真をもう一度選んで、送ってください。書いたことは残っています。"
        ),
    )


def gone() -> dict[str, Any]:
    """What is said of a photograph that is not there."""
    return {
        "title": gettext("この写真は、もうありません。"),
        "body": gettext("取り下げられたか、まだ公開されていません。"),
    }


def broken() -> dict[str, Any]:
    """What is said of a link that leads nowhere."""
    return {
        "title": gettext("このアドレスは使えません。"),
        "body": gettext("途中で切れたか、別の用のアドレスです。もう一度、全部開いてください。"),
    }
