"""What staff fill in."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.http import QueryDict

from policity.foundations.places.rules.openings import LONGEST_NOTE, Openness


class OutcomeForm(forms.Form):
    """How a call for help ended."""

    outcome = forms.CharField(max_length=200)


class ChoiceForm(forms.Form):
    """Which message the board is to show; the newest where none is chosen."""

    message = forms.IntegerField(min_value=1, required=False)

    @classmethod
    def read(cls, given: QueryDict) -> int | None:
        """The chosen message. What is no number chooses nothing."""
        form = cls(given)
        return form.cleaned_data["message"] if form.is_valid() else None


class SignInForm(AuthenticationForm):
    """Name and password; one message for every wrong pair, so that no name is given away."""

    error_messages = {  # noqa: RUF012  # Django's own attribute
        "invalid_login": "職員IDかパスワードがちがいます。大文字と小文字も確かめてください。",
        "inactive": "職員IDかパスワードがちがいます。大文字と小文字も確かめてください。",
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
