"""What may be done to the city's facts: load them, edit a site, say whether it is open."""

from policity.foundations.places.services.editing import BadSite, edit_site
from policity.foundations.places.services.loading import AnotherCity, Changes, Loaded, load_city
from policity.foundations.places.services.opening import (
    ChangedMeanwhile,
    OpeningRefused,
    close_all,
    set_opening,
    take_back,
)

__all__ = [
    "AnotherCity",
    "BadSite",
    "ChangedMeanwhile",
    "Changes",
    "Loaded",
    "OpeningRefused",
    "close_all",
    "edit_site",
    "load_city",
    "set_opening",
    "take_back",
]
