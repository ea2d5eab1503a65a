"""What may be done to the city's facts: load them from a folder, edit a site."""

from policity.foundations.places.services.editing import BadSite, edit_site
from policity.foundations.places.services.loading import AnotherCity, Changes, Loaded, load_city

__all__ = ["AnotherCity", "BadSite", "Changes", "Loaded", "edit_site", "load_city"]
