"""Templates, pictures and titles become the bytes that are published."""

from policity.foundations.publishing.formats.pages import document, page
from policity.foundations.publishing.formats.pictures import without_notes

__all__ = ["document", "page", "without_notes"]
