"""Addresses of the web, and what a server's clock says. Pure."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Stricter than the standard: what two readers of an address could understand differently
# (a user name, a backslash, white space) is no address.
_ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?/[^\\\s]*", re.I)


def is_web_address(address: str) -> bool:
    """Whether an address is a plain http(s) address, without user name or tricks."""
    return _ADDRESS.fullmatch(address) is not None


def same_host(address: str, other: str) -> bool:
    """Whether `other` is of the same host as `address`, by the same way or by https instead."""
    ours, theirs = _ADDRESS.fullmatch(address), _ADDRESS.fullmatch(other)
    if not ours or not theirs or ours[2].lower() != theirs[2].lower():
        return False
    return _way(ours) == _way(theirs) or _way(theirs) == ("https", "443")


def _way(address: re.Match[str]) -> tuple[str, str]:
    scheme = address[1].lower()
    return scheme, address[3] or ("443" if scheme == "https" else "80")


def server_time(date: str, *, age: str = "") -> datetime | None:
    """What a server's clock says, by its answer's headers (RFC 9110, 6.6.1; RFC 9111, 5.1).

    None where it says nothing that can be read. A cache's answer is as old as it says.
    """
    try:
        said = parsedate_to_datetime(date)
        return said.replace(tzinfo=said.tzinfo or UTC) + timedelta(seconds=int(age or "0"))
    except (ValueError, OverflowError):
        return None
