"""A hazard map as staff bring it: what it is of, and its file."""

from django import forms

from policity.foundations.places.formats.hazards import LARGEST
from policity.foundations.places.presenters.hazards import HAZARD_NAMES

# A map without depths, chosen as such; "" is: not chosen yet.
NONE = "-"


def _text(name: str, longest: int) -> forms.CharField:
    return forms.CharField(
        max_length=longest,
        error_messages={
            "required": f"{name}を入れてください。",
            "max_length": f"{name}は、{longest}文字までにしてください。",
        },
    )


class HazardLayerForm(forms.Form):
    """Everything that is asked of a map. The file is read once and not kept."""

    hazard = forms.ChoiceField(
        choices=list(HAZARD_NAMES.items()),
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "災害の種類を選んでください。"
        ),
    )
    title = _text("地図の名前", 100)
    source = _text("もとの資料", 200)
    as_of = forms.DateField(
        error_messages=dict.fromkeys(
            ("required", "invalid"), "「いつの地図か」を、日付で入れてください。"
        )
    )
    # Checked against the file.
    attribute = forms.CharField(required=False, max_length=100)
    areas = forms.FileField(
        error_messages=dict.fromkeys(("required", "empty"), "ファイルを選んでください。")
    )

    @property
    def data_sent(self) -> bytes:
        """The file's bytes, one more than can be read at most."""
        return bytes(self.cleaned_data["areas"].read(LARGEST + 1))

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]
