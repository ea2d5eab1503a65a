"""Who may take an older site into which part of the tree."""

from django.db.models import QuerySet
from wagtail.models import Page
from wagtail.permission_policies.pages import PagePermissionPolicy

from policity.foundations.accounts.models import User
from policity.public_site.models import HomePage, SectionPage, Takeover


def sections(user: User) -> "QuerySet[Page]":
    """The pages below which somebody may write, from above to below."""
    mine = PagePermissionPolicy().instances_user_has_permission_for(user, "add")
    found: QuerySet[Page] = mine.type(HomePage, SectionPage).order_by("path")
    return found


def takeovers(user: User) -> "QuerySet[Takeover]":
    """Those into their part of the tree, and those they asked for themselves."""
    rows = Takeover.objects.filter(section__in=sections(user))
    return rows | Takeover.objects.filter(asked_by=user)
