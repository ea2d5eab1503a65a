"""How grave a thing is, for everything anybody is told, in CAP's words."""

from enum import StrEnum


class Severity(StrEnum):
    """How grave, for every phenomenon, in CAP's words. Compare with `rank`."""

    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"

    @property
    def rank(self) -> int:
        """1 (minor) to 4 (extreme)."""
        return list(Severity).index(self) + 1
