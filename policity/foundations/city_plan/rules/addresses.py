"""A code as part of an address. Pure.

Offices number measures as they like ("1-2", "防災１"); an address has letters, digits and dashes.
"""

import re

_OTHER = re.compile(rb"[^A-Za-z0-9-]")


def part(code: str) -> str:
    """A code in an address: what is no letter, digit or dash is written `_e9`. No two are alike."""
    return _OTHER.sub(lambda found: b"_%02x" % found[0][0], code.encode()).decode()
