"""A short link as staff ask for it."""

from django import forms


def _text(longest: int, missing: str, name: str) -> forms.CharField:
    return forms.CharField(
        max_length=longest,
        error_messages={
            "required": missing,
            "max_length": f"{name}は、{longest}文字までにしてください。",
        },
    )


class LinkForm(forms.Form):
    """Which page, and where the link will hang."""

    address = _text(500, "ページのアドレスを入れてください。", "アドレス")
    label = _text(100, "どこに出すかを入れてください。", "どこに出すか")

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]
