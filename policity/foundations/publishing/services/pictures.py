"""Pictures in the sizes that pages show. They are made before a page is due, never while it is
rendered: an alert would wait behind them.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.files.storage import default_storage

from policity.foundations.publishing.models import CityImage

# As Wagtail names what is made of a picture. Both formats are written anew from the pixels: what a
# camera noted (place, time, owner) stays behind.
FORMATS = ("format-webp|webpquality-75", "format-jpeg|jpegquality-78")
WIDE = tuple(f"width-{width}|{form}" for width in (480, 960, 1440) for form in FORMATS)
NARROW = tuple(f"fill-720x540-c100|{form}" for form in FORMATS)


@dataclass(frozen=True, slots=True)
class Size:
    """A picture in one size and format. `file` lies in the media folder, and is not published."""

    width: int
    height: int
    ending: str
    file: str
    address: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as pages show it. `narrow` is cut to what matters in it, for telephones."""

    credit: str
    wide: tuple[Size, ...]
    narrow: tuple[Size, ...]


# Fronts let readers keep what lies below /assets/ for a year. Two rooms may show one picture, and
# each takes its own away: what another room shows lies in a folder of its own.
FOLDER = "/assets/pictures/"


def ready(numbers: Collection[int], folder: str = FOLDER) -> dict[int, Picture]:
    """These pictures, with every size made. Two queries where all were made before."""
    if not numbers:
        return {}
    found = CityImage.objects.filter(pk__in=numbers).prefetch_renditions(*WIDE, *NARROW)
    return {image.pk: _picture(image, folder) for image in found}


def _picture(image: CityImage, folder: str) -> Picture:
    focused = image.has_focal_point()
    made: dict[str, Any] = image.get_renditions(*WIDE, *(NARROW if focused else ()))
    # Where the picture is smaller than a size, that size is the picture itself, more than once.
    wide = {(made[spec].width, _ending(made[spec])): made[spec] for spec in WIDE}
    return Picture(
        image.credit,
        tuple(_size(image, one, folder) for one in wide.values()),
        tuple(_size(image, made[spec], folder) for spec in NARROW) if focused else (),
    )


def _size(image: CityImage, made: Any, folder: str) -> Size:
    ending = _ending(made)
    focus = (image.focal_point_x, image.focal_point_y, image.focal_point_width,
             image.focal_point_height)  # fmt: skip
    # Changes with the picture and with what matters in it: its readers keep it for ever.
    tag = hashlib.sha256(f"{image.file_hash} {focus}".encode()).hexdigest()[:8]
    cut = "n" if made.filter_spec in NARROW else "w"
    address = f"{folder}{image.pk}-{tag}-{cut}{made.width}.{ending}"
    return Size(made.width, made.height, ending, made.file.name, address)


def _ending(made: Any) -> str:
    ending = PurePosixPath(made.file.name).suffix.removeprefix(".")
    return "jpg" if ending == "jpeg" else ending


def in_markup(
    picture: Picture, *, at: Callable[[Size], str] = lambda size: size.address
) -> dict[str, Any]:
    """A picture as `design/picture.html` wants it: in three ways, a browser takes the smallest.

    `at` gives a size's address: published, or the one that staff see before it is.
    """

    def sizes(some: Sequence[Size]) -> str:
        return ", ".join(f"{at(size)} {size.width}w" for size in some)

    plain = [size for size in picture.wide if size.ending == "jpg"]
    default = plain[min(1, len(plain) - 1)]
    return {
        "narrow": sizes([size for size in picture.narrow if size.ending != "jpg"]),
        "wide": sizes([size for size in picture.wide if size.ending != "jpg"]),
        "plain": sizes(plain),
        "src": at(default),
        "width": default.width,
        "height": default.height,
        "cut": picture.narrow[0] if picture.narrow else None,
        "credit": picture.credit,
    }


def number_of(address: str) -> int:
    """Whose picture an address of ours is: "/assets/pictures/12-0f3c9a1b-w480.webp" → 12."""
    return int(address.rpartition("/")[2].partition("-")[0])


def content(size: Size) -> bytes:
    """The bytes of a picture in one size."""
    return stored(size.file)


def stored(name: str) -> bytes:
    """The bytes of a file as it lies in the media folder."""
    with default_storage.open(name) as file:
        return bytes(file.read())
