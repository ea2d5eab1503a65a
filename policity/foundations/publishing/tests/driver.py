"""The site of stories in processes of its own: `python -m … driver worker|teller|kills HOME`.

HOME/policity.sqlite3 must be there; the environment names the home and the settings.
"""

import json
import os
import random
import signal
import sys
import time

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from policity.foundations.publishing import queries  # noqa: E402
from policity.foundations.publishing.services import (  # noqa: E402
    rebuild,
    render_due,
    render_step,
    tree,
    verify,
)
from policity.foundations.publishing.tests import crawler, stories  # noqa: E402
from policity.foundations.work.models import Item  # noqa: E402

KILLS = 25


def change(chance: random.Random) -> None:
    """One random change of one of nine stories."""
    number = chance.randrange(1, 10)
    if chance.random() < 0.4:
        stories.drop(number, now=timezone.now())
    else:
        stories.tell(number, f"text {chance.random()}", now=timezone.now())


def worker() -> None:
    """The worker as a city runs it."""
    call_command("worker", "run")


def teller() -> None:
    """Random changes, one for each line that comes in; says the line when it is committed."""
    chance = random.Random(2026)
    for line in sys.stdin:
        if line.strip() == "change":
            change(chance)
        else:
            stories.tell(1, line.strip(), now=timezone.now())
        print(line, end="", flush=True)  # noqa: T201


def kills() -> None:
    """Kill a renderer again and again, looking at the folder each time."""
    chance = random.Random(2026)
    rebuild()
    render_due(now=timezone.now())
    midway, problems = 0, []
    for _ in range(KILLS):
        for _ in range(5):
            change(chance)
        connection.close()
        child = os.fork()
        if child == 0:
            while render_step(now=timezone.now()):
                pass
            os._exit(0)
        time.sleep(chance.random() * 0.08)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        staged = list((tree.root() / tree.STAGING).iterdir())
        midway += bool(staged) or Item.objects.exclude(leased_until=None).exists()
        problems += crawler.crawl(tree.root())
    found = verify(now=timezone.now())
    differences = [difference.address for difference in found.differences]
    left = Item.objects.count()
    print(json.dumps([midway, problems, differences, left]))  # noqa: T201


if __name__ == "__main__":
    found = stories.families()
    queries.families = lambda: found  # type: ignore[assignment]
    {"worker": worker, "teller": teller, "kills": kills}[sys.argv[1]]()
