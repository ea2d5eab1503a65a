"""What residents type to sign up, and what they thought.

Run with the page's language active: errors are texts in it.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext

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


class AnswerForm(forms.Form):
    """What somebody thought."""

    score = forms.CharField(required=False)
    text = forms.CharField(required=False, max_length=1000)

    def clean_score(self) -> int:
        """1 (bad) to 5 (good)."""
        text: str = self.cleaned_data["score"]
        if text not in {"1", "2", "3", "4", "5"}:
            raise forms.ValidationError(gettext("どうだったかを、1つ選んでください。"))
        return int(text)
