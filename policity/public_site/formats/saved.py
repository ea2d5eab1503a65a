"""A site as somebody saved it: a folder of a crawl, a zip of one, or a WARC.

What is inside was written by others: names that climb out, and what unpacks to more than can be
carried, are refused.
"""

import re
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

from warcio.archiveiterator import ArchiveIterator

# Bytes of one file, and how many files.
LARGEST_MEMBER = 40 * 2**20
MOST = 200_000
# Bytes of everything that a zip holds, unpacked; and of the list of its names.
LARGEST_WHOLE = 4 * 2**30
LARGEST_LIST = 32 * 2**20
HTML = (".html", ".htm", ".shtml", ".xhtml")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?", re.IGNORECASE)


class BadSource(ValueError):  # noqa: N818  # the thing refused
    """What was given is no saved site. The message is for staff."""


class Saved(Protocol):
    """A saved site: its old addresses ("/kurashi/gomi.html"), and what lay at each."""

    host: str

    def addresses(self) -> Iterable[str]:
        """Every address, as the older site had it, without its host."""

    def read(self, address: str) -> bytes:
        """What lay there. Raises BadSource where it is too large or broken."""


def opened(source: Path) -> Saved:
    """A saved site at a path. Raises BadSource."""
    if source.is_dir():
        return _Folder(source)
    if not source.is_file():
        raise BadSource(f"{source} がありません。フォルダか、zip か、WARC の場所を書いてください。")
    if zipfile.is_zipfile(source):
        return _Zip(source)
    if source.name.endswith((".warc", ".warc.gz")):
        return _Warc(source)
    raise BadSource("フォルダ、zip、WARC（.warc、.warc.gz）のどれでもありません。")


def glance(source: Path) -> None:
    """See that a file is a saved site, without reading all of it. Raises BadSource."""
    if not zipfile.is_zipfile(source):
        with source.open("rb") as file:
            first = file.read(5)
        if not first.startswith((b"WARC/", b"\x1f\x8b")):
            raise BadSource("zip でも WARC でもありません。保存し直して、もう一度選んでください。")
        return
    _Zip(source)


def is_page(address: str, data: bytes | None = None) -> bool:
    """Is it a page, by its name, or by how it begins where its name has no ending?"""
    name = PurePosixPath(urlsplit(address).path).name.lower()
    if name.endswith(HTML):
        return True
    if "." in name and not name.endswith((".php", ".cgi", ".asp", ".aspx", ".jsp")):
        return False
    return data is not None and b"<html" in data[:2000].lower()


def _hosted(names: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Addresses by the names in a crawl, whose first folder may be the host (wget --mirror)."""
    plain = [name for name in names if ".." not in PurePosixPath(name).parts]
    if len(plain) > MOST:
        raise BadSource(f"ファイルが多すぎます（{MOST:,}まで）。分けて取り込んでください。")
    tops = {name.split("/", 1)[0] for name in plain}
    top = next(iter(tops), "")
    host = top if len(tops) == 1 and _HOST.fullmatch(top) and f"{top}" not in plain else ""
    cut = len(host) + 1 if host else 0
    return host, {f"/{name[cut:]}": name for name in plain}


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root
        files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        self.host, self._names = _hosted(path.relative_to(root).as_posix() for path in files)

    def addresses(self) -> Iterable[str]:
        return self._names

    def read(self, address: str) -> bytes:
        path = self._root / self._names[address]
        if path.stat().st_size > LARGEST_MEMBER:
            raise BadSource("ファイルが大きすぎます（40MBまで）。")
        return path.read_bytes()


class _Zip:
    def __init__(self, source: Path) -> None:
        if _list_size(source) > LARGEST_LIST:
            raise BadSource(f"ファイルが多すぎます（{MOST:,}まで）。分けて取り込んでください。")
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
            raise BadSource("zip が壊れていて、読めません。もう一度作ってください。") from error
        # What a member says of its size is where reading it ends.
        if sum(one.file_size for one in self._zip.infolist()) > LARGEST_WHOLE:
            raise BadSource("zip が大きすぎます（開くと4GBを超えます）。分けて取り込んでください。")
        members = {_name(one): one for one in self._zip.infolist() if not one.is_dir()}
        self.host, names = _hosted(members)
        self._members = {address: members[name] for address, name in names.items()}

    def addresses(self) -> Iterable[str]:
        return self._members

    def read(self, address: str) -> bytes:
        try:
            with self._zip.open(self._members[address]) as file:
                data = file.read(LARGEST_MEMBER + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            raise BadSource("zip の中のファイルが壊れているか、鍵がかかっています。") from error
        if len(data) > LARGEST_MEMBER:
            raise BadSource("ファイルが大きすぎます（開くと40MBを超えます）。")
        return data


def _list_size(source: Path) -> int:
    """Bytes of a zip's list of names, which is read into memory whole before anything else."""
    with source.open("rb") as file:
        file.seek(max(0, source.stat().st_size - 70_000))
        end = file.read()
    last = end.rfind(b"PK\x05\x06")
    size = int.from_bytes(end[last + 12 : last + 16], "little")
    if size < 0xFFFFFFFF:
        return size
    last = end.rfind(b"PK\x06\x06")
    return int.from_bytes(end[last + 40 : last + 48], "little")


def _name(member: zipfile.ZipInfo) -> str:
    """A name in a zip; what Windows packed is in its own encoding, without saying so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("cp932")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return member.filename


class _Warc:
    """Addresses with where each record begins: pages are read one at a time, not all at once."""

    def __init__(self, source: Path) -> None:
        self._source, self.host = source, ""
        self._places: dict[str, int] = {}
        try:
            with source.open("rb") as file:
                records = ArchiveIterator(file)
                for record in records:
                    self._note(record, records.get_record_offset())
        except Exception as error:  # whatever a broken archive makes of its reader
            raise BadSource("WARC が壊れていて、読めません。") from error

    def _note(self, record: "object", place: int) -> None:
        status = getattr(record, "http_headers", None)
        if getattr(record, "rec_type", "") != "response" or not status:
            return
        if status.get_statuscode() != "200":
            return
        whole = urlsplit(record.rec_headers.get_header("WARC-Target-URI") or "")  # type: ignore[attr-defined]
        if not self.host:
            self.host = whole.netloc
        if whole.netloc != self.host or len(self._places) >= MOST:
            return
        path = unquote(whole.path) or "/"
        path += "index.html" if path.endswith("/") else ""
        self._places[path + (f"?{whole.query}" if whole.query else "")] = place

    def addresses(self) -> Iterable[str]:
        return self._places

    def read(self, address: str) -> bytes:
        with self._source.open("rb") as file:
            file.seek(self._places[address])
            try:
                record = next(iter(ArchiveIterator(file)))
                data = bytes(record.content_stream().read(LARGEST_MEMBER + 1))
            except Exception as error:
                raise BadSource("WARC の中の記録が壊れています。") from error
        if len(data) > LARGEST_MEMBER:
            raise BadSource("ファイルが大きすぎます（開くと40MBを超えます）。")
        return data


def text_of(data: bytes) -> str:
    """A page's text, whichever of the encodings of older Japanese sites it has."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"),
                       (b"\xfe\xff", "utf-16")):  # fmt: skip
        if data.startswith(mark):
            return data.decode(name, "replace")
    said = re.search(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", data[:4096])
    names = {"shift_jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "windows-31j": "cp932"}
    first = said[1].decode().lower() if said else "utf-8"
    if b"\x1b$" in data:
        first = "iso-2022-jp"
    for name in (names.get(first, first), "utf-8", "euc_jp", "cp932"):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    # One bad byte does not cost a page: it is seen as what it is.
    return BytesIO(data).getvalue().decode("cp932" if first in names else "utf-8", "replace")
