"""A published page as what it says first, and a poster as PDF."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import noto_cjk_sans_jp_regular
import segno
import typst
from lxml import etree
from lxml import html as markup

from policity.foundations.sharing.rules import cut, width

_POSTER = Path(__file__).parent / "templates" / "sharing" / "poster.typ"
_FONTS = str(Path(noto_cjk_sans_jp_regular.__file__).parent)
# Wide characters: five lines of the smallest title, four of the lead.
LONGEST_TITLE, LONGEST_LEAD = 75, 96
# Points, by how many wide characters a title has at most.
_SIZES = ((20, 44), (40, 36), (LONGEST_TITLE + 1, 29))


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says first: its heading, and its lead, which may be empty."""

    title: str
    lead: str


@dataclass(frozen=True, slots=True)
class Poster:
    """What stands on a poster. `language` is BCP 47; `how` says what to do with code and address.

    `url` is what the code holds, `words` what people type.
    """

    city: str
    title: str
    lead: str
    url: str
    words: str
    how: str
    language: str


def said(body: bytes) -> Said:
    """Heading and lead of a published page, without readings."""
    page = markup.document_fromstring(body.decode())
    main = next(page.iter("main"), page)
    title = _words(next(main.iter("h1"), None)) or _words(next(page.iter("title"), None))
    named = (meta for meta in page.iter("meta") if meta.get("name") == "description")
    lead = " ".join(next((str(meta.get("content", "")) for meta in named), "").split())
    if not lead:
        lead = next((words for one in main.iter("p") if (words := _words(one))), "")
    return Said(title, lead)


def _words(part: etree._Element | None) -> str:
    if part is None:
        return ""
    inner: Any = part.xpath(".//text()[not(ancestor::rt or ancestor::rp or ancestor::script)]")
    found: list[str] = inner
    return " ".join("".join(found).split())


def pdf(poster: Poster) -> bytes:
    """The poster: one page of A4, tagged, with its font inside. What is too long is cut."""
    title = cut(poster.title, LONGEST_TITLE)
    lang, _, region = poster.language.partition("-")
    drawn = io.BytesIO()
    # A quarter of it may be dirty or torn.
    segno.make(poster.url, error="q").save(drawn, kind="svg", border=0, dark="#17211d")
    told = {
        "city": poster.city,
        "title": title,
        "size": next(size for most, size in _SIZES if width(title) <= most),
        "lead": cut(poster.lead, LONGEST_LEAD),
        "how": poster.how,
        "words": poster.words,
        # In one line, where it can be: 102 mm are 289 points.
        "words_size": max(11, min(20, 289 / max(1, 0.6 * len(poster.words)))),
        "url": poster.url,
        "code": drawn.getvalue().decode(),
        "lang": lang,
        "region": {"Hans": "CN"}.get(region),
    }
    made: bytes = typst.compile(  # type: ignore[misc]  # its stub leaves its input open
        _POSTER.read_bytes(),
        sys_inputs={"poster": json.dumps(told)},
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
    )
    return made
