"""What residents type and choose to send photographs, and to say that something is wrong with one.

Run with the page's language active: errors are texts in it.
"""

import io
from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext, gettext_noop

from policity.fields.charm.formats.photographs import BadPhotograph, Fault, Shot
from policity.fields.charm.rules.photographs import (
    LARGEST,
    LARGEST_TOGETHER,
    LONGEST_NAME,
    LONGEST_REPORT,
    LONGEST_WORDS,
    MOST,
    Licence,
)
from policity.fields.charm.services import Sent
from policity.fields.charm.services.files import read
from policity.foundations.residents.forms import MailForm
from policity.kit import ruby

FAULTS = {
    Fault.EMPTY: gettext_noop("「%(file)s」は、何も入っていません。別の写真を選んでください。"),
    Fault.LARGE: gettext_noop("「%(file)s」は、大きすぎます。40MBまでの写真を選んでください。"),
    Fault.PIXELS: gettext_noop("「%(file)s」は、点の数が多すぎます。小さくして、送ってください。"),
    Fault.HEIC: gettext_noop("「%(file)s」は、HEICのままでは読めません。JPEGで送ってください。"),
    Fault.UNREADABLE: gettext_noop("「%(file)s」は読めません。JPEGかPNGの写真を選んでください。"),
}  # fmt: skip
# Of a file's name as much as somebody knows it by.
_LONGEST_FILE_NAME = 40
# Old ones of the city are welcome; a year of two digits is a slip.
_FIRST_PHOTOGRAPH = date(1850, 1, 1)


class InMemory(FileUploadHandler):
    """Files stay in memory until they are read: on a disk they would tell where they were taken.

    Of what is too large, or too many, the rest is dropped as it comes.
    """

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        """Nothing has come yet."""
        self.together = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """One more file begins."""
        super().new_file(*args, **kwargs)
        self.parts = bytearray()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep what may be read later: one byte more than may be shows that it is too large."""
        room = min(LARGEST, LARGEST_TOGETHER - self.together) + 1 - len(self.parts)
        self.parts += raw_data[: max(room, 0)]

    def file_complete(self, file_size: int) -> InMemoryUploadedFile | None:
        """The file as far as it was kept."""
        self.together += len(self.parts)
        file = io.BytesIO(self.parts)
        self.parts = bytearray()
        return InMemoryUploadedFile(
            file, self.field_name, self.file_name or "", self.content_type, file_size, self.charset
        )


class Several(forms.FileInput):
    """A place to choose more than one file."""

    allow_multiple_selected = True

    def value_from_datadict(
        self, data: Any, files: "MultiValueDict[str, Any]", name: str
    ) -> list[Any]:
        """Every file that was chosen."""
        return files.getlist(name) if files else []


class PhotographsField(forms.Field):
    """One photograph or several. What cannot be taken is said by the first that is so."""

    widget = Several

    def clean(self, value: list[Any]) -> list[Shot]:
        """The photographs, as they may be kept."""
        if not value:
            raise forms.ValidationError(gettext("写真を選んでください。"))
        if len(value) > MOST:
            raise forms.ValidationError(gettext("写真は、一度に5枚までです。"))
        for file in value:
            if file.size > LARGEST:
                raise _fault(file, Fault.LARGE)
        if sum(file.size for file in value) > LARGEST_TOGETHER:
            raise forms.ValidationError(
                gettext("写真が、合わせて80MBをこえています。分けて送ってください。")
            )
        return [self._read(file) for file in value]

    def _read(self, file: Any) -> Shot:
        try:
            return read(file.read(), largest=LARGEST)
        except BadPhotograph as error:
            raise _fault(file, error.fault) from error


def _fault(file: Any, fault: Fault) -> forms.ValidationError:
    name = file.name
    if len(name) > _LONGEST_FILE_NAME:
        name = f"{name[: _LONGEST_FILE_NAME - 1]}…"
    return forms.ValidationError(gettext(FAULTS[fault]) % {"file": ruby.foreign(name)})


class PhotographsForm(MailForm):
    """Photographs, and what is said of them. `spots` are those that one may choose."""

    photographs = PhotographsField()
    alt = forms.CharField(required=False)
    spot = forms.CharField(required=False)
    taken = forms.CharField(required=False)
    credit = forms.CharField(required=False)
    licence = forms.CharField(required=False)
    made = forms.BooleanField(required=False)
    agreed = forms.BooleanField(required=False)

    def __init__(self, *args: Any, spots: Collection[int], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spots, self.today = spots, today

    def clean_alt(self) -> str:
        """What can be seen, in one line."""
        text = " ".join(str(self.cleaned_data["alt"]).split())
        if not text:
            raise forms.ValidationError(gettext("何が写っているかを、書いてください。"))
        if len(text) > LONGEST_WORDS:
            raise forms.ValidationError(gettext("200文字までにしてください。"))
        return text

    def clean_spot(self) -> int | None:
        """Where it was, None for anywhere in the city. Without any spot none is asked for."""
        text: str = self.cleaned_data["spot"]
        if not text or not self.spots:
            return None
        if not (text.isdecimal() and len(text) < 19 and int(text) in self.spots):
            raise forms.ValidationError(gettext("どこの写真かを、一覧から選んでください。"))
        return int(text)

    def clean_taken(self) -> date | None:
        """The day, where it was said."""
        text: str = self.cleaned_data["taken"]
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.max
        if not _FIRST_PHOTOGRAPH <= day <= self.today:
            raise forms.ValidationError(
                gettext(
                    "日付を確かめてください。2026-11-03のように、今日までの日を書いてください。"
                )
            )
        return day

    def clean_credit(self) -> str:
        """The name that stands beside it."""
        text = " ".join(str(self.cleaned_data["credit"]).split())
        if len(text) > LONGEST_NAME:
            raise forms.ValidationError(gettext("名前は、60文字までにしてください。"))
        return text

    def clean_email(self) -> str:
        """Where they are told, empty: nowhere."""
        return super().clean_email() if self.cleaned_data["email"] else ""

    def clean_licence(self) -> Licence:
        """Who may use it."""
        try:
            return Licence(self.cleaned_data["licence"])
        except ValueError:
            raise forms.ValidationError(gettext("だれが使えるかを、選んでください。")) from None

    def clean_made(self) -> bool:
        """That it is their own."""
        if not self.cleaned_data["made"]:
            raise forms.ValidationError(
                gettext("自分で撮った写真だけを、送れます。そうなら、チェックを入れてください。")
            )
        return True

    def clean_agreed(self) -> bool:
        """That whoever can be recognised agrees."""
        if not self.cleaned_data["agreed"]:
            raise forms.ValidationError(
                gettext("写っている人のことを確かめて、チェックを入れてください。")
            )
        return True

    @property
    def shots(self) -> list[Shot]:
        """The photographs, once it is valid."""
        found: list[Shot] = self.cleaned_data["photographs"]
        return found

    def sent(self, language: str) -> Sent:
        """What was said of them in a language, once it is valid."""
        said = self.cleaned_data
        names = ("alt", "spot", "taken", "credit", "email", "licence")
        return Sent(language=language, **{name: said[name] for name in names})


class ReportForm(forms.Form):
    """What is wrong with a photograph."""

    text = forms.CharField(required=False)

    def clean_text(self) -> str:
        """In words."""
        text: str = self.cleaned_data["text"].strip()
        if not text:
            raise forms.ValidationError(gettext("どんなことかを、書いてください。"))
        if len(text) > LONGEST_REPORT:
            raise forms.ValidationError(gettext("1000文字までにしてください。"))
        return text


class NumberForm(forms.Form):
    """Which photograph a button is about."""

    number = forms.IntegerField(min_value=1, max_value=2**62)
