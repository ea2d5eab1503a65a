"""What staff hand in to be published."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from wagtail.documents.forms import BaseDocumentForm

# Bytes. A resident takes it over a telephone.
LARGEST_FILE = 20 * 2**20


class FileForm(BaseDocumentForm):  # type: ignore[misc]
    """A file offered for download. Which kinds it may be is a setting (WAGTAILDOCS_EXTENSIONS)."""

    def clean_file(self) -> UploadedFile[Any] | None:
        """Not larger than what somebody takes over a telephone."""
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        if file is not None and (file.size or 0) > LARGEST_FILE:
            raise ValidationError(
                "ファイルが大きすぎます（20MBまで）。画像を小さくするか、分けてください。"
            )
        return file
