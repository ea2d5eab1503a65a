"""Reading an Atom feed: what it lists, oldest first."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from lxml import etree

_ATOM = "{http://www.w3.org/2005/Atom}"


class BadFeed(ValueError):  # noqa: N818  # the domain's word
    """The bytes are no feed that can be trusted. The message is for staff."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where its telegram lies. The same id with another `updated` is another one."""

    id: str
    link: str
    updated: datetime

    @property
    def name(self) -> str:
        """What it is remembered by, so that it is fetched once. At most 500 characters."""
        return f"{self.updated.isoformat()} {self.id}"[:500]


@dataclass(frozen=True, slots=True)
class Listing:
    """A feed as it was at one moment: its entries, oldest first.

    `until` is the moment up to which it is complete, by its own word; None where it says nothing.
    """

    entries: tuple[Entry, ...]
    until: datetime | None


def read(data: bytes, *, base: str) -> Listing:
    """What a feed lists. `base` is its address, for links that need one.

    An entry without id, link or a time with its zone is left out. Raises BadFeed where the bytes
    are not a feed, carry a doctype, or list entries of which none can be used.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadFeed("XMLとして読めません") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise BadFeed("DOCTYPEのあるものは受け取りません")
    if root.tag != f"{_ATOM}feed":
        raise BadFeed("Atomフィードではありません")
    listed = root.findall(f"{_ATOM}entry")
    found = [entry for entry in (_entry(element, base) for element in listed) if entry]
    if listed and not found:
        raise BadFeed("フィードの項目がどれも読めません")
    # Feeds list the newest first: of two at the same moment the lower one is older.
    found.reverse()
    found.sort(key=lambda entry: entry.updated)
    said = [_moment(root), found[-1].updated if found else None]
    return Listing(tuple(found), max((moment for moment in said if moment), default=None))


def _entry(element: etree._Element, base: str) -> Entry | None:
    entry_id = _text(element, "id")
    link = _link(element)
    updated = _moment(element)
    if not entry_id or not link or updated is None:
        return None
    return Entry(entry_id, link if "://" in link else urljoin(base, link), updated)


def _moment(element: etree._Element) -> datetime | None:
    try:
        updated = datetime.fromisoformat(_text(element, "updated"))
    except ValueError:
        return None
    return updated if updated.tzinfo else None


def _link(element: etree._Element) -> str:
    """The link to the telegram itself: the alternate one, XML where there are several."""
    links = [
        link
        for link in element.findall(f"{_ATOM}link")
        if link.get("rel", "alternate") == "alternate" and link.get("href")
    ]
    links.sort(key=lambda link: "xml" not in (link.get("type") or ""))
    return (links[0].get("href") or "") if links else ""


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(f"{_ATOM}{path}") or "").strip()
