"""A tree of pages for tests, and what is made of it."""

import io
from datetime import UTC, datetime

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from wagtail.models import Page

from policity.foundations.accounts.models import Department
from policity.foundations.publishing.models import CityDocument, CityImage
from policity.public_site.declarations import PAGES
from policity.public_site.models import ArticlePage, HomePage, SectionPage, TranslationPage
from policity.public_site.services import editing

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
FAMILIES = {family.name: family for family in PAGES}


def begun():
    editing.begin()
    return HomePage.objects.get()


def department(slug: str = "kodomo", name: str = "こども課", **more):
    """A department with a page of its own."""
    there = Page.objects.get(slug="departments").specific
    ours, _ = Department.objects.get_or_create(slug=slug, defaults={"name": name})
    section = SectionPage(department=ours, **{"phone": "042-000-0001"} | more)
    editing.add(section, {"slug": slug, "title": name}, below=there)
    return SectionPage.objects.get(pk=section.pk)


def article(below, slug="hoiku", title="保育園に入りたい", kind="guide", body=(), **said):
    page = ArticlePage(kind=kind)
    editing.add(page, {"slug": slug, "title": title, "body": list(body), **said},
                below=Page.objects.get(pk=below.pk).specific)  # fmt: skip
    return ArticlePage.objects.get(pk=page.pk)


def text(html: str) -> dict[str, object]:
    return {"type": "text", "value": html}


def translation(page, language="en", title="Joining a nursery", body=(), live=True):
    below = TranslationPage(language=language, slug=language, title=title, live=live)
    editing.fill(below, {"title": title, "body": list(body)})
    Page.objects.get(pk=page.pk).specific.add_child(instance=below)
    if live:
        editing.publish(below)
    return below


def jpeg(width=1600, height=1200, *, exif: bytes = b"") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(
        out, "JPEG", exif=exif, quality=85
    )
    return out.getvalue()


def picture(data: bytes | None = None, title="園庭", **more):
    file = SimpleUploadedFile("IMG_0001.jpg", data or jpeg(), "image/jpeg")
    return CityImage.objects.create(title=title, file=file, **more)


def document(title="申込書", name="moushikomi.pdf", data=b"%PDF-1.7 x"):
    return CityDocument.objects.create(title=title, file=SimpleUploadedFile(name, data))


def family_of(address: str):
    """The family that says it has this address now."""
    found = [one for one in FAMILIES.values() if address in set(one.addresses())]
    return found[0] if found else None


def shown(*addresses):
    """The text of published pages; what is not published is left out."""
    found: dict[str, str] = {}
    for name in ("articles", "sections", "old-addresses"):
        for address, rendered in FAMILIES[name].render(addresses):
            if rendered is not None:
                found.setdefault(address, rendered.body.decode())
    return found
