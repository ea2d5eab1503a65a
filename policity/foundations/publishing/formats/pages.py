"""A template and what it tells become the bytes of a page, in one language."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from lxml import etree
from lxml import html as markup

from policity.design import drills
from policity.kit import ruby
from policity.kit.declare import Document
from policity.kit.languages import LANGUAGES, Language


def page(template: str, language: Language, rest: str, context: Mapping[str, Any]) -> bytes:
    """Render a template that extends one of ours.

    `rest` is the address without its language ("alerts/"). The context holds `city_name` (with
    readings in やさしい日本語) besides what the template wants.
    """
    with translation.override(language.code):
        html = render_to_string(
            template,
            {
                **context,
                "language": language,
                "rest": rest,
                "languages": LANGUAGES,
                "public_url": settings.PUBLIC_URL.rstrip("/"),
            },
        )
    squeezed = re.sub(r"\s*\n\s*", "\n", html)
    return (drills.marked(squeezed) if settings.DRILL else squeezed).encode()


def document(
    body: bytes,
    *,
    kind: str,
    section: str = "",
    day: date | None = None,
    now: bool = False,
    listed: bool = True,
) -> Document:
    """What searching finds of a page: its heading and its words, as a reader sees them.

    Navigation, what is for programs, and what stands on every page (data-nosnippet, which search
    engines know, too) are left out. What has a reading keeps it, as markup.
    """
    html = body.decode()
    shown = html[html.index("<main") : html.rindex("</main>")]
    # libxml2 knows no ruby, and is slow where it knows nothing.
    for sign, tags in zip(_SIGNS, ruby.RUBY, strict=True):
        shown = shown.replace(sign, "").replace(tags, sign)
    main = next(markup.document_fromstring(shown).iter("main"))
    idle = cast(list[markup.HtmlElement], main.xpath(_IDLE))
    for one in idle:
        one.drop_tree()
    for block in main.iter(*_BLOCKS):
        block.tail = f" {block.tail or ''}"
    title = ""
    if (heading := next(main.iter("h1"), None)) is not None:
        title = _words(heading)
        cast(markup.HtmlElement, heading).drop_tree()
    return Document(
        title=title,
        text=_words(main),
        kind=kind,
        section=section,
        day=day,
        now=now,
        listed=listed,
    )


_IDLE = ".//script | .//style | .//nav | .//svg | .//*[@data-nosnippet]"
_BLOCKS = ("p", "li", "h2", "h3", "dt", "dd", "div", "td", "th", "br", "a", "section")
# A reading's marks on their way through the parser: no text holds them (Unicode: noncharacters).
_SIGNS = "\ufdd0\ufdd1\ufdd2"
_MARKUP = str.maketrans(_SIGNS, "{|}")


def _words(part: etree._Element) -> str:
    """The words of a part of a page, a space where one block ends and another begins."""
    return " ".join(ruby.foreign(str(part.xpath("string()"))).translate(_MARKUP).split())
