"""What staff enter about the tree that Wagtail's own forms do not look at."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from wagtail.contrib.redirects.forms import RedirectForm
from wagtail.contrib.redirects.models import Redirect

from policity.foundations.accounts.models import User
from policity.kit.web import is_web_address
from policity.public_site import policies
from policity.public_site.formats.older import BadSelector, selector
from policity.public_site.models import HOME_PATH
from policity.public_site.queries import here, old_ends
from policity.public_site.rules import redirect_fault

# Bytes of a saved site that is sent through a browser; the fronts know it, too.
LARGEST_SITE = 200 * 2**20


class OldAddressForm(RedirectForm):  # type: ignore[misc]
    """An old address, and where it leads: at once, and never in a circle."""

    def clean(self) -> dict[str, Any]:
        """No circle and no chain."""
        super().clean()
        cleaned: dict[str, Any] = self.cleaned_data
        old, page = cleaned.get("old_path"), cleaned.get("redirect_page")
        link = here(cleaned.get("redirect_link") or "")
        to = f"/{page.url_path.removeprefix(HOME_PATH)}" if page else link
        if old and to:
            old, to = Redirect.normalise_path(old), _plain(to)
            steps = {one: _plain(end) for one, end in old_ends(without=self.instance.pk).items()}
            # Where a page stands, no redirect is asked: what leads to a page ends there.
            fault = redirect_fault(old, to, {} if page else steps)
            if fault:
                raise forms.ValidationError(fault)
        return cleaned


def _plain(address: str) -> str:
    """An address here as redirects are kept; another site's as it is."""
    return Redirect.normalise_path(address) if address.startswith("/") else address


class SectionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A page of the tree that others stand below, as deep as it stands."""

    def label_from_instance(self, page: Any) -> str:
        """What it is called."""
        return f"{'　' * (page.depth - 2)}{page.title}"


class TakeoverForm(forms.Form):
    """An older site, and where it shall come in."""

    section = SectionField(
        queryset=None, label="どのページの下に取り込みますか",
        error_messages={"required": "取り込み先のページを選んでください。",
                        "invalid_choice": "このページの下には、取り込めません。"},
    )  # fmt: skip
    address = forms.CharField(
        required=False, max_length=500, label="前のサイトのアドレス",
        help_text="公開中のサイトを、1秒に1件ずつ、5,000件まで読みます。例：https://www.example.jp/",
        error_messages={"max_length": "アドレスは、500文字までにしてください。"},
    )  # fmt: skip
    file = forms.FileField(
        required=False, label="または、保存したサイトのファイル", allow_empty_file=True,
        help_text="zip（wget --mirror などのフォルダを固めたもの）か WARC。200MBまで。",
        widget=forms.FileInput(attrs={"accept": ".zip,.warc,.warc.gz"}),
    )  # fmt: skip
    main = forms.CharField(
        required=False, max_length=200, label="本文の場所（CSS）",
        help_text="空でもかまいません。よくある場所をさがします。例：#tmp_contents",
        error_messages={"max_length": "200文字までにしてください。"},
    )  # fmt: skip
    drop = forms.CharField(
        required=False, max_length=200, label="本文から外すもの（CSS）",
        help_text="空でもかまいません。いくつかあるときは、「,」でつなぎます。例：.pankuzu, #share",
        error_messages={"max_length": "200文字までにしてください。"},
    )  # fmt: skip

    def __init__(self, *sent: Any, user: User) -> None:
        super().__init__(*sent)
        self.fields["section"].queryset = policies.sections(user)  # type: ignore[attr-defined]

    def clean_address(self) -> str:
        """An address of the web."""
        address = str(self.cleaned_data["address"])
        if address and not is_web_address(address if address.count("/") > 2 else f"{address}/"):
            raise forms.ValidationError(
                "アドレスの形が正しくありません。https:// から書いてください。"
            )
        return address

    def clean_file(self) -> "UploadedFile[Any] | None":
        """A zip or a WARC by its name; what is in it is seen when it is put down."""
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        if file is None:
            return None
        if not (file.name or "").lower().endswith((".zip", ".warc", ".warc.gz")):
            raise forms.ValidationError("zip か WARC（.warc、.warc.gz）を選んでください。")
        if (file.size or 0) > LARGEST_SITE:
            raise forms.ValidationError(
                "ファイルが大きすぎます（200MBまで）。分けるか、アドレスから取り込んでください。"
            )
        return file

    def clean_main(self) -> str:
        """A selector."""
        return self._css("main")

    def clean_drop(self) -> str:
        """A selector."""
        return self._css("drop")

    def _css(self, name: str) -> str:
        css = str(self.cleaned_data[name])
        try:
            if css:
                selector(css)
        except BadSelector as error:
            raise forms.ValidationError(str(error)) from error
        return css

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        cleaned: dict[str, Any] = super().clean() or {}
        if {"address", "file"} & set(self.errors):
            return cleaned
        if not cleaned.get("address") and not cleaned.get("file"):
            self.add_error("address", "アドレスを書くか、ファイルを選んでください。")
        elif cleaned.get("address") and cleaned.get("file"):
            self.add_error("address", "アドレスとファイルは、どちらか一つにしてください。")
        return cleaned
