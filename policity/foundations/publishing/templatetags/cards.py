"""What a page says to those who show a link to it elsewhere."""

from typing import Any

from django import template

from policity.design import drills
from policity.design.templatetags.policity import plainly
from policity.foundations.publishing.formats.cards import Card, address

register = template.Library()


@register.inclusion_tag("publishing/card.html", takes_context=True)
def share_card(
    context: dict[str, Any], title: str, *, section: str = "", lead: str = ""
) -> dict[str, Any]:
    """The page's title, lead and picture, as Open Graph; the picture is drawn later."""
    language, public_url = context["language"], context["public_url"]
    title = drills.titled(_line(title), language.code)
    card = Card(title, _line(section), _line(context["city_name"]), language.html)
    return {
        "card": card,
        "lead": _line(lead),
        "page": f"{public_url}{language.prefix}{context['rest']}",
        "picture": f"{public_url}{address(card)}",
    }


def _line(text: str) -> str:
    return " ".join(plainly(text).split())
