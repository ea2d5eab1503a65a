"""Photographs as files in the media folder: nobody but staff gets one from there."""

import io
import uuid
from contextlib import suppress
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from policity.fields.charm.formats.photographs import ENDINGS, Shot, check, in_sizes, readable
from policity.fields.charm.models import Photograph
from policity.fields.charm.rules.photographs import FOLDER, name, size_name, sizes
from policity.foundations.publishing.formats import without_notes

LONGEST_SIDE = 1920
# Nobody is still writing down what lies there without a row for so long.
LEFT_OVER_AFTER = timedelta(days=1)


def read(data: bytes, *, largest: int) -> Shot:
    """A stranger's file as a photograph: its pixels, upright, and nothing else of it.

    What lies beside them (where, when and with whose camera) is gone before anything is written.
    Raises BadPhotograph.
    """
    check(data, largest=largest)
    with readable(data):
        body, _ = without_notes(data, longest=LONGEST_SIDE, holes=False)
        with Image.open(io.BytesIO(body)) as made:
            return Shot(body, made.width, made.height)


def keep(body: bytes) -> str:
    """Keep a photograph, and give the name of its file."""
    file = uuid.uuid4().hex
    default_storage.save(name(file), ContentFile(body))
    return file


def make_sizes(file: str, width: int, height: int) -> None:
    """Make what pages show, before one is due. Raises FileNotFoundError."""
    with default_storage.open(name(file)) as opened:
        body = opened.read()
    for across, ending, made in in_sizes(body, sizes(width, height)):
        target = size_name(file, across, ending)
        if not default_storage.exists(target):
            default_storage.save(target, ContentFile(made))


def remove_sizes(file: str, width: int, height: int) -> None:
    """Delete what pages showed."""
    for across, _ in sizes(width, height):
        for ending in ENDINGS:
            default_storage.delete(size_name(file, across, ending))


def remove(file: str, width: int, height: int) -> None:
    """Delete a photograph in every size."""
    remove_sizes(file, width, height)
    default_storage.delete(name(file))


def left_over(*, now: datetime) -> list[str]:
    """Files that no row names: their writer died, or could not delete them."""
    if not default_storage.exists(FOLDER):
        return []
    known = set(Photograph.objects.exclude(file="").values_list("file", flat=True))
    idle = []
    for found in default_storage.listdir(FOLDER)[1]:
        if found.partition(".")[0].partition("-")[0] in known:
            continue
        # Somebody else may delete it meanwhile.
        with suppress(FileNotFoundError):
            if now - default_storage.get_modified_time(f"{FOLDER}/{found}") > LEFT_OVER_AFTER:
                idle.append(f"{FOLDER}/{found}")
    return idle
