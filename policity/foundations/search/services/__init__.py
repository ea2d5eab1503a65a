"""What is written on pages is noted, and the index follows."""

from policity.foundations.search.services.indexing import index_due, look_over, rebuild

__all__ = ["index_due", "look_over", "rebuild"]
