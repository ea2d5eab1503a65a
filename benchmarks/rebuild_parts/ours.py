"""Our side, each step in a process of its own: fill, render, alert."""

import json
import sys
import time

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402
from wagtail.models import Page  # noqa: E402

from benchmarks.rebuild_parts.words import ARTICLES, LANGUAGES, article  # noqa: E402
from policity.foundations.publishing import queries, services  # noqa: E402
from policity.foundations.publishing.models import Page as File  # noqa: E402
from policity.public_site.models import ArticlePage, HomePage, TranslationPage  # noqa: E402
from policity.public_site.services import editing  # noqa: E402
from policity.public_site.services.telling import together  # noqa: E402


def fill() -> None:
    """A tree of articles in five languages, each as Wagtail saves it."""
    editing.begin()
    below = HomePage.objects.get()
    below = below.get_children().get(slug="news").specific
    for first in range(0, ARTICLES, 25):
        with transaction.atomic(), together():
            for number in range(first, first + 25):
                title, body = article(number, "ja")
                page = ArticlePage(slug=f"p{number}", title=title, live=True)
                editing.fill(page, {"title": title, "body": [{"type": "text", "value": body}]})
                Page.objects.get(pk=below.pk).add_child(instance=page)
                for code in LANGUAGES[1:]:
                    title, body = article(number, code)
                    said = TranslationPage(language=code, slug=code, title=title, live=True)
                    editing.fill(said, {"title": title, "body": [{"type": "text", "value": body}]})
                    page.add_child(instance=said)
    services.render_due(now=timezone.now())


def render() -> None:
    """Every page anew: rendered, compressed twice, written. Says how many and how long."""
    with transaction.atomic():
        # As after a release: nothing that lies there is as it would be made.
        File.objects.exclude(digest="").update(digest="-")
    began = time.monotonic()
    services.rebuild()
    report = services.render_due(now=timezone.now())
    assert not report.failed, report
    print(json.dumps({"pages": report.written, "seconds": time.monotonic() - began}))


def alert() -> None:
    """A real warning comes in: when that was."""
    from benchmarks.delivery_parts import TELEGRAM
    from policity.fields.alerts.models import Event, Telegram, Transition
    from policity.fields.alerts.services import ingest

    Transition.objects.all().delete()
    Event.objects.all().delete()
    Telegram.objects.all().delete()
    data = TELEGRAM.read_bytes()
    began = time.time()
    ingest(data, source="bench", now=timezone.now())
    print(json.dumps({"began": began, "committed": time.time()}))


def rebuild() -> None:
    """Have every page wait, and leave the work to the worker."""
    with transaction.atomic():
        File.objects.exclude(digest="").update(digest="-")
    print(services.rebuild())


def waiting() -> None:
    """How many pages are still to be made."""
    print(queries.waiting(now=timezone.now()))


if __name__ == "__main__":
    {"fill": fill, "render": render, "alert": alert, "rebuild": rebuild, "waiting": waiting}[
        sys.argv[1]
    ]()
