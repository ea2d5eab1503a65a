"""A facility as staff write it, and a list of them as a file."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core import signing

from policity.foundations.places.formats.facilities import LARGEST, kinds
from policity.foundations.places.models import Facility
from policity.foundations.places.presenters.facilities import FEATURE_NAMES
from policity.foundations.places.rules import facilities as rules
from policity.foundations.places.rules.hours import (
    BadHours,
    Hours,
    OnHoliday,
    Spans,
    from_json,
    spans,
    written,
)

DAYS = ("月", "火", "水", "木", "金", "土", "日")
ON_HOLIDAY = (
    (OnHoliday.AS_USUAL, "祝日も、曜日のとおり"),
    (OnHoliday.CLOSED, "祝日は休み"),
    (OnHoliday.DAY_AFTER, "休みの曜日が祝日なら、開けて次の日を休む"),
)
MOST_SPECIAL = 200
LONGEST_NAME = 100
# Signs of a line by which whoever wrote it knows it again.
_SHOWN = 30
_NO_KIND = "種類を選んでください。"
_SALT = "back_office.facilities"
# As long as somebody looks at what a list changes.
_LOOKED_AT_SECONDS = 3600


def _text(field: str, name: str) -> forms.CharField:
    longest = rules.LONGEST[field]
    wrong = f"{name}は、{longest}文字までにしてください。"
    return forms.CharField(required=False, max_length=longest, error_messages={"max_length": wrong})


def _degree(name: str) -> forms.FloatField:
    wrong = f"{name}は、35.7256 のような数で入れてください。"
    return forms.FloatField(
        required=False,
        min_value=-180,
        max_value=180,
        error_messages={"invalid": wrong, "min_value": wrong, "max_value": wrong},
    )


_UNTICKED = (
    "曜日や日付の時間があります。出すときは「時間がわかっている」にしるしをつけ、"
    "出さないときは時間を空にしてください。"
)


class FacilityForm(forms.Form):
    """Everything of a facility on one screen. Without any hours they are not known."""

    name = _text("name", "名前")
    kana = _text("kana", "よみ")
    kind = forms.ChoiceField(
        choices=[], error_messages=dict.fromkeys(("required", "invalid_choice"), _NO_KIND)
    )
    address = _text("address", "住所")
    lat = _degree("緯度")
    lon = _degree("経度")
    phone = _text("phone", "電話番号")
    url = _text("url", "アドレス")
    where = _text("where", "建物の中の場所")
    notes = _text("notes", "説明")
    features = forms.MultipleChoiceField(
        choices=list(FEATURE_NAMES.items()),
        required=False,
        error_messages={"invalid_choice": "設備は、一覧から選んでください。"},
    )
    has_hours = forms.BooleanField(required=False)
    on_holiday = forms.ChoiceField(
        choices=[(one.value, name) for one, name in ON_HOLIDAY], required=False
    )
    year_end = forms.BooleanField(required=False)
    special = forms.CharField(
        required=False,
        max_length=10_000,
        error_messages={"max_length": "いつもとちがう日は、10,000文字までにしてください。"},
    )
    hours_note = _text("hours_note", "時間のことば")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]  # a field of choices
            (key, names["ja"]) for key, names in kinds().items()
        ]
        for number, day in enumerate(DAYS):
            wrong = f"{day}曜日の時間は、100文字までにしてください。"
            self.fields[f"day_{number}"] = forms.CharField(
                required=False, max_length=100, error_messages={"max_length": wrong}
            )

    def clean(self) -> dict[str, Any]:
        """Hours as one value."""
        said = super().clean() or {}
        said["hours"] = None
        if said.get("has_hours"):
            try:
                said["hours"] = Hours(
                    week=tuple(self._day(said, number) for number, _ in enumerate(DAYS)),
                    on_holiday=OnHoliday(said.get("on_holiday") or OnHoliday.AS_USUAL),
                    year_end=said.get("year_end", False),
                    special=_special(said.get("special", "")),
                )
            except BadHours as error:
                raise forms.ValidationError(f"{error}。") from None
        elif said.get("special") or any(said.get(f"day_{n}") for n, _ in enumerate(DAYS)):
            raise forms.ValidationError(_UNTICKED)
        return said

    def _day(self, said: Mapping[str, Any], number: int) -> Spans:
        try:
            return spans(said.get(f"day_{number}", ""))
        except BadHours as error:
            raise BadHours(f"{DAYS[number]}曜日：{error}") from None

    @property
    def written(self) -> rules.Facility:
        """What was written, once it is valid."""
        said = self.cleaned_data
        return rules.Facility(
            source_id="",
            features=tuple(key for key in rules.FEATURES if key in said["features"]),
            **{
                name: said[name]
                for name in (
                    "kind", "name", "kana", "address", "lat", "lon", "phone", "url", "where",
                    "hours", "hours_note", "notes",
                )
            },
        )  # fmt: skip

    @property
    def days(self) -> list[tuple[str, forms.BoundField]]:
        """The fields of the week."""
        return [(day, self[f"day_{number}"]) for number, day in enumerate(DAYS)]

    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


def _special(text: str) -> dict[date, Spans]:
    found = {}
    for line in text.splitlines():
        day, _, hours = line.strip().partition(" ")
        if not day:
            continue
        try:
            found[date.fromisoformat(day)] = spans(hours)
        except BadHours as error:
            raise BadHours(f"{day[:_SHOWN]}：{error}") from None
        except ValueError:
            raise BadHours(
                f"「{line[:_SHOWN]}」は、2026-12-24 9:00-12:00 のように書いてください"
            ) from None
    if len(found) > MOST_SPECIAL:
        raise BadHours(f"いつもとちがう日は、{MOST_SPECIAL}日までです")
    return found


def initial(row: Facility | None) -> dict[str, Any]:
    """What stands in the form at first: a new one, or what there is."""
    if row is None:
        return {}
    names = ("kind", "name", "kana", "address", "lat", "lon", "phone", "url", "where",
             "features", "hours_note", "notes")  # fmt: skip
    found: dict[str, Any] = {name: getattr(row, name) for name in names}
    if row.hours:
        hours = from_json(row.hours)
        found |= {f"day_{number}": written(day) for number, day in enumerate(hours.week)}
        found |= {
            "has_hours": True,
            "on_holiday": hours.on_holiday.value,
            "year_end": hours.year_end,
            "special": "\n".join(
                f"{day.isoformat()} {written(some) or '休'}"
                for day, some in sorted(hours.special.items())
            ),
        }
    return found


class FacilityListForm(forms.Form):
    """A list as a file, or the one that was looked at just now, which comes back signed."""

    source = forms.CharField(
        required=False,
        max_length=LONGEST_NAME,
        error_messages={"max_length": f"一覧の名前は、{LONGEST_NAME}文字までにしてください。"},
    )
    table = forms.FileField(required=False)
    looked_at = forms.CharField(required=False, max_length=2_000_000)

    @property
    def data_sent(self) -> bytes:
        """The file's bytes, one more than can be read at most; none where none was given."""
        given = self.files.get("table")
        return bytes(given.read(LARGEST + 1)) if given else b""

    @property
    def kept(self) -> tuple[str, bytes, list[Any]] | None:
        """Name, bytes and plan of the list that was looked at; None where none, or long ago."""
        try:
            name, text, seen = signing.loads(
                self.data.get("looked_at", ""), salt=_SALT, max_age=_LOOKED_AT_SECONDS
            )
        except signing.BadSignature:
            return None
        return name, text.encode("latin-1"), seen


def keep(name: str, data: bytes, seen: list[Any]) -> str:
    """A list that is being looked at, to be sent back unchanged: nothing of it is kept here."""
    return signing.dumps((name, data.decode("latin-1"), seen), salt=_SALT, compress=True)
