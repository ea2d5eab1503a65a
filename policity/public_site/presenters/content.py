"""Pages of the tree as they are read, many at once and in any language."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_noop

from policity.design.templatetags.policity import said as marked
from policity.fields.charm import presenters as charm
from policity.fields.charm import queries as charm_queries
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.queries import CityView
from policity.foundations.publishing.formats import document
from policity.foundations.publishing.formats import page as render
from policity.foundations.publishing.services import pictures
from policity.foundations.publishing.services.pictures import Picture
from policity.kit import ruby
from policity.kit.declare import Document
from policity.kit.furigana import furigana
from policity.kit.languages import BY_CODE, LANGUAGES, Language
from policity.public_site import queries, rules
from policity.public_site.formats import Mentioned, prose
from policity.public_site.models import STEP, TranslationPage, TreePage
from policity.public_site.queries import Block, Contact, File, PageView, Said, Title
from policity.public_site.rules import GATHERS, Kind, Listing

JA = LANGUAGES[0]
NEWS_ON_HOME = 5
# What a search may be narrowed by.
KIND_NAMES = {
    Kind.ARTICLE: gettext_noop("案内"),
    Kind.NEWS: gettext_noop("お知らせ"),
    Kind.GUIDE: gettext_noop("手続き"),
    Kind.FAQ: gettext_noop("よくある質問"),
}


@dataclass(frozen=True, slots=True)
class Read:
    """All that a number of pages are made from, read once for all of them."""

    city: CityView
    pages: Mapping[str, PageView]
    trails: Mapping[str, Title]
    contacts: Mapping[str, Contact]
    titles: Mapping[int, Title]
    pictures: Mapping[int, Picture]
    files: Mapping[int, File]
    children: Mapping[str, Sequence[Title]]
    gathered: Mapping[Listing, Sequence[Title]]
    readings: Mapping[str, str]
    charm: charm_queries.All | None
    charm_pictures: Mapping[int, Picture]
    month: int


def read(rests: Collection[str]) -> Read:
    """What the pages at these addresses (without a language) need, however many they are."""
    return around(queries.pages(rests))


def around(pages: Mapping[str, PageView]) -> Read:
    """What these pages need beside themselves."""
    found = Mentioned()
    for page in pages.values():
        found |= page.mentioned()
    listing = {page.lists for page in pages.values() if page.lists}
    paths = [page.path for page in pages.values()]
    contacts = queries.contacts(paths)
    named = found.pages | {contact.page for contact in contacts.values()}
    shown = charm_queries.shown() if charm_queries.ROOT in pages else None
    return Read(
        city=places_queries.city(),
        pages=pages,
        trails=queries.trails(paths),
        contacts=contacts,
        titles=queries.titles(named),
        pictures=pictures.ready(found.pictures),
        files=queries.files() if Listing.FILES in listing else queries.files(found.files),
        children=queries.children([p.path for p in pages.values() if p.lists is Listing.CHILDREN]),
        gathered={one: queries.gathered(one) for one in sorted(listing & GATHERS.keys())},
        readings=queries.readings(),
        charm=shown,
        charm_pictures=charm_queries.made(shown) if shown else {},
        month=timezone.localdate().month,
    )


def keys(read: Read, page: PageView) -> frozenset[str]:
    """What makes a page stale, in whichever language it is read."""
    found = page.mentioned()
    trail = [one.id for one in _trail(read, page)]
    listed = [one.id for one in _listed(read, page)]
    made = {rules.page_key(number) for number in (page.id, *trail, *listed, *found.pages)}
    made |= {rules.picture_key(number) for number in found.pictures}
    made |= {rules.file_key(number) for number in found.files}
    if (contact := _contact(read, page)) is not None:
        made.add(rules.page_key(contact.page))
    if page.lists is Listing.CHILDREN:
        made.add(rules.children_key(page.id))
    elif page.lists is Listing.FILES:
        made.add(rules.FILES)
    elif page.lists:
        made.add(rules.kind_key(GATHERS[page.lists]))
    if page.rest == charm_queries.ROOT:
        made.add(charm_queries.SHOWN)
    return frozenset(made | {rules.READINGS})


class Writer:
    """Puts into a language's markup what editors wrote in it.

    `picture` gives a size's address: published, or the one that staff see before it is.
    """

    def __init__(
        self,
        read: Read,
        language: Language,
        *,
        picture: Callable[[pictures.Size], str] = lambda size: size.address,
    ) -> None:
        self._read, self._language, self._at = read, language, picture

    def plain(self, text: str, code: str = "") -> str:
        """A text for `said` and `plainly`: with readings where the language has them."""
        easy = self._language.code == "ja-easy" and code in ("", "ja", "ja-easy")
        if not easy:
            return ruby.foreign(text).replace("¦", "")
        try:
            return furigana(text, self._read.readings)
        except ValueError:
            # An editor is in the middle of writing {…|…}: it is shown as it stands.
            return ruby.foreign(text)

    def words(self, text: str) -> SafeString:
        """Plain text as markup, its lines apart."""
        lines = [marked(self.plain(line)) for line in text.strip().splitlines()]
        return mark_safe("<br>".join(lines))  # noqa: S308  # `said` escapes

    def prose(self, text: str) -> SafeString:
        """Rich text as markup."""
        easy = self._language.code == "ja-easy"
        said = self._spaced if easy else escape
        return mark_safe(prose(text, address=self._address, said=said))  # noqa: S308  # escapes

    def _spaced(self, text: str) -> str:
        """`said` joins words by one space each: those at the ends stay."""
        return marked(self.plain(text)) if text else ""

    def _address(self, kind: str, number: int) -> str | None:
        if kind == "page":
            title = self._read.titles.get(number)
            return self.link(title.rest) if title else None
        file = self._read.files.get(number)
        return file_address(file) if file else None

    def link(self, rest: str) -> str:
        """A page's address in this language."""
        return self._language.prefix + rest

    def title(self, one: Title | PageView) -> dict[str, Any]:
        """What a page is called here: in this language, else in Japanese, marked as that."""
        titles = one.titles if isinstance(one, Title) else {
            code: said.title for code, said in one.said.items()
        }  # fmt: skip
        leads = one.leads if isinstance(one, Title) else {}
        code = self._language.code if self._language.code in titles else JA.code
        return {
            "title": self.plain(titles[code], code),
            "lead": self.plain(leads.get(code, ""), code),
            "foreign": "" if code == self._language.code else BY_CODE[code].html,
            "href": self.link(one.rest),
        }

    def block(self, block: Block) -> dict[str, Any] | None:
        """A block with all that its template says; None where nothing of it is left."""
        shown = getattr(self, f"_{block['type']}")(block["value"])
        if shown is None:
            return None
        return {"template": f"public_site/blocks/{block['type']}.html", "block": shown}

    def _heading(self, value: str) -> Any:
        return self.plain(value)

    def _text(self, value: str) -> Any:
        return self.prose(value)

    def _picture(self, value: Mapping[str, Any]) -> Any:
        found = self._read.pictures.get(value["image"])
        if found is None:
            return None
        return {
            **pictures.in_markup(found, at=self._at),
            "alt": ruby.plain(self.plain(value["alt"])),
            "caption": self.words(value.get("caption") or ""),
        }

    def _table(self, value: Mapping[str, Any]) -> Any:
        columns = [self.words(column["heading"] or "") for column in value["columns"]]
        rows = [[self.words(cell or "") for cell in row["values"]] for row in value["rows"]]
        caption = self.words(value.get("caption") or "") or gettext("表")
        return {"caption": caption, "columns": columns, "rows": rows} if rows else None

    def _steps(self, value: Sequence[Any]) -> Any:
        return [
            {"title": self.plain(one["title"]), "text": self.prose(one.get("text") or "")}
            for one in _items(value)
        ]

    def _callout(self, value: Mapping[str, Any]) -> Any:
        return {"title": self.plain(value["title"]), "text": self.words(value["text"])}

    def _links(self, value: Mapping[str, Any]) -> Any:
        entries = [entry for one in _items(value["links"]) if (entry := self._entry(one))]
        return {"heading": self.plain(value["heading"]), "entries": entries} if entries else None

    def _entry(self, one: Mapping[str, Any]) -> dict[str, Any] | None:
        """What no longer leads anywhere is left out."""
        href = one.get("url") or ""
        if one.get("page"):
            href = self._address("page", one["page"]) or ""
        elif one.get("file"):
            href = self._address("document", one["file"]) or ""
        if not href:
            return None
        return {
            "title": self.plain(one["title"]),
            "text": self.plain(one.get("text") or ""),
            "href": href,
            "outside": bool(one.get("url")),
        }

    def _faq(self, value: Sequence[Any]) -> Any:
        return [
            {"question": self.plain(one["question"]), "answer": self.prose(one["answer"])}
            for one in _items(value)
        ]

    def _file(self, value: Mapping[str, Any]) -> Any:
        found = self._read.files.get(value["file"])
        return file_row(found, self.plain(value["title"])) if found else None

    def _contact(self, value: Mapping[str, Any]) -> Any:
        return {**value, "title": self.plain(value["name"])}


def _items(value: Sequence[Any]) -> list[Any]:
    """A list as it is stored: each item with a name of its own, or bare as it was long ago."""
    return [
        one["value"] if isinstance(one, Mapping) and one.get("type") == "item" else one
        for one in value
    ]


def file_address(file: File) -> str:
    """Where a file is published: it keeps its address when it is replaced."""
    return f"/files/{file.id}.{file.ending}"


def file_row(file: File, title: str) -> dict[str, Any]:
    """A file to take away, with its kind and size."""
    size = f"{file.size / 2**20:.1f} MB" if file.size >= 2**20 else f"{file.size // 1024 + 1} KB"
    return {"title": title, "href": file_address(file), "about": f"{file.ending.upper()} {size}"}


def _trail(read: Read, page: PageView) -> list[Title]:
    """The published pages above one, home first."""
    steps = range(2 * STEP, len(page.path), STEP)
    return [read.trails[page.path[:end]] for end in steps if page.path[:end] in read.trails]


def _listed(read: Read, page: PageView) -> Sequence[Title]:
    if page.lists is Listing.CHILDREN:
        return read.children.get(page.path, ())
    return read.gathered.get(page.lists, ()) if page.lists else ()


def _contact(read: Read, page: PageView) -> Contact | None:
    """The nearest that says whom to ask."""
    for end in range(len(page.path), STEP, -STEP):
        if found := read.contacts.get(page.path[:end]):
            return found
    return None


def again(read: Read, page: PageView) -> datetime | None:
    """When a page is another one by itself: what goes by the month, as the next one begins."""
    if page.rest != charm_queries.ROOT:
        return None
    first = (timezone.localdate().replace(day=1) + timedelta(days=32)).replace(day=1)
    return timezone.make_aware(datetime.combine(first, time()))


def body(read: Read, page: PageView, language: Language) -> bytes:
    """A page in one language; where nobody has translated it, a page that says so."""
    with translation.override(language.code):
        writer = Writer(read, language)
        context = _context(read, page, language, writer)
    return render("public_site/page.html", language, page.rest, context)


def documents(read: Read, page: PageView, language: Language, body: bytes) -> tuple[Document, ...]:
    """What searching finds of a page; nothing where it only says that nobody translated it."""
    said = page.said.get(language.code)
    if said is None:
        return ()
    with translation.override(language.code):
        kind = gettext(KIND_NAMES[page.kind or Kind.ARTICLE])
        writer = Writer(read, language)
        sections = [ruby.plain(writer.title(one)["title"]) for one in _trail(read, page)[1:2]]
    moment = page.published if page.kind is Kind.NEWS else said.updated
    day = timezone.localtime(moment).date() if moment else None
    return (document(body, kind=kind, section="".join(sections), day=day),)


def _context(read: Read, page: PageView, language: Language, writer: Writer) -> dict[str, Any]:
    said = page.said.get(language.code)
    return {
        "city_name": places.city_name(read.city, language.code),
        "trail": [writer.title(one) for one in _trail(read, page)[1:]],
        "page": writer.title(page),
        "kind": page.kind,
        "is_sample": page.is_sample,
        "published": page.published,
        "offered": [one for one in LANGUAGES if one.code in page.said],
        **(_said(said, writer) if said else {"untranslated": True}),
        **_below(read, page, writer),
        **_season(read, page, language),
        "contact": _whom(read, page, writer),
    }


def _said(said: Said, writer: Writer) -> dict[str, Any]:
    blocks = [shown for block in said.body if (shown := writer.block(block))]
    return {"lead": writer.plain(said.lead), "updated": said.updated, "blocks": blocks}


def _below(read: Read, page: PageView, writer: Writer) -> dict[str, Any]:
    """What a section lists."""
    if page.lists is Listing.FILES:
        rows = [file_row(file, writer.plain(file.title, "ja")) for file in read.files.values()]
        return {"files": rows}
    entries = [
        {**writer.title(one), "published": one.published if page.lists is Listing.NEWS else None}
        for one in _listed(read, page)
    ]
    return {"lists": page.lists, "entries": entries}


def _season(read: Read, page: PageView, language: Language) -> dict[str, Any]:
    """What the section of the city's charm shows besides its pages: the season's first."""
    if read.charm is None or page.rest != charm_queries.ROOT:
        return {}
    shown = charm.front(read.charm, read.charm_pictures, read.month, language.code)
    return {"charm": shown}


def _whom(read: Read, page: PageView, writer: Writer) -> dict[str, Any] | None:
    contact = _contact(read, page)
    if contact is None:
        return None
    title = read.titles.get(contact.page)
    return {
        "who": writer.title(title) if title else None,
        "phone": contact.phone,
        "email": contact.email,
        "place": writer.plain(contact.place, "ja"),
        "hours": writer.plain(contact.hours, "ja"),
    }


def home() -> dict[str, Any]:
    """What the first page of an ordinary day shows of the tree: entrances, news, sections."""
    found = read([""])
    page = found.pages.get("")
    if page is None:
        return {}
    sections = queries.children([page.path])[page.path]
    return {"read": found, "page": page, "sections": sections, "news": queries.news(NEWS_ON_HOME)}


def home_keys(read_once: Mapping[str, Any]) -> frozenset[str]:
    """What of the tree makes the first page stale."""
    found = {rules.HOME, rules.READINGS, rules.kind_key(Kind.NEWS)}
    if read_once:
        page = read_once["page"]
        listed = [*read_once["news"], *read_once["sections"]]
        found |= keys(read_once["read"], page) | {rules.children_key(page.id)}
        found |= {rules.page_key(one.id) for one in listed}
    return frozenset(found)


def home_in(read_once: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """The same in one language. Call it with the language active."""
    if not read_once:
        return {}
    found: Read = read_once["read"]
    writer = Writer(found, language)
    said = found.pages[""].said.get(language.code) or found.pages[""].said[JA.code]
    return {
        "blocks": [shown for block in said.body if (shown := writer.block(block))],
        "news": [{**writer.title(one), "published": one.published} for one in read_once["news"]],
        "sections": [writer.title(one) for one in read_once["sections"]],
    }


def leads_to(old: Sequence[queries.OldAddress]) -> dict[str, str]:
    """Old addresses that are a file here, each with where it leads in the end.

    Those that lead to themselves, in one step or in several, lead nowhere.
    """
    named = queries.titles({one.page for one in old if one.page})
    steps: dict[str, str] = {}
    for one in old:
        to = "/" + named[one.page].rest if one.page in named else one.link
        address = rules.old_address(one.path)
        if address and to:
            steps[address] = to
    ends = {}
    for begin, to in steps.items():
        passed = {begin}
        while (step := rules.old_address(to) or to) in steps and step not in passed:
            passed.add(step)
            to = steps[step]
        if step not in passed:
            ends[begin] = to
    return ends


def moved() -> list[dict[str, str]]:
    """What is said in every language where a page stood once."""
    found = []
    for language in LANGUAGES:
        with translation.override(language.code):
            moved, there = gettext("このページは移りました。"), gettext("新しい住所へ")
            found.append({"html": language.html, "moved": moved, "there": there})
    return found


def preview(page: TreePage) -> bytes:
    """A page as it is being written: it may not be published, nor even have a place yet."""
    language = BY_CODE[page.language] if isinstance(page, TranslationPage) else JA
    source = page.get_parent().specific if isinstance(page, TranslationPage) else page
    shown = queries.view(source, {})
    shown = replace(shown, said={**shown.said, language.code: queries.said(page)})
    found = around({shown.rest: shown})
    with translation.override(language.code):
        writer = Writer(found, language, picture=staff_address)
        context = _context(found, shown, language, writer)
    return render("public_site/page.html", language, shown.rest, {**context, "is_preview": True})


def staff_address(size: pictures.Size) -> str:
    """Where staff see a picture that no published page shows yet."""
    return f"{settings.MEDIA_URL}{size.file}"
