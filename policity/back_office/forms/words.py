"""Words that mean the same, as staff write them."""

import re

from django import forms

LONGEST = 1_000


class WordsForm(forms.Form):
    """A group of expressions, separated by commas or lines."""

    words = forms.CharField(
        max_length=LONGEST,
        error_messages={
            "required": "ことばを入れてください。",
            "max_length": f"一組を、{LONGEST:,}文字までにしてください。",
        },
    )

    def clean_words(self) -> tuple[str, ...]:
        """Each expression once, as it was written."""
        said = re.split(r"[、，,\n]", str(self.cleaned_data["words"]))
        plain = (" ".join(one.split()) for one in said)
        return tuple(dict.fromkeys(one for one in plain if one))

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]
