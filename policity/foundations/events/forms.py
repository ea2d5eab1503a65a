"""What residents type to sign up, and what they thought.

Run with the page's language active: errors are texts in it.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext

from policity.foundations.events.rules import asking
from policity.foundations.events.services.lining import LONGEST_NAME
from policity.foundations.residents.forms import MailForm


class SeatsForm(forms.Form):
    """A name, which may stay empty, and for how many persons."""

    name = forms.CharField(required=False)
    seats = forms.CharField(required=False)

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most = most

    def clean_name(self) -> str:
        """The name, as long as a sheet has room for."""
        name: str = self.cleaned_data["name"]
        if len(name) > LONGEST_NAME:
            raise forms.ValidationError(gettext("名前は、60文字までにしてください。"))
        return name

    def clean_seats(self) -> int:
        """How many; nothing is one."""
        text: str = self.cleaned_data["seats"] or "1"
        if not text.isdecimal() or not 1 <= int(text[:6]) <= self.most:
            raise forms.ValidationError(gettext("人数を、選んでください。"))
        return int(text)


class SignUpForm(MailForm, SeatsForm):
    """The same, with the mail address of somebody whom we do not know."""


class NumberForm(forms.Form):
    """Which registration, or which time, a button is about."""

    number = forms.IntegerField(min_value=1, max_value=2**62)


class QuestionField(forms.Field):
    """The answer to a question of one's own; `number` stands before it on the page."""

    # As many as were sent: to choose several is to send a name several times.
    widget = forms.SelectMultiple

    def __init__(self, question: asking.Question, number: int) -> None:
        super().__init__(required=False)
        self.question, self.number = question, number

    def clean(self, value: Any) -> asking.Given:
        """What was answered, as it is kept."""
        number = {"number": self.number}
        try:
            return asking.answer(self.question, value or [])
        except asking.NoAnswer:
            raise forms.ValidationError(
                gettext("質問%(number)sに、答えてください。") % number
            ) from None
        except asking.LongAnswer:
            raise forms.ValidationError(
                gettext("質問%(number)sの答えは、1000文字までにしてください。") % number
            ) from None
        except asking.BadAnswer:
            raise forms.ValidationError(
                gettext("質問%(number)sの答えを、もう一度、選んでください。") % number
            ) from None


class AnswerForm(forms.Form):
    """What somebody thought, and their answers to `questions` of one's own (`q1` and on)."""

    score = forms.CharField(required=False)
    text = forms.CharField(required=False, max_length=1000)

    def __init__(
        self, *args: Any, questions: Sequence[asking.Question] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.names = [f"q{number}" for number in range(1, len(questions) + 1)]
        for number, question in enumerate(questions, 1):
            self.fields[f"q{number}"] = QuestionField(question, number)

    @property
    def said(self) -> dict[str, Any]:
        """What the service is told, once it is valid."""
        told = self.cleaned_data
        answers = [told[name] for name in self.names]
        return {"score": told["score"], "text": told["text"], "answers": answers}

    def clean_score(self) -> int:
        """1 (bad) to 5 (good)."""
        text: str = self.cleaned_data["score"]
        if text not in {"1", "2", "3", "4", "5"}:
            raise forms.ValidationError(gettext("どうだったかを、1つ選んでください。"))
        return int(text)
