"""How fast a receiving domain is given mails. Pure: whoever asks says what time it is."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from policity.foundations.delivery.rules.handing import Item


class Pace:
    """Spaces the mails to each domain that has a limit. One object for a sender."""

    def __init__(self, per_second: Mapping[str, float]) -> None:
        self._gaps = {domain.lower(): 1 / rate for domain, rate in per_second.items()}
        self._ready: dict[str, float] = {}

    def __call__(self, item: Item, now: float) -> float:
        """For how many seconds an item must still wait. 0: it goes, and the next one waits."""
        domain = item.to.rpartition("@")[2].lower()
        gap = self._gaps.get(domain)
        if gap is None:
            return 0.0
        ready = self._ready.get(domain, now)
        if ready > now:
            return ready - now
        self._ready[domain] = now + gap
        return 0.0


def parse(text: str) -> Mapping[str, float]:
    """Mails a second by domain. Raises ValueError that names the faulty entry."""
    found = tomllib.loads(text).get("per_second", {})
    for domain, rate in found.items():
        if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
            raise ValueError(f"rates.toml: {domain} needs a number above 0")
    return {domain: float(rate) for domain, rate in found.items()}


@cache
def rates() -> Mapping[str, float]:
    """The rates that ship: none."""
    return parse(
        (files("policity.foundations.delivery") / "facts" / "rates.toml").read_text("utf-8")
    )
