"""What a code is, what of ours an address names, and which openings count. Pure."""

import re
from collections.abc import Callable
from unicodedata import east_asian_width
from urllib.parse import unquote, urlsplit

# Read aloud, from paper and by hand: neither i, l and o, which pass for others, nor vowels, so that
# no code is a word.
LETTERS = "bcdfghjkmnpqrstvwxz"
LENGTH = 5
_CODE = re.compile(f"[{LETTERS}]{{4,6}}")
# How programs that follow links name themselves: crawlers, previews of messengers, tools;
# and Cubot makes telephones.
_ROBOT = re.compile(
    r"(?<!cu)bot\b|bot_|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|monitor|validator"
    r"|curl/|wget/|python|okhttp|go-http-client|java/|headless",
    re.IGNORECASE,
)

# Where a text may be cut: before a space, after a full stop or a comma.
_ENDS = re.compile(r"\s|(?<=[。、！？．，])")


def new_code(choose: Callable[[str], str]) -> str:
    """A code; `choose` takes one of the letters it is given."""
    return "".join(choose(LETTERS) for _ in range(LENGTH))


def read_code(typed: str) -> str | None:
    """A code as somebody typed it, in small or capital letters; None if it cannot be one."""
    small = typed.lower()
    return small if _CODE.fullmatch(small) else None


def own_address(typed: str, public_url: str) -> str | None:
    """The address within our site that is named, by its path or whole, as browsers copy it.

    What follows `?` or `#` is left away, a missing last `/` is added. None: it leads elsewhere, or
    is no address.
    """
    try:
        parts, ours = urlsplit(typed.strip()), urlsplit(public_url)
    except ValueError:
        return None
    if parts.netloc and (parts.scheme, parts.netloc) != (ours.scheme, ours.netloc):
        return None
    if parts.scheme and not parts.netloc:
        return None
    path = unquote(parts.path) or "/"
    if not path.startswith("/") or path.startswith("//") or "\0" in path:
        return None
    return path if path.endswith("/") else path + "/"


def counts(*, method: str, agent: str, purpose: str) -> bool:
    """Whether somebody opened the link, as far as one can tell from what is said and not kept.

    `agent` and `purpose` are the headers User-Agent and Sec-Purpose. Not counted: asking for the
    head alone, fetching ahead, and who names itself a program.
    """
    return method == "GET" and "prefetch" not in purpose.lower() and not _ROBOT.search(agent)


def width(text: str) -> float:
    """How wide a text is, in wide characters: letters and digits of the West are half of one."""
    return sum(1 if east_asian_width(sign) in "WFA" else 0.5 for sign in text)


def cut(text: str, most: int) -> str:
    """The text, or as much of its beginning as `most` wide characters hold, then "…".

    Where a sentence, a part of one or a word ends in the last third, it ends there.
    """
    if width(text) <= most:
        return text
    held, used = 0, 1.0  # for the "…"
    for sign in text:
        used += width(sign)
        if used > most:
            break
        held += 1
    begun = text[:held]
    ends = [found.start() for found in _ENDS.finditer(begun) if found.start() > held * 2 / 3]
    return begun[: ends[-1] if ends else held].rstrip() + "…"
