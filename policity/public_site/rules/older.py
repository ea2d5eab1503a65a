"""What a page taken over from an older site still needs of a human, and what it is called here."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise

from policity.kit.eras import ERAS, BadYear, western
from policity.kit.languages import BY_CODE
from policity.public_site.rules import LONGEST_ADDRESS, slug_fault

# Signs of text. What is longer than four screens of a telephone is not read to its end.
LONGEST_PAGE = 6000
LONGEST_TITLE = 200
LONGEST_NAME = 60


class Need(StrEnum):
    """What a machine sees and cannot mend."""

    BROKEN = "broken"
    EDITED = "edited"
    NO_TITLE = "no_title"
    LONG_TITLE = "long_title"
    UNSURE = "unsure"
    NO_ALT = "no_alt"
    TEXT_IN_PICTURE = "text_in_picture"
    NO_HEADS = "no_heads"
    MERGED = "merged"
    LINKS_IN_TABLE = "links_in_table"
    SKIPPED = "skipped"
    DEAD_LINK = "dead_link"
    OLD_LINK = "old_link"
    VAGUE_LINK = "vague_link"
    FILES_ONLY = "files_only"
    FILE_REFUSED = "file_refused"
    LEFT_OUT = "left_out"
    SIGNS = "signs"
    LONG = "long"
    NO_DATE = "no_date"
    NO_REDIRECT = "no_redirect"


# What each is called, and what to do about it.
SAID = {
    Need.BROKEN: ("取り込めなかった", "元のページを見て、手で書いてください。"),
    Need.EDITED: ("こちらで直してあるので、そのままにした",
                  "元のページが変わっています。見くらべてください。"),
    Need.NO_TITLE: ("題がない", "何のページか分かる題をつけてください。"),
    Need.LONG_TITLE: ("題が長すぎる", "切りました。短い題をつけてください。"),
    Need.UNSURE: ("本文の場所がはっきりしない",
                  "メニューなどが混ざっていたら、本文の場所（CSS）を示して、取り込み直してください。"),
    Need.NO_ALT: ("画像に代替テキストがない", "何が写っているかを一文で書いてください。"),
    Need.TEXT_IN_PICTURE: ("画像の中の文字らしい", "文字は本文に書き、画像は外してください。"),
    Need.NO_HEADS: ("表に見出しがない", "列の見出しを書いてください。"),
    Need.MERGED: ("表のセルが結合されている",
                  "同じことばを分けて入れました。読めるか見てください。"),
    Need.LINKS_IN_TABLE: ("表の中にリンクや画像がある",
                          "文字だけを残しました。リンクは表の下に書いてください。"),
    Need.SKIPPED: ("見出しの段がとんでいる", "順に並ぶように、見出しを直してください。"),
    Need.DEAD_LINK: ("リンクの先がない", "先を直すか、リンクを外してください。"),
    Need.OLD_LINK: ("前のサイトへのリンクが残っている", "こちらのページを選び直してください。"),
    Need.VAGUE_LINK: ("リンクのことばで先が分からない",
                      "「こちら」ではなく、先の題を書いてください。"),
    Need.FILES_ONLY: ("ファイルだけのページ", "中身を本文にも書いてください。"),
    Need.FILE_REFUSED: ("置けないファイルがある", "大きさと種類を見て、別の形で置いてください。"),
    Need.LEFT_OUT: ("地図・フォーム・動画などを外した",
                    "要るものは、べつの形で作り直してください。"),
    Need.SIGNS: ("機種依存文字がある", "だれの機械でも読める文字に直してください。"),
    Need.LONG: ("とても長い", "分けるか、短くしてください。"),
    Need.NO_DATE: ("更新日が読めない", "いつのことか、本文で分かるようにしてください。"),
    Need.NO_REDIRECT: ("前の住所から転送できない",
                       "ウェブサーバーの設定に書いてください（運用の手引き）。"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One need of a page. `what` shows where: a link's words, a picture's address."""

    need: Need
    what: str = ""


def said(faults: list[Fault]) -> str:
    """Faults in words, each need once with where it is: "リンクの先がない（くわしく、地図）"."""
    places: dict[Need, list[str]] = {}
    for fault in faults:
        places.setdefault(fault.need, []).extend([fault.what] if fault.what else [])
    return "。".join(
        f"{SAID[need][0]}（{'、'.join(what[:5])}{' ほか' if len(what) > 5 else ''}）"
        if what
        else SAID[need][0]
        for need, what in places.items()
    )


_PLATFORM = re.compile("[①-⓿Ⅰ-ⅿ㈠-㏿№℡\ue000-\uf8ff･-ﾟ]")
_VAGUE = re.compile(
    r"(?:(?:詳細|詳しく|くわしく)は)?(?:こちら|ここ|コチラ)(?:から|へ|を?(?:クリック|参照|ご覧ください))?"
    r"|詳細|リンク|もっと見る|続きを読む|click here|here"
)


def platform_signs(text: str) -> str:
    """Signs that not every machine shows or reads aloud alike, each once: "①㈱"."""
    return "".join(dict.fromkeys(_PLATFORM.findall(text)))


def is_vague(words: str) -> bool:
    """Do a link's words say nothing of where it leads?"""
    bare = unicodedata.normalize("NFKC", words).strip(" 　>→»「」()（）[]【】。、").lower()
    return not bare or bool(_VAGUE.fullmatch(bare))


def skipped(levels: list[int]) -> bool:
    """Does a heading stand more than one step below the one before it?"""
    return any(after > before + 1 for before, after in pairwise(levels))


_ERA_DAY = re.compile(
    rf"({'|'.join(ERAS)})\s*(\d{{1,2}}|元)\s*年\s*(\d{{1,2}})\s*月\s*(\d{{1,2}})\s*日"
)
_WEST_DAY = re.compile(
    r"((?:19|20)\d\d)\s*(?:年|[-/.])\s*(\d{1,2})\s*(?:月|[-/.])\s*(\d{1,2})(?!\d)"
)
_SAYS_SO = re.compile(r"(?:最終)?(?:更新|掲載|公開|登録|作成)日?(?:時)?\s*[:：]?\s*")


def updated(text: str) -> date | None:
    """The day that a page says it was last changed: 更新日：令和6年5月1日, 2024/05/01; or None."""
    plain = unicodedata.normalize("NFKC", text)
    for said in _SAYS_SO.finditer(plain):
        rest = plain[said.end() : said.end() + 24]
        for pattern in (_ERA_DAY, _WEST_DAY):
            if (found := pattern.match(rest)) and (day := _day(found.groups())):
                return day
    return None


def _day(parts: tuple[str, ...]) -> date | None:
    try:
        year = western("".join(parts[:-2]) + "年")
        return date(year, int(parts[-2]), int(parts[-1]))
    except (BadYear, ValueError):
        return None


_OFFICE = re.compile(
    r"(?:問い?合わ?せ|担当)(?:先|課|部署)?[\s:：]*"
    r"((?:[^\s:：、。()（）]{1,12}[部局]\s*)?[^\s:：、。()（）]{1,16}(?:課|室|センター|事務局))"
)
_PHONE = re.compile(r"(?<![\d-])0\d{1,4}-\d{1,4}-\d{3,4}(?![\d-])")


def office(text: str) -> tuple[str, str]:
    """The department that a page names for questions, and its telephone; empty where none is."""
    plain = unicodedata.normalize("NFKC", text)
    every = list(_OFFICE.finditer(plain))
    if not every:
        return "", ""
    found = every[-1]
    phone = _PHONE.search(plain, found.end(), found.end() + 300)
    return " ".join(found[1].split()), phone[0] if phone else ""


def name_for(part: str, *, below: str, taken: set[str]) -> str:
    """What a page is called in its address, after its part of the old one: "gomi.html" → "gomi".

    `below` is the address of the page above without its language, empty for the home page.
    What cannot stand in an address gets a name that is always the same for the same part.
    """
    stem = part.rsplit(".", 1)[0] if part.lower().endswith((".html", ".htm", ".shtml")) else part
    name = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")[:LONGEST_NAME]
    plain = stem.isascii() and "?" not in stem and name
    if not plain or name in BY_CODE or slug_fault(name, below=below):
        name = f"p-{sha256(part.encode()).hexdigest()[:10]}"
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def address_fault(url_path: str) -> str:
    """Why a page cannot stand at an address of Wagtail's; empty: it can."""
    if len(url_path) > LONGEST_ADDRESS:
        return "住所が長すぎます。もっと上の見出しページに取り込んでください。"
    return ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stood: "/a/b/" for a folder's own page, "/a/b.html" for one in it.

    `source` is the address that was saved; empty for a folder that has no page of its own.
    """

    place: str
    above: str
    source: str
    is_section: bool


_INDEX = re.compile(r"/(?:index|default)\.(?:s?html?|php|aspx?|jsp)$", re.IGNORECASE)


def place_of(address: str) -> str:
    """Where an address stands: "/a/index.html" and "/a/" are "/a/"."""
    return _INDEX.sub("/", address)


def tree(addresses: list[str]) -> list[Place]:
    """The pages of a site from above to below, and the folders between them.

    The site's first page is not one of them: this city has its own.
    """
    sources: dict[str, str] = {}
    for address in sorted(addresses):
        sources.setdefault(place_of(address), address)
    folders: set[str] = set()
    for place in sources:
        above = _above(place)
        while above != "/" and above not in folders:
            folders.add(above)
            above = _above(above)
    places = sorted({*sources, *folders} - {"/"}, key=lambda place: (place.count("/"), place))
    # A folder's own page comes before what is in it.
    places.sort(key=lambda place: place.rstrip("/").count("/"))
    return [Place(one, _above(one), sources.get(one, ""), one in folders) for one in places]


def _above(place: str) -> str:
    return place.split("?")[0].rstrip("/").rpartition("/")[0] + "/"
