"""What a page of the tree may be called, and where it answers."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

# The first part of addresses that others own, here or one day: no page of the tree takes one.
RESERVED = frozenset(
    {
        "alerts", "api", "assets", "cards", "confirm", "courses", "data", "drills", "easy", "en",
        "errors", "events", "files", "healthz", "ko", "live", "manifest", "me", "media", "metrics",
        "offline", "places", "plan", "reading", "readyz", "register", "reply", "s", "search",
        "shelters", "site-map", "staff", "status", "well-known", "zh-hans",
    }
)  # fmt: skip
# What another room's pages stand at below a page of the tree.
RESERVED_BELOW = {"charm/": frozenset({"calendar", "courses", "photographs", "spots"})}
# An address with its language has to fit into the table of published pages (400 characters).
LONGEST_ADDRESS = 380

# Where staff write pages with Wagtail, and what a browser may do there: its editor gives styles
# to what it draws, and shows a page within a page. Fronts say it; scripts are from here alone.
EDITING = "/staff/content/"
# The scripts inside its pages are those of its date fields, by their digests.
_DATE_FIELDS = (
    "'sha256-m4uPA0BXY9e4Z6OCwcQ+kJuQ/ZWo92uF+NJ3+AuBK9E=' "
    "'sha256-nHgif9ReVJs/+8S6ATNkSSYz90fp7CH1MDB8mZYYC6w=' "
    "'sha256-HQkUA3CrW7THVSK+KsbhFrmoxUyQn/mi7ySlhqJvYAg=' "
    "'sha256-KJ6/+Q9spnRDurNG8WYlZ08xqdHTF7ANqtih+yPn70M=' "
    "'sha256-o1xYiKV9PFZdjpZx2HVrEzZgAfusJnOnsa2HrhDEVcM=' "
    "'sha256-wXbN4Dbn0tQ2YUSnFdUVfLacqZW5VHuMFU1DdF3N32k='"
)
EDITING_POLICY = (
    f"default-src 'none'; script-src 'self' {_DATE_FIELDS}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)


class Kind(StrEnum):
    """What an article is to its reader; lists gather them by it."""

    ARTICLE = "article"
    NEWS = "news"
    GUIDE = "guide"
    FAQ = "faq"


class Listing(StrEnum):
    """What a section lists below its own words."""

    CHILDREN = "children"
    NEWS = "news"
    GUIDES = "guides"
    FAQ = "faq"
    FILES = "files"


# Which articles a listing gathers from the whole tree.
GATHERS = {Listing.NEWS: Kind.NEWS, Listing.GUIDES: Kind.GUIDE, Listing.FAQ: Kind.FAQ}


def slug_fault(slug: str, *, below: str) -> str:
    """Why a page may not have this name in its address; empty: it may.

    `below` is the address of the page above without its language, empty for the home page.
    """
    taken = RESERVED_BELOW.get(below, frozenset()) if below else RESERVED
    if slug.lower() in taken:
        return f"「{slug}」は、ほかのページが使う住所です。べつの名前にしてください。"
    if not slug.isascii() or not slug.replace("-", "").replace("_", "").isalnum():
        return "住所の名前は、英字（a-z）、数字、- だけで書いてください。例: hoikuen-2027"
    return ""


def rest_of(url_path: str, home: str) -> str:
    """The address without its language, of a page at `url_path` in Wagtail's tree.

    `home` is the home page's own: ("/home/news/x/", "/home/") → "news/x/".
    """
    if not url_path.startswith(home):
        raise ValueError(f"not below the home page: {url_path}")
    return url_path[len(home) :]


_OLD = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def old_address(path: str) -> str:
    """The file that an old address can be here: "/old" → "/old/", "/old/a.html" as it is.

    Empty: it can be none, for it has letters or a question mark that no file's name has, or another
    room's address. A front may still know it (docs/operations.md).
    """
    bare = path.rstrip("/")
    if not _OLD.fullmatch(bare) or bare.split("/")[1].lower() in RESERVED:
        return ""
    last = bare.rpartition("/")[2]
    if "." in last:
        return bare if last.endswith((".html", ".htm")) and last != "index.html" else ""
    return f"{bare}/"


def redirect_fault(old: str, to: str, steps: Mapping[str, str]) -> str:
    """Why an old address may not lead there; empty: it may.

    `steps` are the other redirects, each from where to where. A circle leads nowhere, and of a
    chain nobody knows which link to mend: each leads to its end at once.
    """
    if old == to:
        return "同じ住所へは転送できません。"
    passed = [old, to]
    while (step := steps.get(passed[-1])) and step not in passed:
        passed.append(step)
    if step == old:
        return f"転送が輪になって、どこにも着きません: {' → '.join([*passed, old])}"
    if len(passed) > 2:
        return f"転送の先が、また転送されています。はじめから {passed[-1]} へ転送してください。"
    if before := sorted(one for one, end in steps.items() if end == old):
        return f"{before[0]} がここへ転送されています。先に、その転送先を {to} に直してください。"
    return ""


# A server may be away for a night or two.
BROKEN_AFTER = 3
ASKED_EVERY = timedelta(days=3)


def next_question(*, failed: int, checked: datetime | None) -> datetime | None:
    """When an address is asked again; None: at once. One that failed is asked the night after."""
    if checked is None:
        return None
    return checked + (timedelta(hours=20) if failed else ASKED_EVERY)


def is_night(at: datetime) -> bool:
    """Is it the time to ask others' servers, in the city's own?"""
    return 1 <= at.hour < 5


# What pages are made from, and marked stale by.
HOME = "content:home"
FILES = "content:files"
READINGS = "content:readings"
OLD_ADDRESSES = "content:old-addresses"


def page_key(number: int) -> str:
    """One page in every language, wherever it is named."""
    return f"content:page:{number}"


def tree_key(number: int) -> str:
    """A page and all that stands below it, when their addresses change."""
    return f"content:tree:{number}"


def children_key(number: int) -> str:
    """What stands directly below a page."""
    return f"content:children:{number}"


def kind_key(kind: Kind) -> str:
    """Every article of a kind."""
    return f"content:kind:{kind}"


def picture_key(number: int) -> str:
    """A picture in every size."""
    return f"content:picture:{number}"


def file_key(number: int) -> str:
    """A file that is offered."""
    return f"content:file:{number}"


def numbered(key: str, prefix: str) -> int | None:
    """The number at the end of a key that begins so: ("content:page:12", "content:page:") → 12."""
    rest = key.removeprefix(prefix)
    return int(rest) if key.startswith(prefix) and rest.isdecimal() else None
