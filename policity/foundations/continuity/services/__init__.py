"""Copying a city while it runs, and bringing it back."""

from policity.foundations.continuity.services.exporting import export
from policity.foundations.continuity.services.noting import heard_time, note
from policity.foundations.continuity.services.restoring import Restored, restore
from policity.foundations.continuity.services.streaming import Streamer

__all__ = ["Restored", "Streamer", "export", "heard_time", "note", "restore"]
