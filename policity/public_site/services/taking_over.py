"""An older site taken over: each page becomes a draft, each old address leads to it.

One page is one transaction. What was written here since stays as it is; what did not change there
is not written anew; so a run that was broken off is begun again, and a second one doubles nothing.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.publishing.forms import LARGEST_FILE
from policity.foundations.publishing.models import CityDocument, CityImage
from policity.public_site.formats import older
from policity.public_site.formats.saved import BadSource, Saved, is_page
from policity.public_site.models import (
    HOME_PATH,
    ArticlePage,
    HomePage,
    SectionPage,
    TakenFile,
    TakenOver,
    Takeover,
    TreePage,
)
from policity.public_site.rules import old_address
from policity.public_site.rules import older as rules
from policity.public_site.rules.older import Fault, Need, Place
from policity.public_site.services.telling import together

# Our own, with those that older sites have and that become one of ours.
PICTURES = frozenset({*settings.WAGTAILIMAGES_EXTENSIONS, "gif"})
# What is read of a page when its way of being read changes.
READER = b"1"
Told = Callable[[int, int, str, list[Fault]], None]


class NoSection(ValueError):  # noqa: N818  # the thing refused
    """There is no such page to take an older site into."""


@dataclass(slots=True)
class Taken:
    """How a run went: so many new, changed, as they were, left to their editors, and broken."""

    new: int = 0
    changed: int = 0
    same: int = 0
    left: int = 0
    broken: int = 0
    files: int = 0
    needs: dict[Need, int] = field(default_factory=dict)

    def note(self, faults: list[Fault]) -> None:
        """Count on how many pages there is which need."""
        for need in {fault.need for fault in faults}:
            self.needs[need] = self.needs.get(need, 0) + 1


def section_at(rest: str) -> TreePage:
    """The page at an address to take a site into: home or a section. Raises NoSection."""
    path = HOME_PATH + (f"{rest.strip('/')}/" if rest.strip("/") else "")
    page = Page.objects.filter(url_path=path).first()
    specific = page.specific if page else None
    if not isinstance(specific, HomePage | SectionPage):
        raise NoSection(f"/{rest.strip('/')}/ という見出しページがありません。先に作ってください。")
    return specific


def look(saved: Saved, *, template: older.Template, told: Told) -> Taken:
    """What taking a site over would give. Writes nothing."""
    run = _Run(saved, template)
    taken = Taken(files=len(run.files))
    places = [one for one in run.places if one.source]
    for number, one in enumerate(places, 1):
        try:
            found = older.read(saved.read(one.source), address=one.source, host=saved.host,
                               template=template, ends=_Looking(run))  # fmt: skip
            faults = found.faults
            taken.new += 1
        except (older.BadPage, BadSource) as error:
            faults = [Fault(Need.BROKEN, str(error))]
            taken.broken += 1
        taken.note(faults)
        told(number, len(places), one.source, faults)
    return taken


def take_over(
    saved: Saved, *, below: TreePage, template: older.Template, by: User | None, now: datetime,
    told: Told, takeover: Takeover | None = None,
) -> Taken:  # fmt: skip
    """Take a saved site over as drafts below a section, in the order of its tree.

    What others' pages have become of the same addresses stays theirs: `by` writes where they may.
    """
    run = _Run(saved, template, by=by, now=now, takeover=takeover)
    taken = Taken(files=len(run.files))
    again: list[Place] = []
    for number, one in enumerate(run.places, 1):
        faults = run.one(one, below.pk, taken)
        told(number, len(run.places), one.source or one.place, faults)
        taken.note(faults)
        if one.place in run.later:
            again.append(one)
    # What they link to was not there yet.
    for one in again:
        run.one(one, below.pk, Taken())
    return taken


class _Run:
    """One run: what was saved, what is here already."""

    def __init__(
        self, saved: Saved, template: older.Template, *, by: User | None = None,
        now: datetime | None = None, takeover: Takeover | None = None,
    ) -> None:  # fmt: skip
        self.saved, self.template, self.by, self.now = saved, template, by, now
        self.takeover = takeover
        self.broken: dict[str, str] = {}
        pages: list[str] = []
        self.files: dict[str, str] = {}
        for address in saved.addresses():
            if is_page(address) or ("." not in address.rsplit("/", 1)[-1] and self._is(address)):
                pages.append(address)
            elif "robots.txt" not in address:
                self.files[address] = PurePosixPath(urlsplit(address).path).suffix.lower()[1:]
        self.places = rules.tree(pages)
        self.known = {one.place for one in self.places} | {"/"}
        rows = TakenOver.objects.select_related("page")
        self.rows = {row.address: row for row in rows}
        self.kept = {row.address: row for row in TakenFile.objects.select_related("file")}
        self.later: set[str] = set()

    def _is(self, address: str) -> bool:
        try:
            return is_page(address, self.saved.read(address))
        except BadSource as error:
            self.broken[address] = str(error)
            return False

    def one(self, place: Place, below: int, taken: Taken) -> list[Fault]:
        """Take one page over; what is wrong with it is kept beside it, and stops nobody else."""
        self.later.discard(place.place)
        try:
            return self._one(place, below, taken)
        except (older.BadPage, BadSource, ValidationError, OSError) as error:
            said = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            faults = [Fault(Need.BROKEN, said[:300])]
        taken.broken += 1
        self._keep(place, faults)
        return faults

    def _one(self, place: Place, below: int, taken: Taken) -> list[Fault]:
        row = self.rows.get(place.place)
        data = self.saved.read(place.source) if place.source else b""
        said = repr((self.template.main, self.template.drop, place.source)).encode()
        digest = sha256(b"\0".join((READER, said, data))).hexdigest()
        page = row.page.specific if row and row.page else None
        if page and self.by and not page.permissions_for_user(self.by).can_edit():
            taken.left += 1
            return []
        if row and row.revision and (page is None or page.latest_revision_id != row.revision):
            return self._leave(row, digest, taken)
        if row and page and row.digest == digest:
            taken.same += 1
            return faults_of(row)
        above = self.rows.get(place.above)
        parent = Page.objects.get(pk=above.page_id if above and above.page_id else below)
        if place.above != "/" and not (above and above.page_id):
            raise older.BadPage("上のページを取り込めなかったので、置く場所がありません。")
        # Pictures and files come first, each by itself: an alert does not wait while they are read.
        found = self._read(place, data)
        is_new = page is None
        before = page.latest_revision_id if page else None
        if row and self.takeover and row.takeover_id == self.takeover.pk:
            before = row.before
        with together():
            page, revision = self._write(page, parent, place, found)
            self._lead(place, page, found.faults)
            # With links to what is not there yet it is not finished: the next run writes it anew.
            digest = "" if place.place in self.later else digest
            self._keep(place, found.faults, page=page, revision=revision, digest=digest,
                       found=found, before=before)  # fmt: skip
            audit.record("content.imported", on=f"page:{page.pk}", by=self.by, now=self._now(),
                         address=place.place[:200])  # fmt: skip
        taken.new, taken.changed = taken.new + is_new, taken.changed + (not is_new)
        return found.faults

    def _now(self) -> datetime:
        assert self.now is not None  # noqa: S101  # only a look has none, and it writes nothing
        return self.now

    def _leave(self, row: TakenOver, digest: str, taken: Taken) -> list[Fault]:
        """It was changed, or deleted, here: an editor's work stays."""
        taken.left += 1
        changed = bool(row.digest) and row.digest != digest
        kept = [fault for fault in faults_of(row) if fault.need is not Need.EDITED]
        faults = [*kept, *([Fault(Need.EDITED)] if changed else [])]
        TakenOver.objects.filter(pk=row.pk).update(needs=_stored(faults))
        return faults

    def _read(self, place: Place, data: bytes) -> older.Older:
        name = place.place.strip("/").rpartition("/")[2]
        if not place.source:
            return older.Older(name, [], None, "", "", [Fault(Need.NO_TITLE, name)])
        ends = _Here(self, place)
        found = older.read(data, address=place.source, host=self.saved.host,
                           template=self.template, ends=ends)  # fmt: skip
        found.title = found.title or name
        found.faults += ends.faults
        if found.office:
            contact = {"name": found.office[:100], "phone": found.phone, "place": "", "hours": "",
                       "email": ""}  # fmt: skip
            found.body.append({"type": "contact", "value": contact})
        return found

    def _write(
        self, page: TreePage | None, parent: Page, place: Place, found: older.Older
    ) -> tuple[TreePage, int]:
        is_new = page is None
        if page is None:
            page = SectionPage(live=False) if place.is_section else ArticlePage(live=False)
            taken = set(parent.get_children().values_list("slug", flat=True))
            last = place.place.strip("/").rpartition("/")[2]
            above = parent.url_path.removeprefix(HOME_PATH)
            page.slug = rules.name_for(last, below=above, taken=taken)
            if fault := rules.address_fault(parent.url_path + page.slug):
                raise older.BadPage(fault)
        else:
            page = page.get_latest_revision_as_object()
        page.title = page.draft_title = found.title
        page.body = page._meta.get_field("body").to_python(found.body)
        if found.day and not page.live:
            # Lists sort by it. It is when the older site last changed the page.
            page.first_published_at = timezone.make_aware(datetime.combine(found.day, time(12)))
        if is_new:
            parent.add_child(instance=page)
        elif not page.live:
            page.save()
        revision = page.save_revision(user=self.by, clean=False)
        return page, revision.pk

    def _lead(self, place: Place, page: TreePage, faults: list[Fault]) -> None:
        """Its old addresses lead to it: with its folder's page named, and without."""
        here = Redirect.normalise_path("/" + page.url_path.removeprefix(HOME_PATH))
        old = {place.place, place.source} - {""}
        for path in sorted({Redirect.normalise_path(one) for one in old} - {here}):
            if len(path) <= 255:
                Redirect.objects.get_or_create(
                    old_path=path, site=None, defaults={"redirect_page": page}
                )
        by_file = old_address(place.place)
        if not by_file and Redirect.normalise_path(place.place) != here:
            faults.append(Fault(Need.NO_REDIRECT, place.place[:100]))

    def _keep(
        self, place: Place, faults: list[Fault], *, page: TreePage | None = None,
        revision: int | None = None, digest: str = "", found: older.Older | None = None,
        before: int | None = None,
    ) -> None:  # fmt: skip
        said: dict[str, Any] = {"needs": _stored(faults), "taken_at": self._now()}
        known = self.rows.get(place.place)
        if page is not None and found is not None:
            said |= {"page_id": page.pk, "revision": revision, "digest": digest, "day": found.day,
                     "title": found.title, "office": found.office[:100], "before": before,
                     "takeover": self.takeover, "looked_at": None,
                     "looked_by": None}  # fmt: skip
        elif not (known and known.page_id):
            said["takeover"] = self.takeover
        row, _ = TakenOver.objects.update_or_create(address=place.place[:700], defaults=said)
        self.rows[place.place] = row


def faults_of(row: TakenOver) -> list[Fault]:
    """What a page still needs, as it was found."""
    return [Fault(Need(need), what) for need, what in row.needs]


def _stored(faults: list[Fault]) -> list[list[str]]:
    """Each once, in the order in which they were found."""
    return [list(one) for one in dict.fromkeys((fault.need.value, fault.what) for fault in faults)]


class _Looking:
    """Where addresses lead, without anything being written."""

    def __init__(self, run: _Run) -> None:
        self.run = run

    def link(self, address: str) -> str | None:
        if address.startswith(("http://", "https://")):
            return _outside(address, self.run.saved.host)
        if rules.place_of(address) in self.run.known or f"{address}/" in self.run.known:
            return 'linktype="page" id="0"'
        return 'linktype="document" id="0"' if address in self.run.files else None

    def picture(self, address: str, *, alt: str) -> int | None:
        return 0 if self.run.files.get(address) in PICTURES else None


class _Here:
    """Where addresses lead here; files and pictures are taken over as a page names them."""

    def __init__(self, run: _Run, place: Place) -> None:
        self.run, self.place = run, place
        self.faults: list[Fault] = []

    def link(self, address: str) -> str | None:
        if address.startswith(("http://", "https://")):
            return _outside(address, self.run.saved.host)
        place = rules.place_of(address)
        place = f"{place}/" if f"{place}/" in self.run.known else place
        if place in self.run.known:
            row = self.run.rows.get(place)
            if row is None or row.page_id is None:
                self.run.later |= {self.place.place} if place != "/" and row is None else set()
                return ""
            return f'linktype="page" id="{row.page_id}"'
        if address not in self.run.files:
            return None
        number = self._file(address)
        return f'linktype="document" id="{number}"' if number else ""

    def picture(self, address: str, *, alt: str) -> int | None:
        if self.run.files.get(address) not in PICTURES:
            return None
        try:
            data = self.run.saved.read(address)
            _carried(data)
        except (BadSource, OSError, ValueError, Image.DecompressionBombError) as error:
            self.faults.append(Fault(Need.FILE_REFUSED, f"{address[-80:]}: {error}"[:200]))
            return None
        name = PurePosixPath(address).name
        row = self.run.kept.get(address)
        digest = sha256(data).hexdigest()
        if row and row.digest == digest and row.picture_id:
            return row.picture_id
        image = CityImage(title=(alt or name)[:255], uploaded_by_user=self.run.by)
        image.file = ContentFile(data, name[-80:])
        image.save()
        self._note(address, digest, picture_id=image.pk, takeover=self.run.takeover)
        return int(image.pk)

    def _file(self, address: str) -> int | None:
        ending, name = self.run.files[address], PurePosixPath(address).name
        try:
            if ending not in settings.WAGTAILDOCS_EXTENSIONS:
                raise BadSource("この種類のファイルは置けません")
            data = self.run.saved.read(address)
            if len(data) > LARGEST_FILE:
                raise BadSource("ファイルが大きすぎます（20MBまで）")
        except (BadSource, OSError) as error:
            self.faults.append(Fault(Need.FILE_REFUSED, f"{address[-80:]}: {error}"[:200]))
            return None
        row, digest = self.run.kept.get(address), sha256(data).hexdigest()
        if row and row.digest == digest and row.file_id:
            return row.file_id
        file = CityDocument(title=name[:255], uploaded_by_user=self.run.by)
        became: dict[str, Any] = {"takeover": self.run.takeover}
        if row and row.file and self.run.by in (None, row.file.uploaded_by_user):
            file, became = row.file, {}
        file.file = ContentFile(data, name[-80:])
        file.file_size = len(data)
        file.save()
        self._note(address, digest, file_id=file.pk, **became)
        if len(address) <= 255:
            ours = settings.PUBLIC_URL.rstrip("/")
            # No file answers for a PDF's old address; a front may ask for it.
            Redirect.objects.get_or_create(
                old_path=Redirect.normalise_path(address), site=None,
                defaults={"redirect_link": f"{ours}/files/{file.pk}.{ending}"},
            )  # fmt: skip
        return int(file.pk)

    def _note(self, address: str, digest: str, **became: Any) -> None:
        self.run.kept[address], _ = TakenFile.objects.update_or_create(
            address=address[:700], defaults={"digest": digest, **became}
        )


def _outside(address: str, host: str) -> str | None:
    """Another site's address; one of the older site's that was not saved leads nowhere soon."""
    where = urlsplit(address)
    if host and where.netloc.removeprefix("www.") == host.removeprefix("www."):
        return None
    said = address.replace("&", "&amp;").replace('"', "%22").replace("<", "%3C")
    return f'href="{said}"'


def _carried(data: bytes) -> None:
    """Raises ValueError, OSError for what is no picture that we can carry."""
    if len(data) > settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE:
        raise ValueError("画像が大きすぎます（20MBまで）")
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS:
            raise ValueError("画像の画素が多すぎます（6千万画素まで）")
        image.load()
