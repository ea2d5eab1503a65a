"""A made-up city's pages (見本), from a file."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from wagtail.models import Page

from policity.foundations.accounts.models import Department
from policity.public_site.models import (
    HOME_PATH,
    ArticlePage,
    HomePage,
    SectionPage,
)
from policity.public_site.services import editing


@transaction.atomic
def write(facts: Mapping[str, Any]) -> None:
    """Write departments, pages and what stands at home, with all their translations."""
    editing.begin()
    for one in facts["departments"]:
        department = Department.objects.create(slug=one["slug"], name=one["name"])
        contact = {name: one[name] for name in ("phone", "place", "hours")}
        section = SectionPage(department=department, is_sample=True, **contact)
        editing.add(section, {**one, "title": one["name"]}, below=_at("departments"))
    for one in facts["pages"]:
        page = ArticlePage(kind=one["kind"], is_sample=True)
        editing.add(page, _linked(one), below=_at(one["below"]))
    home = HomePage.objects.get()
    editing.fill(home, _linked({"title": home.title, **facts["home"]}))
    editing.publish(home)
    for code, said in facts["home"]["in"].items():
        editing.translate(home, code, _linked(said))


def _at(rest: str) -> Page:
    return Page.objects.get(url_path=f"{HOME_PATH}{rest}/").specific


def _linked(value: Any) -> Any:
    """Addresses of the tree as the numbers of their pages."""
    if isinstance(value, Mapping):
        return {
            name: _at(part).pk if name == "page" and isinstance(part, str) else _linked(part)
            for name, part in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_linked(one) for one in value]
    return value
