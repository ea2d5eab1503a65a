"""Envelopes for notifications, made while there is nothing to send.

Agreeing on a key with a browser takes as long as all the rest of a notification. It needs nothing
of the message, so it is done beforehand, once for every browser: each envelope is used once and
then made anew. They live in memory only. A browser without one waits for its own.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable

from policity.foundations.delivery.formats.webpush import Envelope, envelope

# About 0.4 KB each.
MOST = 300_000


class Stock:
    """One envelope a subscription. `want` may be called from another thread than the rest."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ready: dict[tuple[bytes, bytes], Envelope] = {}
        self._wanted: deque[tuple[bytes, bytes]] = deque()

    def want(self, subscriptions: Iterable[tuple[bytes, bytes]]) -> None:
        """Have an envelope ready for each of these (p256dh, auth)."""
        self._wanted.extend(subscriptions)

    def take(self, p256dh: bytes, auth: bytes) -> Envelope:
        """An envelope that nobody has used. Raises ValueError for keys that are none."""
        found = self._ready.pop((p256dh, auth), None)
        if found is None:
            return envelope(p256dh, auth)
        self._wanted.append((p256dh, auth))
        return found

    def fill(self, seconds: float) -> bool:
        """Make some, for about so long. False: nothing is wanted any more."""
        until = self._clock() + seconds
        while self._wanted and len(self._ready) < MOST:
            keys = self._wanted.popleft()
            if keys not in self._ready:
                try:
                    self._ready[keys] = envelope(*keys)
                except ValueError:
                    # It is told when there is something to send.
                    continue
            if self._clock() >= until:
                return True
        return False
