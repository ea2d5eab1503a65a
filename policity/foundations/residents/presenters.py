"""Registering and somebody's settings as pages show them, with the page's language active."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django import forms
from django.conf import settings as site
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext, gettext_noop

from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.queries import CityView, TownView
from policity.foundations.residents import queries
from policity.foundations.residents.forms import (
    ChoicesForm,
    LanguageForm,
    MailForm,
    PlaceForm,
    PushForm,
    RegisterForm,
    TownForm,
)
from policity.foundations.residents.models import Label
from policity.foundations.residents.queries import Registration
from policity.foundations.residents.rules import choices
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.rules.texts import NOTHING, kind_texts
from policity.kit import ruby
from policity.kit.languages import LANGUAGES

LABELS = {
    Label.HOME: gettext_noop("自宅"),
    Label.FAMILY: gettext_noop("家族の家"),
    Label.SCHOOL: gettext_noop("学校"),
    Label.WORK: gettext_noop("職場"),
}
# What a page says after something was done, by the word in its address.
DONE = {
    "confirmed": gettext_noop("メールアドレスを確かめました。これから知らせが届きます。"),
    "choices": gettext_noop("受け取る知らせを変えました。"),
    "place": gettext_noop("場所を足しました。"),
    "removed": gettext_noop("場所を消しました。"),
    "mail": gettext_noop(
        "確かめるためのメールを送りました。24時間のうちに、中のアドレスを開いてください。"
    ),
    "push": gettext_noop("この機器に、通知が届きます。"),
    "push-off": gettext_noop("通知を止めました。"),
}

NO_FORMS: Mapping[str, forms.Form] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Here:
    """The city and its towns, read once a request."""

    city: CityView
    towns: tuple[TownView, ...]

    @property
    def names(self) -> dict[str, Any]:
        """What a form needs to know a town."""
        return {"known": self.towns, "prefixes": (self.city.prefecture, self.city.name)}


def here() -> Here:
    """Raises places.NoCity."""
    return Here(places_queries.city(), places_queries.towns())


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a list. Lists show no furigana: やさしい日本語 is written in kana there."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be heard about, as a list to choose from."""

    field: str
    name: str
    options: tuple[Option, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the id of the field where it is."""

    field: str
    text: str


def city_name(city: CityView, code: str) -> str:
    """The city's name in the page's language."""
    return places.city_name(city, code)


def register(form: RegisterForm, where: Here, code: str) -> dict[str, Any]:
    """The page on which one registers."""
    return {
        "form": form,
        "faults": _faults(form, "town"),
        "town": _town(form, where, code),
        "kinds": _kinds(form, code),
        "defaults": _in_a_sentence(choices.defaults(), code),
        "push_key": queries.push_key(),
        "open_kinds": any(name.startswith("want_") for name in form.errors),
        "open_quiet": any(name.startswith("quiet_") for name in form.errors),
        "open_born": "born" in form.errors,
    }


def done(link: str) -> dict[str, Any]:
    """What to do next: a `link` only where no mail has to be waited for."""
    return {"link": link, "sender": ruby.foreign(site.EMAIL_FROM)}


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A watched place."""

    id: int
    label: str
    town: str


def settings(
    who: Registration,
    where: Here,
    code: str,
    *,
    bound: Mapping[str, forms.Form] = NO_FORMS,
    word: str = "",
) -> dict[str, Any]:
    """Somebody's settings. `bound` are forms that came back, by name; `word` says what was done."""
    wishes = bound.get("choices") or LanguageForm(
        wants=who.wants,
        quiet=who.quiet,
        initial={"language": who.language, "born": who.born or ""},
    )
    place = bound.get("place") or PlaceForm(**where.names)
    mail, push = bound.get("mail") or MailForm(), bound.get("push") or PushForm()
    assert isinstance(wishes, LanguageForm)  # noqa: S101  # for the types
    assert isinstance(place, PlaceForm)  # noqa: S101
    label = place["label"].value() or Label.FAMILY
    return {
        "who": who,
        "said": gettext(DONE[word]) if word in DONE else "",
        "faults": [fault for name, form in bound.items() for fault in _faults(form, name)],
        "choices": wishes,
        "kinds": _kinds(wishes, code),
        "languages_to_hear": [
            Option(one.code, one.name, one.code == wishes["language"].value()) for one in LANGUAGES
        ],
        "places": [
            PlaceRow(row.id, gettext(LABELS[row.label]), _name(row.town, code))
            for row in who.places
        ],
        "place": place,
        "town": _town(place, where, code),
        "labels": [Option(one, _kana(gettext(text)), one == label) for one, text in LABELS.items()],
        "mail": mail,
        "mail_now": ruby.foreign(who.mail),
        "waiting_now": ruby.foreign(who.mail_waiting),
        "push": push,
        "push_key": queries.push_key(),
        "leave": queries.link(Purpose.LEAVE, who.id),
        "events": queries.link(Purpose.EVENTS, who.id),
    }


@dataclass(frozen=True, slots=True)
class Town:
    """The field in which a town is written. `names` are offered while one writes."""

    form: TownForm
    names: tuple[Option, ...]
    suggested: tuple[Option, ...]


def _town(form: TownForm, where: Here, code: str) -> Town:
    return Town(
        form,
        tuple(Option(town.name, town.full_kana, chosen=False) for town in where.towns),
        tuple(Option(str(town.id), _name(town, code), chosen=False) for town in form.suggested),
    )


def _name(town: TownView, code: str) -> str:
    return town.easy_name if code == "ja-easy" else ruby.foreign(town.name)


def _kinds(form: ChoicesForm, code: str) -> list[Kind]:
    rows = []
    for kind in kind_texts(code):
        field = form[f"want_{kind.code}"]
        # Least first, nothing at the head: as one reads a scale.
        texts = {NOTHING: kind.options[NOTHING], **kind.options}
        rows.append(
            Kind(
                field.name,
                kind.name,
                tuple(
                    Option(value, _kana(text), value == str(field.value()))
                    for value, text in texts.items()
                ),
                str(field.errors[0]) if field.errors else "",
            )
        )
    return rows


def _kana(text: str) -> str:
    for base, reading in ruby.readings(text):
        text = text.replace(f"{{{base}|{reading}}}", reading)
    return text


def _in_a_sentence(wants: choices.Wants, code: str) -> str:
    heard = (
        gettext("%(kind)s（%(from)s）") % {"kind": kind.name, "from": kind.option(wants[kind.code])}
        for kind in kind_texts(code)
        if kind.code in wants
    )
    return gettext("、").join(heard)


def _faults(form: forms.Form, whole: str) -> list[Fault]:
    """In the order of the page. `whole` is where an error stands that is about no single field."""
    order = {name: number for number, name in enumerate(form.fields)}
    return [
        Fault(whole if name == NON_FIELD_ERRORS else name, str(texts[0]))
        for name, texts in sorted(form.errors.items(), key=lambda error: order.get(error[0], 0))
    ]


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


def expired(reason: str) -> dict[str, Any]:
    """What is said of a link that came too late."""
    return {"title": gettext("このアドレスは、もう使えません。"), "body": gettext(reason)}
