"""What editors wrote, as markup of ours: only what is named here comes through."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from lxml import etree
from lxml import html as markup

# As Wagtail keeps it; a link to a page or a file of ours is a number.
_TAGS = {"p", "b", "strong", "i", "em", "ol", "ul", "li", "br"}
_SCHEMES = ("https://", "http://", "mailto:", "tel:")
_LINK = re.compile(r"<a\b[^>]*>")
_ATTRIBUTE = re.compile(r'\b(linktype|id)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a page's blocks show or link to, by number, and other sites by address."""

    pages: set[int] = field(default_factory=set)
    pictures: set[int] = field(default_factory=set)
    files: set[int] = field(default_factory=set)
    sites: set[str] = field(default_factory=set)

    def __or__(self, other: "Mentioned") -> "Mentioned":
        return Mentioned(
            self.pages | other.pages,
            self.pictures | other.pictures,
            self.files | other.files,
            self.sites | other.sites,
        )


def mentioned(blocks: Sequence[Mapping[str, Any]]) -> Mentioned:
    """What a body, as it is stored, mentions."""
    found = Mentioned()
    for block in blocks:
        _look(block["value"], found)
    return found


def _look(value: Any, found: Mentioned) -> None:
    if isinstance(value, str):
        for link in _LINK.findall(value):
            said = dict(_ATTRIBUTE.findall(link))
            number = said.get("id", "")
            if number.isdecimal() and said.get("linktype") in ("page", "document"):
                (found.pages if said["linktype"] == "page" else found.files).add(int(number))
            elif address := re.search(r'\bhref="(https?://[^"]*)"', link):
                found.sites.add(address[1].replace("&amp;", "&"))
        return
    if isinstance(value, list | tuple):
        for one in value:
            _look(one, found)
        return
    if not isinstance(value, Mapping):
        return
    for name, part in value.items():
        numbers = {"image": found.pictures, "file": found.files, "page": found.pages}.get(name)
        if numbers is not None and isinstance(part, int):
            numbers.add(part)
        elif name == "url" and part:
            found.sites.add(str(part))
        else:
            _look(part, found)


def prose(
    text: str, *, address: Callable[[str, int], str | None], said: Callable[[str], str]
) -> str:
    """Rich text as markup. `address` of a "page" or "document" by number, None where there is none:
    then its words stay, without a link. `said` makes markup of plain text.
    """
    if not text.strip():
        return ""
    root = markup.fragment_fromstring(text, create_parent="div")
    return "".join(_inside(root, address, said))


def _inside(
    part: etree._Element, address: Callable[[str, int], str | None], said: Callable[[str], str]
) -> Iterator[str]:
    yield said(part.text or "")
    for child in part:
        yield from _element(child, address, said)
        yield said(child.tail or "")


def _element(
    part: etree._Element, address: Callable[[str, int], str | None], said: Callable[[str], str]
) -> Iterator[str]:
    if not isinstance(part.tag, str) or part.tag in ("script", "style"):
        return
    inside = "".join(_inside(part, address, said))
    if part.tag == "br":
        yield "<br>"
    elif part.tag == "a" and (href := _href(part, address)):
        yield f'<a href="{escape(href)}">{inside}</a>'
    elif part.tag == "p" and not inside.strip():
        return
    elif part.tag in _TAGS:
        yield f"<{part.tag}>{inside}</{part.tag}>"
    else:
        yield inside


def _href(part: etree._Element, address: Callable[[str, int], str | None]) -> str | None:
    kind, number = part.get("linktype") or "", part.get("id") or ""
    if kind:
        return address(kind, int(number)) if number.isdecimal() else None
    href = part.get("href") or ""
    return href if href.startswith(_SCHEMES) else None
