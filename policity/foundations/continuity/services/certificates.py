"""Until when browsers trust the city's own address, seen from here as they see it."""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from policity.foundations.continuity.queries import CERTIFICATE
from policity.foundations.continuity.services.noting import note

# Seconds.
PATIENCE = 5


def look_at_certificate(
    place: Path, url: str, *, now: datetime, trusting: ssl.SSLContext | None = None
) -> None:
    """See until when the city's own address is trusted, as a browser would, and note it.

    Where it cannot be reached from here, what was seen before stays: it is no certificate's fault.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return
    until, fault = None, ""
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=PATIENCE) as raw,
            (trusting or ssl.create_default_context()).wrap_socket(
                raw, server_hostname=parts.hostname
            ) as wrapped,
        ):
            said = wrapped.getpeercert() or {}
        until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(said["notAfter"])), UTC)
    except ssl.SSLCertVerificationError as error:
        fault = f"ブラウザーが信用しない証明書です（{error.verify_message}）"
    except OSError:
        return
    note(
        place, CERTIFICATE,
        {"at": now.isoformat(), "until": until and until.isoformat(), "fault": fault},
    )  # fmt: skip
