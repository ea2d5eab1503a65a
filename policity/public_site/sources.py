"""Others' servers, asked one at a time and with pauses: whether an address still answers, and an
older site page by page.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from lxml import etree
from lxml import html as markup

from policity.kit.fetching import Fetcher, FetchError
from policity.kit.web import is_web_address
from policity.public_site.formats.saved import LARGEST_MEMBER, is_page, text_of

# Seconds between two questions: nobody's server notices us.
PAUSE = 2.0
# What says that somebody is there who does not talk to programs.
SHY = frozenset({401, 403, 405, 406, 429, 451, 999})


def fault_of(status: int) -> str:
    """Why an answer is none; empty: the address answers."""
    gone = status >= 400 and status not in SHY
    return f"サーバーが {status} を返しました" if gone else ""


class Asker:
    """One address at a time; the worker looks in for what has come."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="links")
        self._under_way: tuple[str, Future[str]] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._under_way is not None

    def begin(self, address: str, *, allow_private: bool = False) -> None:
        """Have an address asked."""
        self._under_way = address, self._pool.submit(_ask, address, allow_private)

    def done(self) -> tuple[str, str] | None:
        """The address that was asked, and its fault; empty: it answers. None: not yet."""
        if self._under_way is None or not self._under_way[1].done():
            return None
        (address, future), self._under_way = self._under_way, None
        return address, future.result()


def _ask(address: str, allow_private: bool) -> str:
    time.sleep(PAUSE)
    fetcher = Fetcher(allow_private=allow_private)
    try:
        whole = urlsplit(address)
        plain = whole._replace(path=whole.path or "/", fragment="").geturl()
        return fault_of(fetcher.status(plain).result())
    except FetchError as error:
        return str(error)[:200]
    finally:
        fetcher.close()


AGENT = "policity"
# Bytes of a name in a folder.
LONGEST_NAME = 200


class NoCrawl(ValueError):  # noqa: N818  # the thing refused
    """A site cannot be saved. The message is for staff."""


@dataclass(slots=True)
class Saving:
    """How saving a site went. `full`: it ended at a limit, and there is more."""

    files: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)
    full: bool = False


def crawl(
    start: str, *, out: Path, fetcher: Fetcher, most: int, most_bytes: int, pause: float,
    told: Callable[[Saving, str], None], wait: Callable[[float], None] = time.sleep,
) -> Saving:  # fmt: skip
    """Save a site into a folder as `wget --mirror` would: within its host, as its robots.txt lets.

    What lies in the folder already is not asked for again. Raises NoCrawl.
    """
    if not is_web_address(start if urlsplit(start).path else f"{start}/"):
        raise NoCrawl("アドレスの形が正しくありません。例: https://www.city.example.jp/")
    root = urljoin(start, "/")
    robots = _robots(root, fetcher)
    pause = max(pause, float(robots.crawl_delay(AGENT) or 0))
    queue, seen, saving = deque([urljoin(root, urlsplit(start).path)]), {start}, Saving()
    while queue:
        if saving.files >= most or saving.bytes >= most_bytes:
            saving.full = True
            break
        address = queue.popleft()
        file = _file(out, address)
        if file is None or not robots.can_fetch(AGENT, address):
            continue
        try:
            data = _kept(file, address, fetcher, lambda: wait(pause))
        except (FetchError, OSError) as error:
            saving.failed.append(f"{address}: {error}")
            continue
        saving.files, saving.bytes = saving.files + 1, saving.bytes + len(data)
        told(saving, address)
        if is_page(urlsplit(address).path, data):
            new = [one for one in _ends(data, address) if one.startswith(root) and one not in seen]
            seen.update(new)
            queue.extend(dict.fromkeys(new))
    return saving


def _robots(root: str, fetcher: Fetcher) -> RobotFileParser:
    """What the site lets programs read; without a file, everything."""
    robots = RobotFileParser()
    address = urljoin(root, "robots.txt")
    try:
        status = fetcher.status(address).result()
        if status in (401, 403) or status >= 500:
            raise NoCrawl("robots.txt を読めません。サイトの管理者に確かめてください。")
        said = fetcher.get(address, limit=512_000).result().body if status == 200 else b""
    except FetchError as error:
        raise NoCrawl(f"{root}: {error}") from error
    robots.parse(said.decode("utf-8", "replace").splitlines())
    return robots


def _file(out: Path, address: str) -> Path | None:
    """Where an address is kept; None for what has a question mark or no name for a file."""
    whole = urlsplit(address)
    path = unquote(whole.path)
    last = path.rpartition("/")[2]
    if "." not in last:
        path = f"{path.rstrip('/')}/index.html"
    parts = path.strip("/").split("/")
    bad = any(
        part in ("", ".", "..") or "\0" in part or "\\" in part
        or len(part.encode("utf-8", "replace")) > LONGEST_NAME
        for part in parts
    )  # fmt: skip
    return None if bad or whole.query else out.joinpath(whole.netloc, *parts)


def _kept(file: Path, address: str, fetcher: Fetcher, rest: Callable[[], None]) -> bytes:
    if file.is_file():
        return file.read_bytes()
    rest()
    data = fetcher.get(address, limit=LARGEST_MEMBER).result().body
    file.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a run that is broken off leaves no half of a file.
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(data)
    part.replace(file)
    return data


def _ends(data: bytes, address: str) -> Iterator[str]:
    """Where a page leads, and what it shows."""
    try:
        root = markup.document_fromstring(
            text_of(data).encode(), parser=markup.HTMLParser(encoding="utf-8", no_network=True)
        )
    except (etree.ParserError, ValueError):
        return
    for part in root.iter("a", "img", "area"):
        said = part.get("src" if part.tag == "img" else "href") or ""
        try:
            yield urldefrag(urljoin(address, said.strip()))[0]
        except ValueError:
            continue
