"""Copies in a folder: another disk, or another machine's, mounted."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Folder:
    """Names are paths within it, with slashes. What is there under its name is whole."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self, folder: str = "") -> list[str]:
        """What lies in a folder of it, ascending. Raises OSError where the disk is away."""
        if not self.root.is_dir():
            raise FileNotFoundError(self.root)
        place = self.root / folder
        if not place.is_dir():
            return []
        return sorted(path.name for path in place.iterdir() if path.suffix != ".part")

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file to write; it has its name once it is whole and on the disk."""
        if not self.root.is_dir():
            # Never made here: an empty mount point would take copies onto the disk that may fail.
            raise FileNotFoundError(self.root)
        target = self.root / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        part = target.with_name(target.name + ".part")
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)

    def reading(self, name: str) -> BinaryIO:
        """A file to read. Raises FileNotFoundError."""
        return (self.root / name).open("rb")

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return (self.root / name).stat().st_size

    def remove(self, folder: str) -> None:
        """A folder with all that is in it."""
        shutil.rmtree(self.root / folder)
