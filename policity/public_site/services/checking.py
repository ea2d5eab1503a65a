"""What some of a page's readers cannot use, as far as a machine sees it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import html as markup
from wagtail.models import Page

from policity.public_site.formats import mentioned
from policity.public_site.rules import older as rules
from policity.public_site.rules.older import Fault, Need

Block = Mapping[str, Any]


def faults(blocks: Sequence[Block]) -> list[Fault]:
    """The faults of a body as it is stored. One query."""
    found = [fault for block in blocks for fault in _of(block)]
    words = [one for block in blocks for one in _strings(block["value"])]
    text = "".join(words)
    if signs := rules.platform_signs(text):
        found.append(Fault(Need.SIGNS, signs[:40]))
    if len(text) > rules.LONGEST_PAGE:
        found.append(Fault(Need.LONG, f"{len(text):,}字"))
    named = mentioned(blocks)
    missing = len(named.pages) - Page.objects.filter(pk__in=named.pages).count()
    if missing:
        found.append(Fault(Need.DEAD_LINK, f"{missing}か所"))
    if (named.files or any(block["type"] == "file" for block in blocks)) and len(text) < 80:
        found.append(Fault(Need.FILES_ONLY))
    return list(dict.fromkeys(found))


def _of(block: Block) -> Iterator[Fault]:
    value = block["value"]
    if block["type"] == "picture" and not (value.get("alt") or "").strip():
        yield Fault(Need.NO_ALT)
    if block["type"] == "table" and not any(one.get("heading") for one in value["columns"]):
        yield Fault(Need.NO_HEADS)
    for text in _rich(value):
        for link in markup.fragment_fromstring(text, create_parent="div").iter("a"):
            if rules.is_vague(words := link.text_content()):
                yield Fault(Need.VAGUE_LINK, words[:60])


def _rich(value: Any) -> Iterator[str]:
    if isinstance(value, str) and "<a" in value:
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _rich(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _rich(part)


def _strings(value: Any) -> Iterator[str]:
    """Words as a reader sees them, near enough to be counted."""
    if isinstance(value, str):
        rich = "<" in value and value.strip()
        yield (markup.fragment_fromstring(value, create_parent="div").text_content() if rich
               else value)  # fmt: skip
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name not in ("type", "id", "url", "email"):
                yield from _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)
