"""A code as part of an address. Pure.

Offices number measures as they like ("1-2", "防災１"); an address has letters, digits and dashes.
"""

import re

_OTHER = re.compile(r"[^A-Za-z0-9-]")
_WIDE = 0xFFFF


def part(code: str) -> str:
    """A code in an address: 防1 is "_96321", four digits a sign. No two codes are alike."""
    return _OTHER.sub(_written, code)


def _written(sign: re.Match[str]) -> str:
    number = ord(sign[0])
    return f"__{number:06x}" if number > _WIDE else f"_{number:04x}"
