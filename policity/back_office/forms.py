"""What staff fill in."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm


class OutcomeForm(forms.Form):
    """How a call for help ended."""

    outcome = forms.CharField(max_length=200)


class SignInForm(AuthenticationForm):
    """Name and password; one message for every wrong pair, so that no name is given away."""

    error_messages = {  # noqa: RUF012  # Django's own attribute
        "invalid_login": "職員IDかパスワードがちがいます。大文字と小文字も確かめてください。",
        "inactive": "職員IDかパスワードがちがいます。大文字と小文字も確かめてください。",
    }
