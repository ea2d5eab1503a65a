"""Bytes to values and back: JMA's telegrams and CAP alerts."""

from policity.fields.alerts.formats import cap, jmx
from policity.fields.alerts.formats.cap_writer import CapAlert, CapArea, CapInfo, write_cap
from policity.fields.alerts.formats.guard import LIMIT, one_line, parse
from policity.fields.alerts.rules.bulletin import Bulletin, Refused

__all__ = ["LIMIT", "CapAlert", "CapArea", "CapInfo", "one_line", "read", "write_cap"]

_ENVELOPES = {
    "{http://www.w3.org/2005/Atom}feed": "an Atom feed",
    "{http://www.w3.org/2005/Atom}entry": "an Atom entry",
    "rss": "an RSS feed",
    "{urn:oasis:names:tc:emergency:EDXL:DE:1.0}EDXLDistribution": "an EDXL envelope",
}


def read(data: bytes) -> Bulletin:
    """A telegram of JMA (both generations) or a CAP alert (1.0 to 1.2) from its bytes.

    Raises Refused for what is broken or not a telegram, Ignored (a Refused) for a sound one of a
    kind that gives no events. Signatures are not verified.
    """
    root = parse(data)
    tag = root.tag
    if tag == jmx.REPORT:
        return jmx.read(root)
    if tag in cap.ALERTS:
        return cap.read(root)
    if tag in _ENVELOPES:
        raise Refused(f"{_ENVELOPES[tag]}: take the telegram out of it")
    raise Refused(one_line(f"neither a telegram nor an alert: {tag}"))
