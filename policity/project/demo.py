"""The demo city and its staff, loaded on the first start. Which city it is, is data.

Passwords are made anew in every home and stand in a file only its owner can read.
"""

import os
import secrets
import tomllib
from datetime import datetime
from pathlib import Path

import django
from django.db import transaction
from django.utils import timezone

from policity.project import environment

FACTS = Path(__file__).parent / "facts" / "demo.toml"
ACCOUNTS_FILE = "demo-accounts.txt"


class NotADemoError(Exception):
    """A home that is no demo was to be filled with made-up people."""


def load(home: Path) -> None:
    """Loads the city's facts and its sample staff in one transaction.

    Raises NotADemoError where POLICITY_DEMO=0: what is made up and what is real do not meet.
    """
    from django.conf import settings

    from policity.foundations.places.services import load_city

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本を読み込みません。")
    now = timezone.now()
    with transaction.atomic():
        load_city(_city_folder(tomllib.loads(FACTS.read_text())["city"]), by=None, now=now)
        load_staff(home, now=now)


def load_staff(home: Path, *, now: datetime) -> None:
    """The sample staff alone, in the caller's transaction; a drill has a city already.

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.foundations.accounts import services as accounts
    from policity.foundations.accounts.models import Role

    if not (settings.DEMO or settings.DRILL):
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本の職員を作りません。")
    lines = []
    for person in tomllib.loads(FACTS.read_text())["staff"]:
        password = secrets.token_urlsafe(12)
        accounts.create_staff(
            username=person["username"],
            display_name=person["display_name"],
            password=password,
            roles=[Role(role) for role in person["roles"]],
            starts=timezone.localdate(now),
            is_sample=True,
        )
        lines.append(f"{person['username']}\t{password}\t{person['display_name']}")
    # Before the commit: accounts whose passwords nobody can read never exist.
    _write_accounts(home / ACCOUNTS_FILE, lines)


def _city_folder(name: str) -> Path:
    from policity.foundations import places

    return Path(places.__path__[0]) / "facts" / "cities" / name


def _write_accounts(file: Path, lines: list[str]) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    django.setup()
    load(environment.read().home)
