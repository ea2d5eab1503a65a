"""What residents type and choose. Fields keep what was typed; errors say what to do.

Run with the page's language active: errors are texts in it.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext

from policity.foundations.places.queries import TownView
from policity.foundations.residents.models import Label
from policity.foundations.residents.rules import addresses, ages, choices, towns
from policity.foundations.residents.rules.texts import NOTHING, kind_texts
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity


def _text() -> forms.CharField:
    return forms.CharField(required=False)


class TownForm(forms.Form):
    """A town, as somebody writes it; `picked` is its number where several were `asked` about.

    After an error `suggested` holds the towns that may be meant.
    """

    asked = _text()
    picked = _text()
    town = _text()

    def __init__(
        self, *args: Any, known: Sequence[TownView], prefixes: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.known, self.prefixes = known, prefixes
        self.suggested: Sequence[TownView] = ()

    def clean_town(self) -> int:
        """The town's number."""
        text: str = self.cleaned_data["town"]
        picked: str = self.cleaned_data.get("picked", "")
        # Whoever writes another town after the question means that one.
        if picked and text == self.cleaned_data.get("asked"):
            for town in self.known:
                if str(town.id) == picked:
                    return town.id
        if not text:
            raise forms.ValidationError(gettext("町の名前か、郵便番号を入れてください。"))
        found = towns.find(text[:_LONGEST_TOWN], self.known, self.prefixes)
        if len(found) == 1:
            return found[0].id
        self.suggested = found or towns.similar(text[:_LONGEST_TOWN], self.known, self.prefixes)
        if found:
            raise forms.ValidationError(gettext("どの町ですか。下から1つ選んでください。"))
        if self.suggested:
            raise forms.ValidationError(
                gettext("その町は見つかりません。下から選ぶか、入れ直してください。")
            )
        raise forms.ValidationError(
            gettext("その町は、この市に見つかりません。町の名前か、郵便番号を入れ直してください。")
        )


_LONGEST_TOWN = 100


class PlaceForm(TownForm):
    """One more place to watch."""

    label = forms.ChoiceField(choices=Label.choices, required=False)

    def clean_label(self) -> Label:
        """Why it is watched."""
        return Label(self.cleaned_data["label"] or Label.FAMILY)


class RemovalForm(forms.Form):
    """A place to watch no more; one that is not theirs is simply not found."""

    place = forms.IntegerField(min_value=0, max_value=2**63 - 1)


class ChoicesForm(forms.Form):
    """What to hear about, and when not. Each kind is a field of its own, `want_KIND`."""

    quiet_from = _text()
    quiet_to = _text()
    born = _text()

    def __init__(
        self,
        *args: Any,
        wants: choices.Wants | None = None,
        quiet: choices.Quiet | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.wants = choices.defaults() if wants is None else wants
        self.kinds = kind_texts(LANGUAGES[0].code)
        if quiet:
            self.initial["quiet_from"] = _clock(quiet.starts)
            self.initial["quiet_to"] = _clock(quiet.ends)
        for kind in self.kinds:
            least = self.wants.get(kind.code)
            self.fields[f"want_{kind.code}"] = forms.ChoiceField(
                choices=list(kind.options.items()),
                initial=least.value if least else NOTHING,
                required=False,
                error_messages={"invalid_choice": gettext("一覧から選んでください。")},
            )

    def clean_quiet_from(self) -> int | None:
        """Minutes of the day."""
        return _minutes(self.cleaned_data["quiet_from"])

    def clean_quiet_to(self) -> int | None:
        """Minutes of the day."""
        return _minutes(self.cleaned_data["quiet_to"])

    def clean_born(self) -> int | None:
        """The year of birth, None for whoever keeps it to themselves."""
        text: str = self.cleaned_data["born"]
        if not text:
            return None
        try:
            return ages.parse_born(text, timezone.localdate().year)
        except choices.BadChoice:
            raise forms.ValidationError(
                gettext("生まれた年は 1950 や 昭和25 のように入れてください。")
            ) from None

    def clean(self) -> dict[str, Any]:
        """Adds `wants` and `quiet`. A kind that was not asked about stays as it was."""
        super().clean()
        data = self.cleaned_data
        data["quiet"] = self._quiet()
        wants: dict[str, Severity] = dict(self.wants)
        for kind in self.kinds:
            chosen = data.get(f"want_{kind.code}", "")
            if chosen == NOTHING:
                wants.pop(kind.code, None)
            elif chosen:
                wants[kind.code] = Severity(chosen)
        data["wants"] = wants
        return data

    def _quiet(self) -> choices.Quiet | None:
        starts, ends = self.cleaned_data.get("quiet_from"), self.cleaned_data.get("quiet_to")
        if "quiet_from" in self.errors or "quiet_to" in self.errors:
            return None
        if (starts is None) != (ends is None):
            name = "quiet_from" if starts is None else "quiet_to"
            self.add_error(name, gettext("始まりと終わりの、両方を入れてください。"))
            return None
        # Both or neither are there, as was seen above.
        return choices.Quiet(starts, ends) if starts != ends else None  # type: ignore[arg-type]


class LanguageForm(ChoicesForm):
    """The same, and the language in which to hear."""

    language = forms.ChoiceField(choices=[(one.code, one.name) for one in LANGUAGES])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["language"]
        for name in ("required", "invalid_choice"):
            field.error_messages[name] = gettext("一覧から選んでください。")


class MailForm(forms.Form):
    """A mail address."""

    email = _text()

    def clean_email(self) -> str:
        """The address, as it is stored. Japanese keyboards write ＠ wide."""
        text = unicodedata.normalize("NFKC", self.cleaned_data["email"])
        if not text:
            raise forms.ValidationError(gettext("メールアドレスを入れてください。"))
        try:
            return addresses.mail_address(text)
        except addresses.BadAddress:
            raise forms.ValidationError(
                gettext("メールアドレスの形がちがいます。name@example.jp のように入れてください。")
            ) from None


class PushForm(forms.Form):
    """A browser's push subscription, as the script fills it in."""

    push = _text()

    def clean_push(self) -> addresses.Subscription:
        """The subscription."""
        try:
            return addresses.subscription(self.cleaned_data["push"])
        except addresses.BadAddress:
            raise forms.ValidationError(
                gettext("通知を始められません。もう一度「通知を許可」を押してください。")
            ) from None


class RegisterForm(TownForm, ChoicesForm, MailForm, PushForm):
    """All of it on one page: a mail address, notifications, or both."""

    field_order = ("asked", "picked", "town", "email", "push")

    def clean_email(self) -> str:
        """The address, empty where notifications were chosen instead."""
        return super().clean_email() if self.cleaned_data["email"] else ""

    def clean_push(self) -> addresses.Subscription | None:  # type: ignore[override]
        """The subscription, None without one."""
        return super().clean_push() if self.cleaned_data["push"] else None

    def clean(self) -> dict[str, Any]:
        """Somehow one must be reached."""
        data = super().clean()
        if not {"email", "push"} & set(self.errors) and not data["email"] and not data["push"]:
            self.add_error("email", gettext("メールアドレスを入れるか、通知を許可してください。"))
        return data

    def chosen(self) -> Mapping[str, Any]:
        """What `services.register` takes."""
        names = ("town", "email", "push", "wants", "quiet", "born")
        return {name: self.cleaned_data[name] for name in names}


def _minutes(text: str) -> int | None:
    if not text:
        return None
    try:
        return choices.parse_clock(unicodedata.normalize("NFKC", text))
    except choices.BadChoice:
        raise forms.ValidationError(gettext("時刻は 22:00 のように入れてください。")) from None


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
