"""What staff fill in."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from policity.back_office.presenters.chronology import Kind
from policity.fields.alerts.rules.bulletin import Severity
from policity.fields.alerts.rules.edits import Entry, answer_fault
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.rules.response import Answer
from policity.fields.alerts.rules.wording import CHECKED_BY
from policity.fields.alerts.services.orders import Draft
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.queries import Asked
from policity.foundations.places.rules.openings import LONGEST_NOTE, Openness
from policity.kit.languages import LANGUAGES


class OutcomeForm(forms.Form):
    """How a call for help ended."""

    outcome = forms.CharField(
        max_length=200,
        error_messages={
            "required": "どうなったかを、短く入れてください。",
            "max_length": "どうなったかは、200文字までにしてください。",
        },
    )

    @property
    def fault(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class ChoiceForm(forms.Form):
    """Which message the board is to show; the newest where none is chosen."""

    message = forms.IntegerField(min_value=1, required=False)

    @classmethod
    def read(cls, given: QueryDict) -> int | None:
        """The chosen message. What is no number chooses nothing."""
        form = cls(given)
        return form.cleaned_data["message"] if form.is_valid() else None


class SignInForm(forms.Form):
    """Name and password."""

    username = forms.CharField(max_length=150)
    password = forms.CharField(max_length=1000, strip=False)


class WelcomeForm(forms.Form):
    """A new password, typed twice. Whether it is good enough is the service's to judge."""

    password = forms.CharField(
        max_length=1000,
        strip=False,
        error_messages={"required": "新しいパスワードを入れてください。"},
    )
    again = forms.CharField(
        max_length=1000,
        strip=False,
        error_messages={"required": "もう一度、同じものを入れてください。"},
    )

    def clean(self) -> dict[str, Any]:
        """The same, twice."""
        said = super().clean() or {}
        if {"password", "again"} <= said.keys() and said["password"] != said["again"]:
            raise forms.ValidationError("二つのパスワードがちがいます。入れ直してください。")
        return said

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class PasswordForm(WelcomeForm):
    """The same, from somebody who has one."""

    old = forms.CharField(
        max_length=1000,
        strip=False,
        error_messages={"required": "いまのパスワードを入れてください。"},
    )


class AccountForm(forms.Form):
    """A new account. What its name and address may be is the service's to judge."""

    username = forms.CharField(
        max_length=150,
        error_messages={
            "required": "職員IDを入れてください。",
            "max_length": "職員IDは、150文字までにしてください。",
        },
    )
    display_name = forms.CharField(
        max_length=100,
        error_messages={
            "required": "名前を入れてください。",
            "max_length": "名前は、100文字までにしてください。",
        },
    )
    email = forms.CharField(
        max_length=254,
        required=False,
        error_messages={"max_length": "メールアドレスは、254文字までにしてください。"},
    )

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class RoleForm(forms.Form):
    """A role for a time; `towns` are names of towns, `departments` slugs; none: all there are."""

    role = forms.ChoiceField(
        choices=Role.choices, error_messages={"required": "役割をえらんでください。"}
    )
    towns = forms.MultipleChoiceField(
        required=False, error_messages={"invalid_choice": "この市にない町があります。"}
    )
    departments = forms.MultipleChoiceField(
        required=False, error_messages={"invalid_choice": "この市にない課があります。"}
    )
    starts = forms.DateField(error_messages={"required": "始まりの日を入れてください。"})
    ends = forms.DateField(required=False)

    def __init__(
        self,
        *args: Any,
        towns: Iterable[str],
        departments: Iterable[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        choose = cast(forms.MultipleChoiceField, self.fields["towns"])
        choose.choices = [(town, town) for town in towns]
        choose = cast(forms.MultipleChoiceField, self.fields["departments"])
        choose.choices = list(departments)

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class LastDayForm(forms.Form):
    """With which day something ends."""

    last_day = forms.DateField()


class _EditForm(forms.Form):
    """A change of rules or texts: whether it is only tried, and why it is made."""

    do = forms.CharField(required=False)
    reason_why = forms.CharField(required=False)
    seen = forms.IntegerField(min_value=0, required=False)

    @property
    def saves(self) -> bool:
        """Whether it shall hold from now on."""
        return bool(self["do"].value() == "save")

    @property
    def why(self) -> str:
        """The reason that was typed."""
        return str(self["reason_why"].value() or "")

    @property
    def reason(self) -> dict[str, Any]:
        """Why, and what was read before."""
        self.is_valid()
        return {"why": self.why, "seen": self.cleaned_data.get("seen") or 0}


class RuleForm(_EditForm):
    """What the city does with a phenomenon, by severity; and a telegram to try it on."""

    telegram_file = forms.FileField(required=False)

    @property
    def chosen(self) -> dict[Severity, Answer]:
        """What was chosen; where nothing was that there is, people are told."""
        given = {severity: self.data.get(f"answer_{severity}", "") for severity in Severity}
        return {
            severity: Answer(answer) if answer in set(Answer) else Answer.SEND
            for severity, answer in given.items()
        }

    @property
    def fault(self) -> str:
        """Why it is no choice; empty when it is one."""
        given = [self.data.get(f"answer_{severity}") for severity in Severity]
        if any(answer not in set(Answer) for answer in given):
            return "それぞれの段階で、することを一つえらんでください。"
        return answer_fault(self.chosen)

    def telegram(self) -> bytes:
        """The file's bytes, read once; none where none was given."""
        given = self.files.get("telegram_file")
        return given.read() if given else b""


class TextForm(_EditForm):
    """An entry's texts in all languages, with who checked each."""

    def __init__(self, entry: Entry, data: QueryDict) -> None:
        super().__init__(data)
        self._entry = entry

    @property
    def wanted(self) -> dict[str, dict[str, str]]:
        """By language code and part, as typed."""
        return {
            one.code: {
                part: self.data.get(f"{one.code}.{part}", "").replace("\r\n", "\n").strip()
                for part in (*self._entry.parts, CHECKED_BY)
            }
            for one in LANGUAGES
        }


class FindSitesForm(forms.Form):
    """Which sites to show. What makes no sense is left out: a list is shown in any case."""

    q = forms.CharField(max_length=100, required=False)
    open = forms.BooleanField(required=False)
    done = forms.IntegerField(required=False)

    @property
    def wanted(self) -> dict[str, Any]:
        """What the list is asked for."""
        self.is_valid()
        asked = self.cleaned_data
        return {
            "words": asked.get("q", ""),
            "only_open": asked.get("open", False),
            "done": asked.get("done") or 0,
        }


class OpeningForm(forms.Form):
    """How a site stands, and which of its states the person saw while saying so."""

    state = forms.ChoiceField(
        # That it was never opened is not said by hand: it is what taking back leads to.
        choices=[(one.value, one.value) for one in Openness if one is not Openness.UNOPENED]
    )
    evacuees = forms.IntegerField(
        required=False,
        error_messages={"invalid": "避難した人は、数字だけで入れてください（84 のように）。"},
    )
    note = forms.CharField(
        max_length=LONGEST_NOTE,
        required=False,
        error_messages={"max_length": f"メモは{LONGEST_NOTE}字までです。"},
    )
    seen = forms.IntegerField()

    @property
    def fault(self) -> str:
        """What is wrong, in one sentence."""
        for field in ("evacuees", "note"):
            if field in self.errors:
                return str(self.errors[field][0])
        return "画面が古くなっています。様子を確かめて、もう一度押してください。"

    @property
    def said(self) -> dict[str, Any]:
        """What the service is told."""
        said = self.cleaned_data
        return said | {"state": Openness(said["state"])}


class CloseAllForm(forms.Form):
    """The sites that were listed, each with the opening that was seen: "12:345 13:350"."""

    listed = forms.RegexField(r"^(\d+:\d+( \d+:\d+)*)?$", required=False)

    @property
    def seen(self) -> dict[int, int]:
        """The openings by site; none where the list is spoilt."""
        if not self.is_valid():
            return {}
        pairs = (pair.split(":") for pair in self.cleaned_data["listed"].split())
        return {int(site): int(opening) for site, opening in pairs}


class OrderForm(forms.Form):
    """What an officer fills in to compose evacuation information.

    `area` is a polygon drawn on the map (GeoJSON), `pick` the button that chooses the towns it
    touches. `seen` is the version that was read, 0 for a new order.
    """

    LIFT = "lift"

    level = forms.ChoiceField(
        choices=[*((str(one.value), one.name) for one in Level), (LIFT, LIFT)],
        error_messages={"required": "何を出すかが、えらばれていません。"},
    )
    towns = forms.TypedMultipleChoiceField(coerce=int, required=False)
    reason = forms.CharField(max_length=20, required=False)
    area = forms.CharField(required=False)
    seen = forms.IntegerField(min_value=0, required=False)

    def __init__(self, *args: Any, towns: Iterable[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose = cast(forms.TypedMultipleChoiceField, self.fields["towns"])
        choose.choices = [(town, town) for town in towns]
        choose.error_messages["invalid_choice"] = (
            "この市にない町があります。画面を読み直し、町をえらび直してください。"
        )
        for one in LANGUAGES:
            self.fields[f"note_{one.code}"] = forms.CharField(required=False)
            wrong = f"確かめた人（{one.name}）は、100文字までにしてください。"
            self.fields[f"checked_{one.code}"] = forms.CharField(
                max_length=100, required=False, error_messages={"max_length": wrong}
            )

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]

    @property
    def draft(self) -> Draft:
        """What the service is told."""
        said = self.cleaned_data
        level = None if said["level"] == self.LIFT else Level(int(said["level"]))
        return Draft(
            level,
            tuple(said["towns"]),
            said["reason"],
            {one.code: said[f"note_{one.code}"].strip() for one in LANGUAGES},
            {one.code: said[f"checked_{one.code}"].strip() for one in LANGUAGES},
        )


class DecisionForm(forms.Form):
    """A decision about an order: the version that was read, and words where they are asked for."""

    seen = forms.IntegerField(min_value=0)
    words = forms.CharField(
        max_length=300,
        required=False,
        error_messages={"max_length": "300字までで書いてください。"},
    )

    @property
    def fault(self) -> str:
        """What is wrong, in one sentence."""
        if "words" in self.errors:
            return str(self.errors["words"][0])
        return "画面が古くなっています。新しい内容を読んで、もう一度押してください。"


# Reckoning with the first and the last day that there are goes beyond them.
IN_OUR_TIME = (MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2199, 12, 31)))


class ChronologyForm(forms.Form):
    """Which part of the chronology to read. What makes no sense is left out."""

    since = forms.DateField(required=False, validators=IN_OUR_TIME)
    until = forms.DateField(required=False, validators=IN_OUR_TIME)
    kind = forms.ChoiceField(choices=[("", ""), *((one.value, "") for one in Kind)], required=False)
    q = forms.CharField(max_length=100, required=False)
    order = forms.ChoiceField(choices=[("", ""), ("old", "")], required=False)

    def wanted(self, today: date) -> dict[str, Any]:
        """What is asked for; without a period yesterday and today, so that a night is whole."""
        self.is_valid()
        asked = self.cleaned_data
        until = asked.get("until") or today
        since = asked.get("since") or min(until, today) - timedelta(days=1)
        return {
            "since": min(since, until),
            "until": max(since, until),
            "kind": asked.get("kind", ""),
            "words": asked.get("q", ""),
            "oldest_first": asked.get("order") == "old",
        }


class AuditForm(forms.Form):
    """Which part of the audit trail to read. What makes no sense is left out."""

    by = forms.CharField(max_length=150, required=False)
    about = forms.SlugField(max_length=50, required=False)
    on = forms.CharField(max_length=100, required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)

    def asked(self) -> tuple[Asked, int]:
        """What is asked for, and from before which entry on (0: from the newest)."""
        self.is_valid()
        said = self.cleaned_data
        narrow = {
            name: said[name] for name in ("by", "about", "on", "since", "until") if said.get(name)
        }
        return Asked(**narrow), said.get("before") or 0


class NoteForm(forms.Form):
    """A line for the chronology. Without a time it happened just now."""

    at = forms.DateTimeField(
        input_formats=["%Y-%m-%dT%H:%M"],
        required=False,
        error_messages={"invalid": "時刻が読み取れません。起きた日と時刻を入れてください。"},
    )
    text = forms.CharField(required=False)
    corrects = forms.IntegerField(required=False)


class HandOverForm(forms.Form):
    """What the next shift must know. Its length is the service's to judge: nothing is cut."""

    text = forms.CharField(required=False)


class DrillForm(forms.Form):
    """Which scenario, over how many made-up people. How many there may be is the service's."""

    scenario = forms.CharField(
        max_length=50, error_messages={"required": "訓練の種類を、えらんでください。"}
    )
    people = forms.IntegerField(
        error_messages={
            "required": "見本の市民の人数を入れてください。",
            "invalid": "見本の市民の人数は、数字だけで入れてください（2000 のように）。",
        }
    )

    @property
    def fault(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class DrillMessageForm(forms.Form):
    """Which of the texts a drill to real people has."""

    text = forms.CharField(max_length=20, required=False)


class EmergencyForm(forms.Form):
    """Why it begins; or the number of the one that ends."""

    why = forms.CharField(required=False)
    ends = forms.IntegerField(required=False)
