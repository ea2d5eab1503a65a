"""The engines that speak to gateways, each in a thread of its own, as the city set them up."""

import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import structlog
from django.conf import settings

from policity.foundations.delivery.channels import smtp, webpush
from policity.foundations.delivery.channels.desk import Log, Tray
from policity.foundations.delivery.channels.outbox import Outbox
from policity.foundations.delivery.formats.webpush import Vapid, new_key
from policity.foundations.delivery.rules.handing import Desk
from policity.foundations.delivery.rules.pace import Pace, rates
from policity.foundations.delivery.services.sending import Sender
from policity.foundations.residents.models import Channel
from policity.kit.declare import Lane

log = structlog.get_logger("policity.delivery")

END_SECONDS = 6.0
LONGEST_REQUEST = timedelta(seconds=20)


def folders(lane: Lane) -> dict[str, Path]:
    """Where a lane's hand logs lie, by channel."""
    hand = Path(settings.HOME) / "run" / "hand"
    return {channel: hand / f"{lane}-{channel}" for channel in Channel.values}


def sender(lane: Lane) -> Sender:
    """A lane's sender, with an empty tray a channel."""
    paces = {Channel.MAIL: Pace(rates())}
    trays = {
        channel: Tray(Log(folder), pace=paces.get(Channel(channel)))
        for channel, folder in folders(lane).items()
    }
    return Sender(lane, trays)


class Engine(Protocol):
    """Hands over what a desk gives. `trouble` says why nothing moves, in the system's words."""

    trouble: str

    def run(self, desk: Desk) -> None:
        """Work until the desk says that it is enough."""
        ...


class Engines:
    """The engines of a sender, running."""

    def __init__(self, sender: Sender) -> None:
        self._trays = sender.trays
        self._engines = _engines(sender)
        self._threads = [
            threading.Thread(target=self._run, args=(channel,), name=channel, daemon=True)
            for channel in self._engines
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether all of them still run."""
        return all(thread.is_alive() for thread in self._threads)

    def troubles(self) -> dict[str, str]:
        """Why nothing moves on a channel, for those where nothing does."""
        said = {c: self._trays[c].trouble or e.trouble for c, e in self._engines.items()}
        return {channel: text for channel, text in said.items() if text}

    def end(self) -> None:
        """What is under way is still answered, for a while."""
        for tray in self._trays.values():
            tray.end()
        deadline = time.monotonic() + END_SECONDS
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _run(self, channel: str) -> None:
        try:
            self._engines[channel].run(self._trays[channel])
        except Exception:
            # The sender ends with it, and the supervisor starts both again.
            log.exception("engine_failed", channel=channel)


def _engines(sender: Sender) -> dict[str, Engine]:
    mail: Engine
    if settings.EMAIL_URL:
        mail = smtp.Smtp(smtp.parse(settings.EMAIL_URL), envelope=sender.envelope)
    else:
        mail = Outbox(Path(settings.HOME) / "outbox", name=sender.file)
    push = webpush.WebPush(
        vapid=vapid(),
        options=sender.options,
        timeout=LONGEST_REQUEST,
        ca=_ca(),
        allow_private=settings.PUSH_ALLOW_PRIVATE,
    )
    return {Channel.MAIL: mail, Channel.PUSH: push}


def vapid() -> Vapid:
    """Who this city is to push services. Its key is made once, and kept in the home."""
    file = Path(settings.HOME) / "vapid.key"
    if not file.exists():
        part = file.with_suffix(f".{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(new_key() + "\n")
        try:
            # A link, not a rename: of two processes at once, the first one's key stands.
            file.hardlink_to(part)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return Vapid(file.read_text().strip(), f"mailto:{settings.EMAIL_FROM}")


def _ca() -> bytes:
    """A further root certificate, for push services inside the city's own network."""
    return Path(settings.PUSH_CA).read_bytes() if settings.PUSH_CA else b""
