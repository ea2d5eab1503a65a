"""A page of an older site as what a page here is made of: its title, its body, and its faults.

Only words, headings, lists, tables, pictures and links come over. Styles, scripts, forms and frames
stay behind, and are named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any, Protocol
from urllib.parse import unquote, urljoin, urlsplit

from cssselect import SelectorError
from lxml import etree
from lxml import html as markup
from lxml.cssselect import CSSSelector

from policity.public_site.formats.saved import text_of
from policity.public_site.rules import older as rules
from policity.public_site.rules.older import Fault, Need

# Where templates of municipal sites hold what a page says, the surest first.
USUAL = (
    "#tmp_contents", "main", "[role=main]", "article", "#main_contents", "#contents", "#content",
    "#main",
)  # fmt: skip
AROUND = "nav, header, footer, aside, [role=navigation], [role=banner], [role=contentinfo]"
LONGEST_HEADING = 80
LONGEST_ALT = 200
# A picture this many times as wide as high, or with so long a text, is mostly words.
_BANNER = 60
_LEFT = {
    "iframe": "枠（地図・動画）", "form": "フォーム", "object": "埋め込み", "embed": "埋め込み",
    "video": "動画", "audio": "音声", "canvas": "描画", "script": "スクリプト", "map": "画像の地図",
    "input": "フォーム", "select": "フォーム", "button": "フォーム", "textarea": "フォーム",
}  # fmt: skip
_SILENT = {"style", "noscript", "template", "head", "link", "meta", "hr", "col", "colgroup"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = {
    "p", "div", "section", "article", "main", "center", "blockquote", "address", "figure", "body",
    "figcaption", "details", "summary", "td", "th", "tr", "tbody", "thead", "dl", "dt", "dd", "li",
    "pre", "aside", "header", "footer", "nav",
}  # fmt: skip


class BadPage(ValueError):  # noqa: N818  # the thing refused
    """Not a page that can be read. The message is for staff."""


class BadSelector(ValueError):  # noqa: N818  # the thing refused
    """Not a CSS selector."""


class Ends(Protocol):
    """What addresses of the older site are here."""

    def link(self, address: str) -> str | None:
        """What a link says of its end ('linktype="page" id="3"'); None: it leads nowhere."""

    def picture(self, address: str, *, alt: str) -> int | None:
        """The number of a picture; None where it cannot be shown."""


@dataclass(frozen=True, slots=True)
class Template:
    """Where an older site's pages hold what they say: CSS selectors. `main` empty: the usual."""

    main: str = ""
    drop: tuple[str, ...] = ()


@dataclass(slots=True)
class Older:
    """A page that was read."""

    title: str
    body: list[dict[str, Any]]
    day: date | None
    office: str
    phone: str
    faults: list[Fault] = field(default_factory=list)


def selector(css: str) -> Callable[[Any], list[Any]]:
    """A selector, compiled. Raises BadSelector."""
    try:
        found: Any = CSSSelector(css, translator="html")
    except (SelectorError, etree.XPathError) as error:
        raise BadSelector(f"CSS セレクタではありません: {css}。") from error
    return found  # type: ignore[no-any-return]


def read(data: bytes, *, address: str, host: str, template: Template, ends: Ends) -> Older:
    """Read a page that lay at an address of a host. Raises BadPage."""
    try:
        parser = markup.HTMLParser(encoding="utf-8", remove_comments=True, no_network=True)
        root = markup.document_fromstring(text_of(data).encode(), parser=parser)
    except (etree.ParserError, ValueError) as error:
        raise BadPage("空か、ページとして読めません。") from error
    base = f"https://{host or 'older.invalid'}{address}"
    maker = _Maker(base, ends)
    whole = _words(root)
    main = _main(root, template, maker.faults)
    title = _title(root, main, maker)
    maker.take(main)
    body = maker.done()
    office, phone = rules.office(whole)
    found = Older(title, body, rules.updated(whole), office, phone, maker.faults)
    _judge(found, maker, _words(main))
    return found


def _main(root: Any, template: Template, faults: list[Fault]) -> Any:
    """The part that holds what the page says, without what is around it."""
    found: Any = None
    if template.main:
        found = next(iter(selector(template.main)(root)), None)
    else:
        found = next((hit[0] for css in USUAL if (hit := selector(css)(root))), None)
    if found is None:
        found = next(root.iter("body"), root)
        faults.append(Fault(Need.UNSURE))
    for css in (*template.drop, AROUND):
        for part in selector(css)(found):
            if part is not found and part.getparent() is not None:
                part.drop_tree()
    return found


def _title(root: Any, main: Any, maker: "_Maker") -> str:
    """Its first heading, else what its window is called."""
    heading = next(iter([*main.iter("h1"), *root.iter("h1")]), None)
    title = _words(heading) if heading is not None else ""
    if not title:
        named = next(root.iter("title"), None)
        title = _words(named) if named is not None else ""
        title = title.split("｜")[0].split(" | ")[0].split(" - ")[0].strip()
    if heading is not None and _words(heading) == title:
        maker.skip = heading
    if not title:
        maker.faults.append(Fault(Need.NO_TITLE))
        return ""
    if len(title) > rules.LONGEST_TITLE:
        maker.faults.append(Fault(Need.LONG_TITLE, title[:40]))
    return title[: rules.LONGEST_TITLE]


def _judge(found: Older, maker: "_Maker", text: str) -> None:
    faults = found.faults
    if rules.skipped([1, *maker.levels]):
        faults.append(Fault(Need.SKIPPED))
    if signs := rules.platform_signs(found.title + text):
        faults.append(Fault(Need.SIGNS, signs[:40]))
    if len(text) > rules.LONGEST_PAGE:
        faults.append(Fault(Need.LONG, f"{len(text):,}字"))
    if found.day is None:
        faults.append(Fault(Need.NO_DATE))
    if maker.files and len(text) - maker.files_words < 80:
        faults.append(Fault(Need.FILES_ONLY))


class _Maker:
    """Goes through a page from its beginning to its end and writes down blocks."""

    def __init__(self, base: str, ends: Ends) -> None:
        self._base, self._ends = base, ends
        self.faults: list[Fault] = []
        self.levels: list[int] = []
        self.files = self.files_words = 0
        self.skip: Any = None
        self._blocks: list[dict[str, Any]] = []
        self._prose: list[str] = []
        self._line: list[str] = []
        self._pictures: list[dict[str, Any]] = []

    def take(self, part: Any) -> None:
        """All that is in a part."""
        self._say(part.text)
        for child in part:
            self._one(child)
            self._say(child.tail)

    def done(self) -> list[dict[str, Any]]:
        """The blocks."""
        self._end_text()
        return self._blocks

    def _one(self, part: Any) -> None:
        tag = part.tag
        if not isinstance(tag, str) or tag in _SILENT or part is self.skip:
            return
        if tag in _LEFT:
            self._leave(part)
        elif tag in _HEADINGS:
            self._heading(part, _HEADINGS[tag])
        elif tag in ("ul", "ol") and not _holds(part, {"table", *_HEADINGS}):
            self._list(part)
        elif tag == "table":
            self._table(part)
        elif tag in ("img", "br", "a", "b", "strong"):
            self._line.append(self._inline_one(part))
        elif tag in _BLOCKS or tag in ("ul", "ol"):
            self._end_line()
            self.take(part)
            self._end_line()
        else:
            self.take(part)

    def _leave(self, part: Any) -> None:
        self.faults.append(Fault(Need.LEFT_OUT, _LEFT[part.tag]))
        if part.tag == "form":
            # Old pages hold all they say in one form.
            self.take(part)

    def _heading(self, part: Any, level: int) -> None:
        words = self._words_of(part)
        if words:
            self._end_text()
            self.levels.append(level)
            self._blocks.append({"type": "heading", "value": words[:LONGEST_HEADING]})
            if len(words) > LONGEST_HEADING:
                self._prose.append(f"<p>{escape(words)}</p>")

    def _list(self, part: Any) -> None:
        self._end_line()
        items = [self._inline(item) for item in part if item.tag == "li"]
        if inside := "".join(f"<li>{item}</li>" for item in items if item.strip()):
            self._prose.append(f"<{part.tag}>{inside}</{part.tag}>")
        self._end_pictures()

    def _table(self, part: Any) -> None:
        rows, merged = _grid(part)
        is_layout = part.get("role") in ("presentation", "none") or _holds(part, {"table"})
        if is_layout or not rows or max(map(len, rows)) < 2:
            self._end_line()
            self.take(part)
            self._end_line()
            return
        self._end_text()
        caption = next(part.iter("caption"), None)
        named = f"{_words(caption) if caption is not None else ''}" or _words(rows[0][0])[:20]
        if merged:
            self.faults.append(Fault(Need.MERGED, named))
        if _holds(part, {"a", "img"}):
            self.faults.append(Fault(Need.LINKS_IN_TABLE, named))
        heads = [_words(cell) for cell in rows[0]] if _is_head(rows[0]) else []
        if not heads:
            self.faults.append(Fault(Need.NO_HEADS, named))
        width = max(map(len, rows))
        columns = [{"type": "text", "heading": one} for one in _wide(heads, width)]
        cells = [{"values": _wide([_words(cell) for cell in row], width)}
                 for row in (rows[1:] if heads else rows)]  # fmt: skip
        value = {"columns": columns, "rows": cells,
                 "caption": _words(caption) if caption is not None else ""}  # fmt: skip
        self._blocks.append({"type": "table", "value": value})

    def _inline(self, part: Any) -> str:
        """What is inside a part, on one line."""
        said = [escape(part.text or "")]
        for child in part:
            said.append(self._inline_one(child))
            said.append(escape(child.tail or ""))
        return "".join(said)

    def _inline_one(self, part: Any) -> str:
        tag = part.tag
        if not isinstance(tag, str) or tag in _SILENT:
            return ""
        if tag in _LEFT:
            self.faults.append(Fault(Need.LEFT_OUT, _LEFT[tag]))
            return ""
        if tag == "br":
            return "<br/>"
        if tag == "img":
            self._picture(part)
            return ""
        inside = self._inline(part)
        if tag == "a":
            return self._link(part, inside)
        if tag in ("b", "strong"):
            return f"<b>{inside}</b>" if inside.strip() else inside
        # A list in a list, a paragraph in an item: a line of its own.
        return f" {inside} " if tag in _BLOCKS or tag in ("ul", "ol") else inside

    def _link(self, part: Any, inside: str) -> str:
        href, words = (part.get("href") or "").strip(), _words(part)
        if not href or href.startswith(("#", "javascript:")) or not words:
            return inside
        if href.startswith(("mailto:", "tel:")):
            return f'<a href="{escape(href)}">{inside}</a>'
        address = self._address(href)
        said = self._ends.link(address) if address else None
        if said is None:
            own = href.startswith(("http://", "https://", "//"))
            self.faults.append(Fault(Need.OLD_LINK if own else Need.DEAD_LINK, words[:60]))
            return inside
        if rules.is_vague(words):
            self.faults.append(Fault(Need.VAGUE_LINK, words[:60]))
        if "document" in said:
            self.files, self.files_words = self.files + 1, self.files_words + len(words)
        return f"<a {said}>{inside}</a>"

    def _picture(self, part: Any) -> None:
        alt, address = _squeezed(part.get("alt") or ""), self._address(part.get("src") or "")
        if not address or (not alt and _size(part) and max(_size(part)) < _BANNER):
            # A dot or a line, which shows nothing.
            return
        number = self._ends.picture(address, alt=alt)
        if number is None:
            self.faults.append(Fault(Need.FILE_REFUSED, address[-100:]))
            return
        if not alt:
            self.faults.append(Fault(Need.NO_ALT, address[-100:]))
        wide = _size(part)
        if len(alt) > 80 or (wide and wide[1] and wide[0] > 4 * wide[1]):
            self.faults.append(Fault(Need.TEXT_IN_PICTURE, address[-100:]))
        value = {"image": number, "alt": alt[:LONGEST_ALT], "caption": ""}
        self._pictures.append({"type": "picture", "value": value})

    def _address(self, href: str) -> str:
        """Where a link leads: a path of the older site's, or another site's address; else empty."""
        try:
            whole = urlsplit(urljoin(self._base, href.strip()))
        except ValueError:
            return ""
        if whole.scheme not in ("http", "https"):
            return ""
        if whole.netloc != urlsplit(self._base).netloc:
            return whole.geturl()
        return (unquote(whole.path) or "/") + (f"?{whole.query}" if whole.query else "")

    def _words_of(self, part: Any) -> str:
        """Words of a heading; its pictures are shown after it."""
        for image in part.iter("img"):
            self._picture(image)
        return _words(part)

    def _say(self, text: str | None) -> None:
        if text:
            self._line.append(escape(text))

    def _end_line(self) -> None:
        line = _squeezed("".join(self._line))
        self._line.clear()
        while line.startswith("<br/>") or line.endswith("<br/>"):
            line = line.removeprefix("<br/>").removesuffix("<br/>").strip()
        if line:
            self._prose.append(f"<p>{line}</p>")
        self._end_pictures()

    def _end_pictures(self) -> None:
        if self._pictures:
            waiting, self._pictures = self._pictures, []
            self._end_prose()
            self._blocks += waiting

    def _end_prose(self) -> None:
        if self._prose:
            self._blocks.append({"type": "text", "value": "".join(self._prose)})
            self._prose.clear()

    def _end_text(self) -> None:
        self._end_line()
        self._end_prose()


def _words(part: Any) -> str:
    """The words of a part as one line; scripts are none."""

    def said(one: Any) -> Iterator[str]:
        if isinstance(one.tag, str) and one.tag not in ("script", "style", "noscript"):
            yield one.text or ""
            for child in one:
                yield from said(child)
                yield child.tail or ""
            if one.tag in _BLOCKS or one.tag in _HEADINGS or one.tag == "br":
                yield " "

    return _squeezed("".join(said(part)))


def _squeezed(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _holds(part: Any, tags: set[str]) -> bool:
    return any(one is not part for one in part.iter(*tags))


def _is_head(row: Sequence[Any]) -> bool:
    """Does a row hold the headings of its columns? Its first cell may be empty."""
    return all(cell.tag == "th" for cell in row[1:]) and (row[0].tag == "th" or not _words(row[0]))


def _grid(table: Any) -> tuple[list[list[Any]], bool]:
    """A table's cells, one that spans several once in each of them; and whether one does."""
    rows: list[list[Any]] = []
    hanging: dict[int, tuple[int, Any]] = {}
    merged = False
    for row in table.iter("tr"):
        cells: list[Any] = []
        queue = [one for one in row if one.tag in ("td", "th")]
        while queue or len(cells) in hanging:
            if left := hanging.get(len(cells)):
                hanging[len(cells)] = (left[0] - 1, left[1])
                if left[0] == 1:
                    del hanging[len(cells)]
                cells.append(left[1])
                continue
            cell = queue.pop(0)
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            merged = merged or across > 1 or down > 1
            for _ in range(across):
                if down > 1:
                    hanging[len(cells)] = (down - 1, cell)
                cells.append(cell)
        if cells:
            rows.append(cells)
    return rows, merged


def _span(cell: Any, name: str) -> int:
    """How many it spans; nobody's table has a thousand columns."""
    said = cell.get(name) or ""
    return min(max(int(said), 1), 50) if said.isdecimal() and len(said) < 5 else 1


def _size(part: Any) -> tuple[int, int] | tuple[()]:
    wide, high = part.get("width") or "", part.get("height") or ""
    both = wide.isdecimal() and high.isdecimal() and len(wide + high) < 12
    return (int(wide), int(high)) if both else ()


def _wide(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]
