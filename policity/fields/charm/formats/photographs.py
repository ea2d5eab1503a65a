"""Whether a file that a stranger sent is a photograph, and a photograph in the sizes of pages."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

# As Pillow calls them.
KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")
# As Wagtail lets in of staff: more pixels than a telephone takes, and no more than unpack well.
MOST_PIXELS = 60_000_000
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class Fault(StrEnum):
    """Why a file is no photograph for us."""

    EMPTY = "empty"
    LARGE = "large"
    PIXELS = "pixels"
    HEIC = "heic"
    UNREADABLE = "unreadable"


class BadPhotograph(ValueError):  # noqa: N818  # the thing refused
    """Not a photograph that can be taken, and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Shot:
    """A photograph as it is kept: a JPEG of its pixels."""

    body: bytes
    width: int
    height: int


def check(data: bytes, *, largest: int) -> None:
    """Whether a file of at most so many bytes says that it is a photograph of a bearable size.

    Its head alone is read. Raises BadPhotograph.
    """
    if not data:
        raise BadPhotograph(Fault.EMPTY)
    if len(data) > largest:
        raise BadPhotograph(Fault.LARGE)
    with readable(data), Image.open(io.BytesIO(data), formats=KINDS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise BadPhotograph(Fault.PIXELS)


@contextmanager
def readable(data: bytes) -> Iterator[None]:
    """Whatever a decoder says of these bytes becomes BadPhotograph."""
    try:
        yield
    except BadPhotograph:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPhotograph(Fault.PIXELS) from error
    # They say in many ways that bytes are not what they expect.
    except Exception as error:
        heic = data[4:8] == b"ftyp" and data[8:12] in _HEIC
        raise BadPhotograph(Fault.HEIC if heic else Fault.UNREADABLE) from error


ENDINGS = {"webp": ("WEBP", 75), "jpg": ("JPEG", 78)}
"""The formats of each size, with Pillow's name and how faithful it is."""


def in_sizes(body: bytes, wanted: Iterable[tuple[int, int]]) -> Iterator[tuple[int, str, bytes]]:
    """A photograph in each size and format: how wide it is, the ending of its name, its bytes."""
    with Image.open(io.BytesIO(body)) as opened:
        opened.load()
        for size in wanted:
            smaller = opened.resize(size, Image.Resampling.LANCZOS)
            for ending, (kind, quality) in ENDINGS.items():
                out = io.BytesIO()
                smaller.save(out, kind, quality=quality)
                yield size[0], ending, out.getvalue()
