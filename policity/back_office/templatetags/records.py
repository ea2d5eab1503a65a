"""What the board says of the state of emergency, in whichever pane stands first; numbers."""

from django import template

from policity.back_office.presenters.hand_over import Emergency, emergency
from policity.back_office.presenters.reach import number

register = template.Library()
register.filter("commas", number)


@register.inclusion_tag("back_office/board/emergency.html")
def emergency_strip() -> dict[str, Emergency]:
    """Since when and by whom, and what waits; nothing in calm times."""
    return {"found": emergency()}
