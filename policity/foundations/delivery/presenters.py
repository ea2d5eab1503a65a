"""The answer page, in the language of its address."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from policity.foundations.delivery.forms import SITUATIONS, HelpForm
from policity.foundations.delivery.models import Message, Reply
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.publishing.formats import page
from policity.kit import moments
from policity.kit.languages import BY_CODE

# The kind whose levels are the city's own; all others have the equivalent of one.
EVACUATION = "evacuation"


def answer(code: str, message: int, *, link: str, watched: bool) -> bytes:
    """What it is about, and three buttons. With nobody on duty 119 stands instead of one."""
    return _page("reply", code, message, {"watched": watched}, rest=f"reply/{link}/")


def answer_unseen(code: str, *, link: str) -> bytes:
    """The buttons alone, without the database. A call for help would be seen by 119 alone."""
    values = {"watched": False, "city_name": "", "titles": []}
    return page("delivery/reply.html", BY_CODE[code], f"reply/{link}/", values)


def answered(
    code: str,
    message: int,
    chosen: Reply.Answer,
    *,
    link: str,
    at: datetime,
    form: HelpForm | None = None,
) -> bytes:
    """What was taken, and what happens now."""
    return _page(
        "replied",
        code,
        message,
        {
            "chosen": chosen.value,
            "at": moments.clock(timezone.localtime(at), code),
            "more": f"{BY_CODE[code].prefix}reply/{link}/more/",
            "situations": SITUATIONS,
            "form": form,
        },
        rest=f"reply/{link}/",
    )


def told(code: str, message: int) -> bytes:
    """What somebody who needs help added was taken."""
    return _page("told", code, message, {}, rest="")


def bad_link(code: str) -> bytes:
    """The link is none of ours, or its owner has left."""
    return _page("bad_link", code, 0, {}, rest="")


def _page(name: str, code: str, message: int, values: Mapping[str, Any], *, rest: str) -> bytes:
    city = places_queries.city()
    about = Message.objects.filter(pk=message).select_related("dispatch").first()
    told = [about, *about.sent_along.order_by("pk")] if about else []
    context = {
        "city_name": places.city_name(city, code),
        "about": about,
        "own": about is not None and about.kind == EVACUATION,
        "path": about.dispatch.path if about else "",
        "titles": [one.texts[code]["title"] for one in told],
        **values,
    }
    return page(f"delivery/{name}.html", BY_CODE[code], rest, context)
