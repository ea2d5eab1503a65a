"""Others' calendars: fetched from the open internet, read in a process with a limit."""

import json
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from django.utils import timezone

from policity.foundations.events.formats.reading import (
    CPU_SECONDS,
    LARGEST,
    BadCalendar,
    Item,
    Reading,
)
from policity.kit.fetching import Fetcher, FetchError

BACK, AHEAD = timedelta(days=1), timedelta(days=400)
PATIENCE = 3 * CPU_SECONDS
"""Seconds that a reader may take on a busy machine."""

UNREADABLE = "カレンダーを読むのに、時間がかかりすぎます。くり返しが多すぎるか、壊れています。"


def read(data: bytes, *, now: datetime) -> Reading:
    """What of a calendar is to come, in a process of its own. Raises BadCalendar.

    It ends by itself after some seconds of work: nothing that is written in a calendar holds up
    this process, or eats its memory.
    """
    if len(data) > LARGEST:
        raise BadCalendar(f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです。")
    today = timezone.localdate(now)
    period = [(today - BACK).isoformat(), (today + AHEAD).isoformat()]
    command = [sys.executable, "-m", "policity.foundations.events.formats.reading", *period]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise BadCalendar(UNREADABLE) from error
    if done.returncode != 0:
        raise BadCalendar(UNREADABLE)
    found = json.loads(done.stdout)
    if "refusal" in found:
        raise BadCalendar(found["refusal"])
    items = [
        Item(**item | {"times": [(a, b, off) for a, b, off in item["times"]]})
        for item in found["items"]
    ]
    return Reading(items, [(name, why) for name, why in found["left"]])


class Desk:
    """One calendar after another, fetched and read beside the worker, which looks in for it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="calendars")
        self._under_way: dict[int, Future[Reading]] = {}

    def begin(self, source: int, address: str, *, now: datetime, allow_private: bool) -> None:
        """Have an address fetched and read, unless it is under way already."""
        if source not in self._under_way:
            self._under_way[source] = self._pool.submit(fetch, address, now, allow_private)

    def done(self) -> list[tuple[int, Reading | str]]:
        """What has come in since: a reading, or why there is none, in Japanese."""
        ended = [source for source, future in self._under_way.items() if future.done()]
        return [(source, _said(self._under_way.pop(source))) for source in ended]

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._under_way)


def _said(future: "Future[Reading]") -> Reading | str:
    try:
        return future.result()
    except (BadCalendar, FetchError) as error:
        return str(error)


def fetch(address: str, now: datetime, allow_private: bool) -> Reading:
    """What lies at an address, read. Raises FetchError, BadCalendar."""
    fetcher = Fetcher(allow_private=allow_private)
    try:
        body = fetcher.get(address, limit=LARGEST).result().body
    finally:
        fetcher.close()
    return read(body, now=now)
