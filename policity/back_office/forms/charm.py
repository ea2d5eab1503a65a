"""A spot and a course as staff write them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms

from policity.fields.charm import queries
from policity.fields.charm.formats import gpx
from policity.fields.charm.models import Course, Spot
from policity.fields.charm.rules import stops
from policity.fields.charm.rules.photographs import LONGEST_WORDS, Reason
from policity.fields.charm.rules.seasons import MONTHS, Verb
from policity.fields.charm.services import CourseDraft, SpotDraft
from policity.fields.charm.services.telling import REASONS
from policity.kit.languages import LANGUAGES

VERBS = ((Verb.WALK, "歩く"), (Verb.SEE, "見る"), (Verb.EAT, "食べる"))
LONGEST = {"title": 60, "summary": 120, "body": 4000, "access": 300, "alt": 200}
NAMES = {
    "title": "名前",
    "summary": "ひとこと",
    "body": "くわしく",
    "access": "行きかた",
    "alt": "写真の説明",
}


def _text(longest: int, name: str, *, required: str = "") -> forms.CharField:
    errors = {"max_length": f"{name}は、{longest}文字までにしてください。"}
    if required:
        errors["required"] = required
    return forms.CharField(max_length=longest, required=bool(required), error_messages=errors)


def _degrees(name: str, least: int, most: int) -> forms.FloatField:
    wrong = f"{name}を、{least}から{most}までの数で入れてください。"
    return forms.FloatField(
        min_value=least,
        max_value=most,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), wrong),
    )


class TextsForm(forms.Form):
    """The texts in every language; Japanese has at least a name."""

    parts: tuple[str, ...] = ("title", "summary", "body")

    source = _text(200, "出典")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in LANGUAGES:
            ja = one.code == "ja"
            for part in self.parts:
                name = NAMES[part] + ("" if ja else f"（{one.name}）")
                needed = "名前を入れてください。" if ja and part == "title" else ""
                self.fields[f"{part}_{one.code}"] = _text(LONGEST[part], name, required=needed)

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """What was written, by language; a language without any is left out."""
        found = {}
        for one in LANGUAGES:
            said = {part: self.cleaned_data[f"{part}_{one.code}"] for part in self.parts}
            if any(said.values()):
                found[one.code] = said
        return found

    @property
    def rows(self) -> list[tuple[Any, list[tuple[str, Any, int]]]]:
        """Each language with its fields: what it is called, the field, how long it may be."""
        return [
            (one, [(NAMES[p], self[f"{p}_{one.code}"], LONGEST[p]) for p in self.parts])
            for one in LANGUAGES
        ]

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class SpotForm(TextsForm):
    """Everything of a spot on one screen."""

    parts = ("title", "summary", "body", "access", "alt")

    verb = forms.ChoiceField(
        choices=[(one.value, name) for one, name in VERBS],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "何をするかを選んでください。"
        ),
    )
    kana = _text(200, "よみ")
    months = forms.MultipleChoiceField(
        required=False,
        choices=[(str(month), f"{month}月") for month in MONTHS],
        error_messages={"invalid_choice": "月を選びなおしてください。"},
    )
    lat = _degrees("緯度", 20, 46)
    lon = _degrees("経度", 122, 154)
    picture = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "写真を選びなおしてください。"}
    )

    def __init__(self, *args: Any, pictures: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["picture"]).choices = [
            ("", "のせない"),
            *((str(number), f"{number}　{title}") for number, title in pictures),
        ]

    @property
    def draft(self) -> SpotDraft:
        """What was written, once it is valid."""
        said = self.cleaned_data
        return SpotDraft(
            texts=self.texts,
            verb=Verb(said["verb"]),
            lat=said["lat"],
            lon=said["lon"],
            kana=said["kana"],
            months=tuple(int(month) for month in said["months"]),
            source=said["source"],
            picture=int(said["picture"]) if said["picture"] else None,
        )


class CourseForm(TextsForm):
    """Everything of a course on one screen."""

    stops = forms.CharField(
        max_length=5000,
        error_messages={
            "required": "立ち寄るところを、1行に1つ書いてください。",
            "max_length": "立ち寄るところが、長すぎます。",
        },
    )
    straight = forms.BooleanField(required=False)
    way = forms.FileField(
        required=False,
        error_messages={"empty": "GPXのファイルが空です。書き出しなおしてください。"},
    )

    def clean_way(self) -> Any:
        """The way in the file, None without one."""
        file = self.cleaned_data["way"]
        if not file:
            return None
        try:
            return gpx.read(file.read(gpx.LARGEST + 1))
        except gpx.BadWay as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def draft(self) -> CourseDraft:
        """What was written, once it is valid."""
        said = self.cleaned_data
        return CourseDraft(
            texts=self.texts,
            stops=said["stops"],
            line=() if said["straight"] else said["way"],
            source=said["source"],
        )


class PhotographForm(forms.Form):
    """What staff say of a photograph that a resident sent, and where it was."""

    spot = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "見どころを選びなおしてください。"}
    )

    def __init__(self, *args: Any, spots: Sequence[queries.Listed], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["spot"]).choices = [
            ("", "市のどこか"),
            *((str(one.id), one.title) for one in spots),
        ]
        for one in LANGUAGES:
            self.fields[f"alt_{one.code}"] = _text(LONGEST_WORDS, "何が写っているか")

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """What was written, by language; a language without any is left out."""
        said = {one.code: self.cleaned_data[f"alt_{one.code}"] for one in LANGUAGES}
        return {code: {"alt": text} for code, text in said.items() if text}

    @property
    def place(self) -> int | None:
        """The spot's number, None for the city as a whole."""
        return int(self.cleaned_data["spot"]) if self.cleaned_data["spot"] else None

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """Each language with its field."""
        return [(one, self[f"alt_{one.code}"]) for one in LANGUAGES]


class DeclineForm(forms.Form):
    """Why a photograph is not published."""

    reason = forms.ChoiceField(
        choices=[(one.value, text) for one, text in REASONS.items()],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "理由を選んでください。"),
    )
    note = _text(200, "ひとこと")

    @property
    def said(self) -> dict[str, Any]:
        """What was chosen and written."""
        return {"reason": Reason(self.cleaned_data["reason"]), "note": self.cleaned_data["note"]}


def initial(row: Spot | Course | None) -> Mapping[str, Any]:
    """A spot or a course as its form shows it."""
    if row is None:
        return {}
    said = {
        f"{part}_{code}": value for code, text in row.texts.items() for part, value in text.items()
    }
    said["source"] = row.source
    if isinstance(row, Course):
        return {**said, "stops": stops.write(queries.stops_of(row))}
    months = [str(month) for month in row.months]
    return {
        **said, "verb": row.verb, "kana": row.kana, "months": months,
        "lat": row.lat, "lon": row.lon, "picture": str(row.picture_id or ""),
    }  # fmt: skip
