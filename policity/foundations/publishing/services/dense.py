"""Making pages smaller when there is nothing else to do."""

import threading
from datetime import datetime

import brotli

from policity.foundations.publishing.models import Page
from policity.foundations.publishing.services import tree
from policity.foundations.publishing.services.recording import digest
from policity.foundations.publishing.services.rendering import Clock
from policity.foundations.publishing.services.stale import put_pages
from policity.foundations.work import queries as waiting

GLANCE_SECONDS = 0.02


def deepen(*, now: datetime) -> bool:
    """Recompress one page's brotli file as far as it goes. False: none is left, or work came up.

    A tenth of a second or more of computing, on a thread of its own, so that urgent work of any
    kind is seen within `GLANCE_SECONDS`; then what was begun is given up.
    """
    clock = Clock(now)
    page = Page.objects.filter(dense=False).exclude(digest="").order_by("rendered_at").first()
    if page is None:
        return False
    body = tree.read(page.address)
    if body is None or digest(body) != page.digest:
        # Somebody else's hand was in the folder: write the page anew.
        Page.objects.filter(pk=page.pk, digest=page.digest).update(dense=True)
        put_pages([(page.family, page.address)])
        return True
    compressed: list[bytes] = []
    thread = threading.Thread(
        target=lambda: compressed.append(brotli.compress(body, quality=tree.DENSE)), daemon=True
    )
    thread.start()
    while thread.is_alive():
        thread.join(GLANCE_SECONDS)
        if waiting.urgent(now=clock()):
            return False
    with tree.pen():
        same = Page.objects.filter(pk=page.pk, digest=page.digest)
        if same.exists() and tree.read(page.address) == body:
            tree.replace_brotli(page.address, compressed[0])
            same.update(dense=True)
    return True
