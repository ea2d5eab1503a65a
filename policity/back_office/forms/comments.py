"""A call for comments, a comment that is typed in, and an answer, as staff write them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from policity.back_office.forms import IN_OUR_TIME
from policity.foundations.city_plan.models import Comment, CommentGroup
from policity.foundations.city_plan.queries.comments import Asked, CallView, GroupView
from policity.foundations.city_plan.rules.commenting import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    Channel,
    Outcome,
    Reason,
    readable,
    tidy,
)
from policity.foundations.city_plan.services import CallDraft, Sent
from policity.kit.eras import fiscal_name
from policity.kit.languages import LANGUAGES

# A letter of ten pages; what comes on paper is no one's to cut.
LONGEST_TYPED = 20_000


def _text(longest: int, name: str, *, required: str = "") -> forms.CharField:
    errors = {"max_length": f"{name}は、{longest}文字までにしてください。"}
    if required:
        errors["required"] = required
    return forms.CharField(max_length=longest, required=bool(required), error_messages=errors)


def _day(missing: str) -> forms.DateField:
    return forms.DateField(
        validators=IN_OUR_TIME,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), missing),
    )


class _TextsForm(forms.Form):
    """Texts in every language; Japanese has at least the first of its parts."""

    parts: Mapping[str, tuple[str, int]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in LANGUAGES:
            for number, (part, (name, longest)) in enumerate(self.parts.items()):
                is_ja = one.code == "ja"
                said = name if is_ja else f"{name}（{one.name}）"
                needed = f"{name}を書いてください。" if is_ja and not number else ""
                self.fields[f"{part}_{one.code}"] = _text(longest, said, required=needed)

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """What was written, by language; a language without any is left out."""
        found = {}
        for one in LANGUAGES:
            said = {part: tidy(self.cleaned_data[f"{part}_{one.code}"]) for part in self.parts}
            if any(said.values()):
                found[one.code] = said
        return found

    @property
    def rows(self) -> list[tuple[Any, list[tuple[str, str, Any, int]]]]:
        """Each language with its fields: its part, its name, the field, how long it may be."""
        return [
            (one, [(part, name, self[f"{part}_{one.code}"], longest)
                   for part, (name, longest) in self.parts.items()])
            for one in LANGUAGES
        ]  # fmt: skip

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


def said(texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Texts as a form shows them."""
    return {f"{part}_{code}": text for code, some in texts.items() for part, text in some.items()}


class CallForm(_TextsForm):
    """A call: on what, from when to when, and in which words. `plans` are those that there are."""

    parts = {"title": ("題名", 100), "body": ("説明", 4000)}  # noqa: RUF012  # read only

    about = forms.ChoiceField(
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "何への意見かを選んでください。"
        )
    )
    first_day = _day("始まりの日を、2026-11-03 のように入れてください。")
    last_day = _day("終わりの日を、2026-12-02 のように入れてください。")
    seen = forms.IntegerField(min_value=0, required=False)

    def __init__(self, *args: Any, plans: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (plan.name, [(f"{plan.pk}-{year}", f"{fiscal_name(year)}の評価")
                         for year in range(plan.last_year, plan.first_year - 1, -1)]
             + [(f"{plan.pk}-draft", "計画の案")])
            for plan in plans
        ]  # fmt: skip
        cast(forms.ChoiceField, self.fields["about"]).choices = choices

    @property
    def draft(self) -> CallDraft:
        """What was written, once it is valid."""
        plan, _, year = self.cleaned_data["about"].partition("-")
        return CallDraft(
            int(plan), None if year == "draft" else int(year), self.texts,
            self.cleaned_data["first_day"], self.cleaned_data["last_day"],
        )  # fmt: skip

    @staticmethod
    def initial_of(view: CallView) -> dict[str, Any]:
        """A call as its form shows it."""
        about = f"{view.plan}-{'draft' if view.year is None else view.year}"
        return {
            **said(view.texts), "about": about, "first_day": view.first_day.isoformat(),
            "last_day": view.last_day.isoformat(),
        }  # fmt: skip


class ReasonForm(forms.Form):
    """Why somebody does something that the trail keeps."""

    reason = _text(200, "理由", required="理由を書いてください。監査の記録に残ります。")

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class ExtendForm(ReasonForm):
    """Until when, and why."""

    last_day = _day("新しい終わりの日を、2026-12-02 のように入れてください。")


class FindForm(forms.Form):
    """Which comments to show. What makes no sense is left out."""

    channel = forms.ChoiceField(
        required=False, choices=[("", ""), *((c.value, w) for c, w in Comment.CHANNELS.items())]
    )
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", ""), ("waiting", "まだまとめていない"), ("grouped", "まとめた"),
            ("withheld", "公開しない"),
        ],
    )  # fmt: skip
    group = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    q = forms.CharField(required=False, max_length=100)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)

    @classmethod
    def read(cls, given: QueryDict) -> tuple[Asked, int]:
        """What is asked for, and which page of it."""
        form = cls(given)
        form.is_valid()
        told = form.cleaned_data
        return Asked(
            told.get("channel", ""), told.get("state", ""), told.get("group"), told.get("q", "")
        ), told.get("page") or 1


class TypedForm(forms.Form):
    """A comment that came by mail or on paper."""

    channel = forms.ChoiceField(
        choices=[(c.value, Comment.CHANNELS[c]) for c in (Channel.PAPER, Channel.MAIL)],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "メールか紙かを、選んでください。"
        ),
    )
    received = _day("届いた日を、2026-11-03 のように入れてください。")
    text = _text(LONGEST_TYPED, "意見", required="意見を入れてください。")
    measure = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "施策を、選びなおしてください。"}
    )
    name = _text(LONGEST_NAME, "名前")
    address = _text(LONGEST_ADDRESS, "住所か連絡先")

    def __init__(self, *args: Any, fields: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["measure"]).choices = _measures(fields)

    def clean_text(self) -> str:
        """The words, of which nothing is cut."""
        text = tidy(self.cleaned_data["text"])
        if text != readable(text):
            raise forms.ValidationError("読めない文字が入っています。消してから、入れてください。")
        return text

    @property
    def sent(self) -> Sent:
        """What was typed, once it is valid."""
        told = self.cleaned_data
        measure = int(told["measure"]) if told["measure"] else None
        return Sent(told["text"], measure, told["name"], told["address"])

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


def _measures(fields: Sequence[Any]) -> list[Any]:
    some = [(name, [(str(key), title) for key, title in rows]) for name, rows in fields]
    return [("", "計画の全体"), *some]


class MailFileForm(forms.Form):
    """A mail as a file."""

    mail = forms.FileField(
        error_messages=dict.fromkeys(
            ("required", "invalid", "missing", "empty"),
            "メールのファイル（.eml）を選んでください。",
        )
    )


class GroupForm(forms.Form):
    """Comments that were ticked, and where they go: a group that there is, a new one, or none."""

    do = forms.ChoiceField(required=False, choices=[("group", ""), ("out", "")])
    group = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    title = _text(100, "まとまりの名前")

    @property
    def ticked(self) -> list[int]:
        """The numbers of the comments; what is none is left out."""
        given = cast(QueryDict, self.data).getlist("comment")
        return [int(one) for one in given if one.isascii() and one.isdecimal() and len(one) < 19]


class MeasureForm(forms.Form):
    """Which measure a comment is about."""

    measure = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, fields: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["measure"]).choices = _measures(fields)


class WithholdForm(forms.Form):
    """Why a comment is not published."""

    reason = forms.ChoiceField(
        choices=[(r.value, w) for r, w in Comment.REASONS.items()],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "理由を選んでください。"),
    )
    note = _text(200, "ひとこと")

    @property
    def said(self) -> dict[str, Any]:
        """What was chosen and written."""
        return {"reason": Reason(self.cleaned_data["reason"]), "note": self.cleaned_data["note"]}

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class AnswerForm(_TextsForm):
    """What a group of comments says, what the city thinks, and what changed."""

    parts = {  # noqa: RUF012  # read only
        "title": ("まとまりの名前", 100),
        "summary": ("意見の概要", 2000),
        "answer": ("市の考え方", 4000),
        "change": ("変えたこと", 2000),
    }

    outcome = forms.ChoiceField(
        required=False,
        choices=[("", "まだ決めない"), *((o.value, w) for o, w in CommentGroup.OUTCOMES.items())],
        error_messages={"invalid_choice": "どうするかを、選びなおしてください。"},
    )
    is_checked = forms.BooleanField(required=False)
    seen = forms.IntegerField(validators=[MinValueValidator(0), MaxValueValidator(2**31)])

    @property
    def said(self) -> dict[str, Any]:
        """What the service is told."""
        told = self.cleaned_data
        return {
            "texts": self.texts,
            "outcome": Outcome(told["outcome"]) if told["outcome"] else None,
            "is_checked": told["is_checked"],
            "seen": told["seen"],
        }

    @staticmethod
    def initial_of(view: GroupView) -> dict[str, Any]:
        """A group as its form shows it."""
        return {
            **said(view.texts), "outcome": view.outcome.value if view.outcome else "",
            "is_checked": view.is_checked, "seen": view.revision,
        }  # fmt: skip
