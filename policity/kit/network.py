"""Network addresses: which are on the open internet, whose a request is, where a name leads."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet, or stands for one that is.

    6to4 and Teredo are refused: they wrap any IPv4 address, and nothing we talk to is there. So are
    site-local addresses, which Python takes for global ones, and addresses with a zone. Raises
    ValueError for what is no address.
    """
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.sixtofour or found.teredo or found.is_site_local or found.scope_id:
            return False
        if found in _NAT64:
            found = IPv4Address(int(found) & 0xFFFFFFFF)
        else:
            found = found.ipv4_mapped or found
    return found.is_global and not (found.is_multicast or found.is_reserved)


def last_hop(forwarded: str) -> str:
    """Whose request it is, by X-Forwarded-For: what our own front wrote, which is the last.

    Whatever stands before it is what the client says of itself.
    """
    return forwarded.rpartition(",")[2].strip()


def place(address: str) -> str:
    """An address for counting: a household has a whole /64 in IPv6 (RFC 6177).

    Empty for what is no address.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found), 64), strict=False))
    return str(found)


class NotPublic(OSError):  # noqa: N818  # what is the case
    """A name leads to an address that is not on the open internet."""


async def look_up(host: str, port: int, *, allow_private: bool = False) -> list[str]:
    """The addresses of a host, asked for once: whoever connects, connects to one of these.

    A name that is asked for again may by then lead elsewhere. One address inside among several
    refuses them all. Raises NotPublic, and OSError or ValueError where there is none.
    """
    found = await resolve(host, port)
    if not allow_private and not all(map(is_public, found)):
        raise NotPublic("the address is not a public one")
    return found


async def resolve(host: str, port: int) -> list[str]:
    """What the system's resolver says. Raises OSError, ValueError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
