"""What people say with a sheet, figures and targets by hand, days, and a table as a file."""

import base64
import unicodedata
import zlib
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django import forms
from django.core import signing
from django.core.validators import MaxValueValidator, MinValueValidator

from policity.foundations.city_plan.formats.cells import LARGEST, BadTable
from policity.foundations.city_plan.formats.facts import stages
from policity.foundations.city_plan.formats.figures import Given, parts
from policity.foundations.city_plan.presenters.words import SPLITS
from policity.foundations.city_plan.rules.attaining import MONTHS, Aim, Direction
from policity.foundations.city_plan.rules.cycle import (
    FORWARD,
    GRADING,
    Act,
    Asked,
    Done,
    FollowUp,
    Said,
    Turn,
)
from policity.foundations.city_plan.rules.grading import Scheme
from policity.foundations.city_plan.services import WORDS, Entry, Taken

LONGEST, LONGEST_LINE, LONGEST_REASON = 4000, 300, 300
_LONGEST_LINES = 20_000
DONES = ((Done.DONE, "した"), (Done.NOT_DONE, "していない"), (Done.DROPPED, "やめた"))
# What somebody may want to say with each act; empty: nothing.
TEXTS: Mapping[Act, str] = {
    Act.RATE: "自己評価のまとめ",
    Act.CHECK: "委員会に伝えること",
    Act.REVIEW: "委員会の意見",
    Act.HEAR: "寄せられた意見と、市の考え",
    Act.DECIDE: "決定のわけ",
    Act.PUBLISH: "",
    Act.RETURN: "差し戻すわけ",
}
NEEDED = frozenset({Act.REVIEW, Act.HEAR, Act.RETURN})
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
_SALT = "back_office.plan"
# As long as somebody looks at what a table changes.
_LOOKED_AT_SECONDS = 3600
# Signs that a page may send back.
_LONGEST_KEPT = 2_000_000


def _text(longest: int, name: str) -> forms.CharField:
    errors = {"max_length": f"{name}は、{longest}文字までにしてください。"}
    return forms.CharField(required=False, max_length=longest, error_messages=errors)


class _Form(forms.Form):
    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class ActForm(_Form):
    """What somebody says with an act. What is missing is the rules' to tell (`cycle.faults`)."""

    def __init__(
        self, data: Any, *, act: Act, asked: Asked, scheme: Scheme, before: Said | None = None
    ) -> None:
        super().__init__(data, initial=_initial(before or Said(), asked))
        self.act, self._asked, self._scheme = act, asked, scheme
        if TEXTS[act]:
            self.fields["text"] = _text(LONGEST, TEXTS[act])
        if act in GRADING:
            self.fields["grade"] = _text(5, "評価")
        if act is Act.RATE:
            for number, question in enumerate(asked.questions):
                self.fields[f"answer_{number}"] = _text(LONGEST, f"「{question}」")
            for number, name in enumerate(asked.missed.values()):
                self.fields[f"reason_{number}"] = _text(LONGEST, f"「{name}」のわけ")
            for number, action in enumerate(asked.decided):
                self.fields[f"done_{number}"] = _text(10, f"「{action}」がどうなったか")
                self.fields[f"why_{number}"] = _text(LONGEST, f"「{action}」のわけ")
        if act in (Act.RATE, Act.DECIDE):
            self.fields["actions"] = _text(LONGEST, "来年度に変えること")
        if act is Act.DECIDE:
            self.fields["stage"] = _text(20, "活用状況の段階")
            self.fields["ends"] = forms.BooleanField(required=False)
            if scheme.directions:
                self.fields["direction"] = _text(30, "今後の方向")

    @property
    def said(self) -> Said:
        """What was said, once it is valid."""
        given, asked = self.cleaned_data, self._asked
        follow_ups = [
            FollowUp(action, Done(given[f"done_{number}"]), given[f"why_{number}"])
            for number, action in enumerate(asked.decided)
            if given.get(f"done_{number}") in set(Done)
        ]
        return Said(
            text=given.get("text", ""),
            grade=given.get("grade", ""),
            direction=given.get("direction", ""),
            stage=given.get("stage", ""),
            ends=given.get("ends", False),
            answers={
                question: given[f"answer_{number}"]
                for number, question in enumerate(asked.questions)
                if f"answer_{number}" in given
            },
            reasons={
                code: given[f"reason_{number}"]
                for number, code in enumerate(asked.missed)
                if f"reason_{number}" in given
            },
            follow_ups=follow_ups,
            actions=[
                line.strip() for line in given.get("actions", "").splitlines() if line.strip()
            ],
        )

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What was typed, with what it was said to, for who cannot send it any more."""
        names = {"grade": "評価", "stage": "活用状況の段階", "direction": "今後の方向"}
        names |= {
            "ends": "この年度で終える",
            "text": TEXTS[self.act],
            "actions": "来年度に変えること",
        }
        for number, question in enumerate(self._asked.questions):
            names[f"answer_{number}"] = question
        for number, name in enumerate(self._asked.missed.values()):
            names[f"reason_{number}"] = f"「{name}」が届かなかったわけ"
        for number, action in enumerate(self._asked.decided):
            names[f"why_{number}"] = f"「{action}」のわけ"
        found = ((name, str(self.data.get(key, "")).strip()) for key, name in names.items())
        return [(name, said) for name, said in found if said]

    # What its template draws.

    @property
    def label(self) -> str:
        """What the text is."""
        return TEXTS[self.act]

    @property
    def needs_text(self) -> bool:
        """Whether nothing is done without a text."""
        return self.act in NEEDED

    @property
    def grades(self) -> list[tuple[str, str]]:
        """What may be given."""
        scheme = self._scheme
        found = [(one.code, one.name) for one in (*scheme.grades, *scheme.marks)]
        return [*found, (scheme.unclear, "評価できない")]

    @property
    def directions(self) -> list[tuple[str, str]]:
        """Where it may go."""
        return list(self._scheme.directions.items())

    @property
    def stages(self) -> list[tuple[str, str]]:
        """The stages of use."""
        return [(code, one.name) for code, one in stages().items()]

    @property
    def answers(self) -> list[tuple[str, forms.BoundField]]:
        """Each question with its field."""
        return [(one, self[f"answer_{n}"]) for n, one in enumerate(self._asked.questions)]

    @property
    def reasons(self) -> list[tuple[str, forms.BoundField]]:
        """Each indicator that fell short, with its field."""
        return [(one, self[f"reason_{n}"]) for n, one in enumerate(self._asked.missed.values())]

    @property
    def follow_ups(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Each of last year's decisions, with what became of it and why."""
        return [
            (one, self[f"done_{n}"], self[f"why_{n}"]) for n, one in enumerate(self._asked.decided)
        ]

    @property
    def dones(self) -> tuple[tuple[Done, str], ...]:
        """What may have become of a decision."""
        return DONES


def _initial(before: Said, asked: Asked) -> dict[str, str]:
    """What was said before, as the fields show it."""
    told = {one.action: one for one in before.follow_ups}
    found = {
        "text": before.text,
        "grade": before.grade,
        "stage": before.stage,
        "actions": "\n".join(before.actions),
    }
    for number, question in enumerate(asked.questions):
        found[f"answer_{number}"] = before.answers.get(question, "")
    for number, code in enumerate(asked.missed):
        found[f"reason_{number}"] = before.reasons.get(code, "")
    for number, action in enumerate(asked.decided):
        if one := told.get(action):
            found |= {f"done_{number}": one.done.value, f"why_{number}": one.why}
    return found


class ActNameForm(forms.Form):
    """Which button was pressed."""

    act = forms.ChoiceField(choices=[(one.value, one.value) for one in Act])

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Act | None:
        """The act; None where it is none."""
        form = cls(given)
        return Act(form.cleaned_data["act"]) if form.is_valid() else None


class YearForm(forms.Form):
    """Which plan and year to show, and which of its sheets. What makes no sense is left out."""

    plan = forms.CharField(required=False, max_length=50)
    year = forms.IntegerField(required=False, min_value=1868, max_value=9999)
    department = forms.CharField(required=False, max_length=100)
    turn = forms.CharField(required=False, max_length=12)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is asked for."""
        form = cls(given)
        form.is_valid()
        said = form.cleaned_data
        return {
            "plan": said.get("plan", ""),
            "year": said.get("year"),
            "department": said.get("department", ""),
            "turn": said.get("turn", ""),
        }


class _Number(forms.DecimalField):
    """A figure as somebody writes it: in full width too, and with commas."""

    def __init__(self, name: str) -> None:
        wrong = f"{name}は、1234.5 のような数字で入れてください（小数は4桁まで）。"
        kinds = ("invalid", "max_digits", "max_decimal_places", "max_whole_digits")
        super().__init__(
            required=False,
            max_digits=18,
            decimal_places=4,
            error_messages=dict.fromkeys(kinds, wrong),
        )

    def to_python(self, value: Any) -> Any:
        text = unicodedata.normalize("NFKC", str(value or "")).replace(",", "").strip()
        return super().to_python(text)


class FigureForm(_Form):
    """A figure with its evidence, or why it was not measured."""

    number = _Number("実績")
    evidence = _text(LONGEST_LINE, "根拠")
    months = forms.ChoiceField(
        required=False,
        choices=[(str(number), f"{number}か月") for number in range(MONTHS, 0, -1)],
        error_messages={"invalid_choice": "月数は、1から12までです。"},
    )
    reason = _text(LONGEST_REASON, "測っていないわけ")

    @property
    def entry(self) -> Entry:
        """What was written, once it is valid."""
        said = self.cleaned_data
        return Entry(
            said["number"], said["reason"], said["evidence"], int(said["months"] or MONTHS)
        )


class PartsForm(_Form):
    """The figures of a whole's parts, one a line, as two columns of a spreadsheet paste."""

    split = forms.CharField(required=False, max_length=20)
    lines = _text(_LONGEST_LINES, "内訳")
    evidence = _text(LONGEST_LINE, "根拠")

    def __init__(self, data: Any, *, unit: str, splits: Collection[str]) -> None:
        super().__init__(data)
        self._unit = unit
        self.choices = [(name, words) for name, words in SPLITS.items() if name in splits]

    def clean_lines(self) -> dict[str, Given]:
        """Each part with its figure, or why it has none."""
        try:
            return parts(self.cleaned_data["lines"], self._unit)
        except BadTable as error:
            raise forms.ValidationError(list(error.problems)) from error


class TargetForm(_Form):
    """A year's target, and why it is another one than before."""

    low = _Number("目標")
    high = _Number("目標")
    reason = _text(LONGEST_REASON, "変えるわけ")

    def __init__(self, data: Any, *, direction: Direction, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.direction = direction

    @property
    def aim(self) -> Aim:
        """What was written, once it is valid. Of one direction the other bound is left out."""
        low, high = self.cleaned_data["low"], self.cleaned_data["high"]
        return Aim(
            None if self.direction is Direction.DOWN else low,
            None if self.direction is Direction.UP else high,
        )

    def clean(self) -> dict[str, Any]:
        """A range has both its ends."""
        said = super().clean() or {}
        both = said.get("low") is not None and said.get("high") is not None
        if self.direction is Direction.KEEP and not both and not self.errors:
            raise forms.ValidationError("目標の下限と上限の、両方を入れてください。")
        return said


class DaysForm(_Form):
    """The last day of each turn; empty for none."""

    def __init__(self, data: Any, *, initial: Mapping[Turn, date]) -> None:
        super().__init__(data, initial={turn.value: day for turn, day in initial.items()})
        for turn in FORWARD:
            wrong = f"「{WORDS[turn]}」の期限を、2026-12-05 のような日付で入れてください。"
            bounds = (MinValueValidator(FIRST_DAY, wrong), MaxValueValidator(LAST_DAY, wrong))
            self.fields[turn.value] = forms.DateField(
                required=False, validators=bounds, error_messages={"invalid": wrong}
            )

    @property
    def days(self) -> dict[Turn, date]:
        """What was written, once it is valid."""
        return {turn: day for turn in FORWARD if (day := self.cleaned_data[turn.value])}

    @property
    def rows(self) -> list[tuple[str, forms.BoundField]]:
        """Each turn with its field."""
        return [(WORDS[turn], self[turn.value]) for turn in FORWARD]


class TableForm(forms.Form):
    """A table as a file, or the one that was looked at just now, which comes back signed."""

    table = forms.FileField(required=False)
    looked_at = forms.CharField(required=False, max_length=_LONGEST_KEPT)

    @property
    def data_sent(self) -> bytes:
        """The file's bytes, one more than can be read at most; none where none was given."""
        given = self.files.get("table")
        return bytes(given.read(LARGEST + 1)) if given else b""

    def kept(self, plan: str) -> tuple[bytes, Taken] | None:
        """The table that was looked at for a plan, and what it was to change; None: none such."""
        try:
            code, packed, seen = signing.loads(
                self.data.get("looked_at", ""), salt=_SALT, max_age=_LOOKED_AT_SECONDS
            )
        except signing.BadSignature:
            return None
        new, changed, *counts = seen
        if code != plan:
            return None
        data = zlib.decompress(base64.b85decode(packed))
        return data, Taken(tuple(new), tuple(changed), *counts)


def keep(plan: str, data: bytes, seen: Taken) -> str:
    """A table that is being looked at, to be sent back unchanged; empty where it is too large."""
    packed = base64.b85encode(zlib.compress(data)).decode()
    shown = [seen.new, seen.changed, seen.same, seen.targets, seen.values]
    found = signing.dumps((plan, packed, shown), salt=_SALT)
    return found if len(found) <= _LONGEST_KEPT else ""
