"""What a person answers, and what somebody who needs help adds."""

from django import forms
from django.utils.translation import gettext_noop

from policity.foundations.delivery.models import Reply

SITUATIONS = {
    "hurt": gettext_noop("けがをした・具合が悪い"),
    "alone": gettext_noop("ひとりでは動けない"),
    "water": gettext_noop("家に水が入ってきた"),
    "power": gettext_noop("電気がいる医療の機器がある"),
}
"""What may be the matter: short words for those who must choose under stress."""


class ReplyForm(forms.Form):
    """One of the three buttons."""

    answer = forms.ChoiceField(choices=Reply.Answer.choices)


class HelpForm(forms.Form):
    """A number to call back, and what is the matter; both may be left out."""

    phone = forms.RegexField(
        r"^[0-9+() ー－-]{5,30}$",
        required=False,
        error_messages={"invalid": "電話番号は、数字で入れてください。"},
    )
    situation = forms.MultipleChoiceField(choices=list(SITUATIONS.items()), required=False)
