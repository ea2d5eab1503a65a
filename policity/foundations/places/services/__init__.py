"""What may be done to the city's facts: load them, edit a site, say whether it is open."""

from policity.foundations.places.services.editing import BadSite, edit_site
from policity.foundations.places.services.facilities import (
    FacilityRefused,
    close_facility,
    plan,
    take_list,
    write_facility,
)
from policity.foundations.places.services.hazards import (
    HazardRefused,
    publish_hazard_layer,
    take_hazard_layer,
    withdraw_hazard_layer,
)
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
    "FacilityRefused",
    "HazardRefused",
    "Loaded",
    "OpeningRefused",
    "close_all",
    "close_facility",
    "edit_site",
    "load_city",
    "plan",
    "publish_hazard_layer",
    "set_opening",
    "take_back",
    "take_hazard_layer",
    "take_list",
    "withdraw_hazard_layer",
    "write_facility",
]
