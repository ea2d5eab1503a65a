"""Which file an address is, and what its work is called."""

import re
from pathlib import PurePosixPath

from policity.kit.declare import Stage

INDEX = "index.html"
ENCODINGS = (".br", ".gz")
# Their bytes are compressed already.
PACKED = frozenset(
    {".avif", ".gif", ".ico", ".jpg", ".mp3", ".mp4", ".pdf", ".png", ".webp", ".woff2", ".zip"}
)
# A name that starts with a dot is never published: neither "..", nor hidden files, nor our own
# half-written ones.
_NAME = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,199}"
_ADDRESS = re.compile(rf"/(?:{_NAME}/)*(?:{_NAME})?")

GONE = "page:gone"
KINDS = {stage: f"page:{stage.name.lower()}" for stage in Stage}
# The family of the pictures that pages are shared with. They wait in a line of their own, and
# nobody counts them among the pages that wait.
CARDS = "cards"
WAITING = (*(kind for stage, kind in KINDS.items() if stage is not Stage.CARD), GONE)


def file_of(address: str) -> PurePosixPath:
    """The file of an address, relative to the published folder.

    "/en/alerts/12/" → en/alerts/12/index.html, "/alerts/feed.atom" → alerts/feed.atom. One file
    has one address, and no address leads out of the folder: ValueError.
    """
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"not an address we publish: {address!r}")
    path = PurePosixPath(address[1:] + INDEX if address.endswith("/") else address[1:])
    if path.suffix in ENCODINGS or (path.name == INDEX and not address.endswith("/")):
        raise ValueError(f"not an address we publish: {address!r}")
    return path


def address_of(path: PurePosixPath) -> str:
    """The address that a file of the published folder answers to, whichever encoding it is."""
    if path.suffix in ENCODINGS:
        path = path.with_suffix("")
    return "/" + (str(path)[: -len(INDEX)] if path.name == INDEX else str(path))


def encodings(address: str) -> tuple[str, ...]:
    """The suffixes under which an address is also kept compressed."""
    return () if file_of(address).suffix in PACKED else ENCODINGS


def key_of(family: str, address: str) -> str:
    """The key of a page's work item: it says who renders the address."""
    return family + address


def split_key(key: str) -> tuple[str, str]:
    """A work item's key as family and address."""
    family, slash, rest = key.partition("/")
    return family, slash + rest
