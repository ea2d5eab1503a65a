"""What a resident says of a plan.

Run with the page's language active: errors are texts in it.
"""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext

from policity.foundations.city_plan.rules.commenting import (
    LONGEST,
    LONGEST_ADDRESS,
    LONGEST_NAME,
    readable,
    tidy,
)
from policity.foundations.city_plan.services import Sent


class Words(forms.Field):
    """A text as it was typed; what may not be in it is ours to say, in the page's language."""

    widget = forms.TextInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> str:
        """With one sign for the end of a line."""
        return tidy(str(value or ""))

    def clean(self, value: Any) -> str:
        """The text. Raises ValidationError."""
        text = self.to_python(value)
        if text != readable(text):
            raise forms.ValidationError(
                gettext("読めない文字が入っています。消してから、送ってください。")
            )
        return text


class CommentForm(forms.Form):
    """A comment. `measures` are those that one may choose; it may be about the whole."""

    text = Words()
    measure = Words()
    name = Words()
    address = Words()

    def __init__(self, *args: Any, measures: Collection[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.measures = measures

    def clean_text(self) -> str:
        """What they say."""
        text: str = self.cleaned_data["text"]
        if not text:
            raise forms.ValidationError(gettext("意見を書いてください。"))
        if len(text) > LONGEST:
            said = gettext(
                "4000文字までにしてください。いまは%(count)s文字です。長い意見は、メールか紙で送れます。"
            )
            raise forms.ValidationError(said % {"count": len(text)})
        return text

    def clean_measure(self) -> int | None:
        """What it is about, None for the whole."""
        text: str = self.cleaned_data["measure"]
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) < 19) or (
            int(text) not in self.measures
        ):
            raise forms.ValidationError(gettext("何についてかを、一覧から選んでください。"))
        return int(text)

    def clean_name(self) -> str:
        """Their name, where they want to say it."""
        return self._short("name", LONGEST_NAME, gettext("名前は、60文字までにしてください。"))

    def clean_address(self) -> str:
        """Where they live or can be reached, where they want to say it."""
        wrong = gettext("住所か連絡先は、200文字までにしてください。")
        return self._short("address", LONGEST_ADDRESS, wrong)

    def _short(self, name: str, longest: int, wrong: str) -> str:
        text = " ".join(str(self.cleaned_data[name]).split())
        if len(text) > longest:
            raise forms.ValidationError(wrong)
        return text

    @property
    def sent(self) -> Sent:
        """What was said, once it is valid."""
        return Sent(**self.cleaned_data)
