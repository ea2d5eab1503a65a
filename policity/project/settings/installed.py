"""The rooms and packages that make up the application, uppermost first, and where each answers.

What of it an installation has follows from its role and from each room's `SIDE`. No Django.
"""

from importlib import import_module

from policity.kit.sides import Role, Side, stands, works

ROOMS = [
    "policity.public_site",
    "policity.back_office",
    "policity.fields.alerts",
    "policity.fields.charm",
    "policity.foundations.city_plan",
    "policity.foundations.continuity",
    "policity.foundations.events",
    "policity.foundations.delivery",
    "policity.foundations.residents",
    "policity.foundations.sharing",
    "policity.foundations.search",
    "policity.foundations.places",
    "policity.foundations.publishing",
    "policity.foundations.crossing",
    "policity.foundations.work",
    "policity.foundations.accounts",
    "policity.design",
    "policity.project",
]
# Hears that a page has moved, and notes its old address, before our rooms hear of it.
BEFORE = ["wagtail.contrib.redirects"]
PACKAGES = [
    "wagtail.contrib.typed_table_block",
    "wagtail.snippets",
    "wagtail.admin",
    "wagtail.users",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.search",
    "wagtail",
    "modelcluster",
    "taggit",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_tasks",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

# Where a room's `urls` begin; the first that fits answers.
ADDRESSES = [
    ("", "policity.foundations.delivery"),
    ("staff/content/", "policity.public_site"),
    ("staff/", "policity.back_office"),
    ("", "policity.foundations.search"),
    ("", "policity.fields.charm"),
    ("", "policity.foundations.city_plan"),
    ("", "policity.foundations.events"),
    ("", "policity.foundations.residents"),
    ("", "policity.foundations.sharing"),
]


def side(app: str) -> Side:
    """Where an app works. One of ours that does not say it is a fault: AttributeError."""
    said: Side = import_module(app).SIDE if app in ROOMS else Side.BOTH
    return said


def installed(role: Role) -> list[str]:
    """What Django installs: a room of the other side may be missing altogether."""
    return [app for app in [*BEFORE, *ROOMS, *PACKAGES] if stands(side(app), role)]


def at_work(app: str, role: Role) -> bool:
    """Whether an app has pages, tasks and commands in this role."""
    return works(side(app), role)
