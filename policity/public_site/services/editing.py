"""Where the tree begins, and who works on which part of it.

Roles are the city's own (accounts). Wagtail knows groups: whoever comes in is put into those that
their roles of that day are, and taken out of all others.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from wagtail.models import (
    Collection,
    GroupApprovalTask,
    GroupCollectionPermission,
    GroupPagePermission,
    Page,
    Site,
    Workflow,
    WorkflowPage,
    WorkflowTask,
)

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.queries import offices
from policity.public_site.models import (
    HomePage,
    SectionPage,
    TranslationPage,
    TreePage,
)
from policity.public_site.services.telling import together

PREFIX = "content/"
# How each role is called in a group's name; the others do not write pages.
GROUPS = {
    Role.ADMINISTRATOR: "administrators",
    Role.EDITOR: "editors",
    Role.PUBLISHER: "publishers",
}
_ON_PAGES = {
    "editors": ("add", "change"),
    "publishers": ("add", "change", "publish", "lock", "unlock"),
    "administrators": ("add", "change", "publish", "lock", "unlock", "bulk_delete"),
}
# What is uploaded is everybody's to use; who may change or delete it is who uploaded it
# (Wagtail's "add"), and whoever publishes.
_ON_UPLOADS = {
    "editors": ("add", "choose"),
    "publishers": ("add", "change", "choose"),
    "administrators": ("add", "change", "choose"),
}
_RUNS_ALL = (
    "add_redirect", "change_redirect", "delete_redirect", "add_department", "change_department",
    "add_reading", "change_reading", "delete_reading", "change_sectionpage",
)  # fmt: skip


def names(user: User, *, on: date) -> frozenset[str]:
    """The groups that somebody's roles of a day are."""
    found = set()
    for role, departments in offices(user, on=on):
        if role in GROUPS:
            whole = f"{PREFIX}{GROUPS[role]}"
            # An administrator runs the whole of it.
            if departments and role is not Role.ADMINISTRATOR:
                found |= {f"{whole}/{slug}" for slug in departments}
            else:
                found.add(whole)
    return frozenset(found)


@transaction.atomic
def enter(user: User, *, on: date) -> None:
    """Put somebody into the groups that their roles of a day are, and into no other."""
    wanted = names(user, on=on)
    had = frozenset(user.groups.values_list("name", flat=True))
    if wanted == had:
        return
    user.groups.set([_group(name) for name in sorted(wanted)])


def _group(name: str) -> Group:
    group, is_new = Group.objects.get_or_create(name=name)
    if is_new:
        _, kind, *department = name.split("/")
        _allow(group, kind)
        page: Page | None = HomePage.objects.first()
        if department:
            page = SectionPage.objects.filter(department__slug=department[0]).first()
        if page is not None:
            _allow_on(page, group, kind)
    return group


def _allow(group: Group, kind: str) -> None:
    wanted = ["access_admin", *(_RUNS_ALL if kind == "administrators" else ())]
    group.permissions.set(Permission.objects.filter(codename__in=wanted))
    root = Collection.get_first_root_node()
    uploads = Permission.objects.filter(
        codename__in=[
            f"{act}_{what}" for act in _ON_UPLOADS[kind] for what in ("image", "document")
        ]
    )
    GroupCollectionPermission.objects.bulk_create(
        GroupCollectionPermission(group=group, collection=root, permission=one) for one in uploads
    )


def _allow_on(page: Page, group: Group, kind: str) -> None:
    """On this part of the tree, and on no other."""
    GroupPagePermission.objects.filter(group=group).delete()
    wanted = [f"{act}_page" for act in _ON_PAGES[kind]]
    rows = Permission.objects.filter(
        content_type__app_label="wagtailcore", content_type__model="page", codename__in=wanted
    )
    GroupPagePermission.objects.bulk_create(
        GroupPagePermission(group=group, page=page, permission=one) for one in rows
    )


@transaction.atomic
def settle(section: SectionPage) -> None:
    """A department's pages are written by its editors, and approved by its publishers."""
    if section.department is None:
        WorkflowPage.objects.filter(page=section).delete()
        return
    slug = section.department.slug
    for kind in ("editors", "publishers"):
        _allow_on(section, _group(f"{PREFIX}{kind}/{slug}"), kind)
    approvers = [f"{PREFIX}publishers/{slug}", f"{PREFIX}publishers"]
    _approval(section, f"承認（{section.department.name}）", approvers)


def _approval(page: Page, name: str, groups: list[str]) -> None:
    if WorkflowPage.objects.filter(page=page, workflow__name=name).exists():
        return
    task = GroupApprovalTask.objects.create(name=name)
    task.groups.set([_group(one) for one in groups])
    workflow = Workflow.objects.create(name=name)
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=0)
    WorkflowPage.objects.update_or_create(page=page, defaults={"workflow": workflow})


def begin() -> bool:
    """The first pages of a city that has none: home and the sections that others link to.

    Says whether there was anything to do. What staff changed or took away later stays so. Each page
    is a transaction: an alert waits for none but one. Home is published last, and says that all of
    it is there.
    """
    if HomePage.objects.exclude(first_published_at=None).exists():
        return False
    facts = tomllib.loads((files("policity.public_site") / "facts/tree.toml").read_text("utf-8"))
    with together():
        home = HomePage.objects.first() or _plant(facts["home"]["title"])
    there = set(home.get_children().values_list("slug", flat=True))
    for entry in facts["sections"]:
        if entry["slug"] not in there:
            with together():
                add(SectionPage(lists=entry.get("lists", "children")), entry, below=home)
    with together():
        publish(home)
        _approval(home, "承認（市全体）", [f"{PREFIX}publishers", f"{PREFIX}administrators"])
    return True


def _plant(title: str) -> HomePage:
    root = Page.get_first_root_node()
    # Wagtail's own first page, which nobody asked for.
    welcome = Page.objects.filter(depth=2, slug="home").first()
    Page.objects.filter(depth=2, slug="home").update(slug="welcome")
    home = HomePage(title=title, slug="home", show_in_menus=False, live=False)
    root.add_child(instance=home)
    site = Site.objects.first() or Site(hostname="localhost", port=80)
    site.root_page, site.is_default_site = home, True
    site.save()
    if welcome is not None:
        Page.objects.get(pk=welcome.pk).delete()
    found: HomePage = HomePage.objects.get(pk=home.pk)
    return found


def add(page: TreePage, said: Mapping[str, Any], *, below: Page) -> TreePage:
    """Put a page with its translations below another, and publish all of it.

    `said` has `slug`, `title`, `lead`, `body`, and tables named after languages with the same.
    """
    page.slug = said["slug"]
    fill(page, said)
    below.add_child(instance=page)
    publish(page)
    for code, words in said.get("in", {}).items():
        translate(page, code, words)
    return page


def translate(page: TreePage, code: str, said: Mapping[str, Any]) -> TranslationPage:
    """Put what a page says in one more language below it, and publish it."""
    translation = TranslationPage(language=code, slug=code)
    fill(translation, said)
    page.add_child(instance=translation)
    publish(translation)
    return translation


def fill(page: TreePage, said: Mapping[str, Any]) -> None:
    """Let a page say this; `body` is as it is stored."""
    page.title, page.lead = said["title"], said.get("lead", "")
    page.body = page._meta.get_field("body").to_python([dict(one) for one in said.get("body", ())])


def publish(page: TreePage) -> None:
    """As Wagtail does it, so that the page has a first version to go back to."""
    page.save_revision().publish()
