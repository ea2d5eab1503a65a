"""Where copies go, whatever it is: a folder, or a bucket of an S3 store."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from policity.foundations.continuity.channels.folder import Folder

# How a bucket is named where a folder could be.
S3 = "s3://"


class Store(Protocol):
    """Names are paths within it, with slashes. What is there under its name is whole.

    Everything raises OSError where it is away, is full, or does not let us; the text says which.
    """

    def names(self, folder: str = "") -> list[str]:
        """What lies in a folder of it, ascending; the newest may not be listed yet."""

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to write; it has its name once it is whole and lies there for good."""

    def reading(self, name: str) -> BinaryIO:
        """A file to read. Raises FileNotFoundError."""

    def size(self, name: str) -> int:
        """Bytes of a file. Raises FileNotFoundError."""

    def remove(self, folder: str) -> None:
        """A folder with all that is in it."""


def lies(store: Store, name: str) -> bool:
    """Whether a file is there, by its own name: a list may be late. Raises OSError."""
    try:
        store.size(name)
    except FileNotFoundError:
        return False
    return True


def chosen() -> Store:
    """The one that the city has set. Raises ValueError: none is."""
    if not settings.BACKUP:
        raise ValueError(
            "POLICITY_BACKUP（写しを置くフォルダー、または s3://バケット/場所）を設定してください"
        )
    if not settings.BACKUP.startswith(S3):
        return Folder(Path(settings.BACKUP))
    # Imported here: who copies into a folder needs none of it.
    from policity.foundations.continuity.channels.bucket import Bucket

    return Bucket(
        settings.BACKUP.removeprefix(S3),
        endpoint=settings.BACKUP_ENDPOINT,
        region=settings.BACKUP_REGION,
        key=settings.SECRET_BACKUP_KEY,
    )
