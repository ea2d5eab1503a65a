"""What every piece of foreign XML passes before anything else looks at it."""

import re
from datetime import datetime
from typing import Any

from lxml import etree

from policity.fields.alerts.rules.bulletin import Refused

LIMIT = 8 * 1024 * 1024
"""Bytes. The largest real telegram has half a megabyte."""

_REASON = 200

# The depth limit and the limits on entities are libxml2's own, in force without huge_tree.
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_blank_text=True,
    remove_comments=True,
    remove_pis=True,
)
_ZIP = b"PK\x03\x04"
_BAD = re.compile(r"\s+")


def one_line(text: str) -> str:
    """A reason for logs and standard error: one short line, whatever was quoted in it."""
    return _BAD.sub(" ", text).strip()[:_REASON]


def parse(data: bytes) -> Any:
    """The root element of well-formed XML without a doctype; raises Refused.

    lxml leaves entity references of a doctype unresolved and says nothing: text would silently
    miss. So a document with a doctype is refused, whatever is in it.
    """
    if len(data) > LIMIT:
        raise Refused(f"larger than {LIMIT} bytes")
    if data.startswith(_ZIP):
        raise Refused("a zip archive: take the telegrams out of it")
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        raise Refused(one_line(f"not well-formed XML: {error.msg}")) from None
    if root is None:
        raise Refused("not well-formed XML: no element")
    tree: Any = root.getroottree()
    if tree.docinfo.doctype:
        raise Refused("has a doctype")
    return root


# Years in which a telegram can have been written; beyond them, moments do not convert.
_FIRST, _LAST = 1900, 2200
# `kit.ruby` marks readings with these: in a text from outside they are written wide.
_SIGNS = str.maketrans("{|}", "｛｜｝")


def moment(text: str | None, what: str) -> datetime:
    """A moment with its time zone; raises Refused."""
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not _FIRST < found.year < _LAST:
        raise Refused(one_line(f"{what} is not a moment: {text!r}"))
    return found


def words(text: str | None) -> str:
    """A text without the line breaks and blanks around it, and without our signs for readings."""
    found = (text or "").strip()
    if "{" in found or "|" in found or "}" in found:
        return found.translate(_SIGNS)
    return found
