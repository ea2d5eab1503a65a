"""The city, its sites and which of them are open, as a page says them."""

from policity.foundations.places.presenters.openings import OpenRow, OpenSites, open_sites, uses
from policity.foundations.places.presenters.sites import SiteRow, city_name, listed, rows

__all__ = ["OpenRow", "OpenSites", "SiteRow", "city_name", "listed", "open_sites", "rows", "uses"]
