"""The engines that speak to gateways, each in a process of its own, as the city set them up."""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path

import structlog
from django.conf import settings

from policity.foundations.delivery.channels import engine, smtp, webpush
from policity.foundations.delivery.channels.desk import Hatch, TwoHatches
from policity.foundations.delivery.channels.outbox import Outbox
from policity.foundations.delivery.formats.webpush import Vapid, from_base64url, new_key
from policity.foundations.delivery.rules.pace import rates
from policity.foundations.delivery.services import counterfoils
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Channel
from policity.kit.declare import Lane

log = structlog.get_logger("policity.delivery")

# Subscriptions in one order, 80 bytes each.
PREPARE = 2000
LONGEST_REQUEST = timedelta(seconds=20)
# The engine of every other browser: one keeps but one core busy.
SECOND_PUSH = "push-2"


def folders(lane: Lane) -> dict[str, Path]:
    """Where a lane's hand logs lie, by the name of the engine that writes them."""
    return {name: counterfoils.hand() / f"{lane}-{name}" for name in _names(lane)}


class Engines:
    """A lane's engines, running. `lock` is the descriptor of the lane's lock."""

    def __init__(self, lane: Lane, *, lock: int) -> None:
        self._lane = lane
        self._prepared = 0
        counterfoil = counterfoils.place(lane)
        makes: dict[str, Callable[[], engine.Engine]] = {
            Channel.MAIL: _mail(),
            Channel.PUSH: _push(),
        }
        self._processes = {
            name: engine.Process(
                f"{lane}-{name}",
                folder,
                makes[channel],
                lock=lock,
                rates=rates() if channel == Channel.MAIL else None,
                counterfoil=counterfoil and counterfoil / folder.name,
            )
            for (name, channel), folder in zip(
                _names(lane).items(), folders(lane).values(), strict=True
            )
        }
        self._told: dict[str, str] = {}

    @property
    def hatches(self) -> Mapping[str, Hatch | TwoHatches]:
        """Where their orders go in, by channel."""
        found: dict[str, Hatch | TwoHatches] = {
            name: process.hatch for name, process in self._processes.items()
        }
        if SECOND_PUSH in self._processes:
            found[Channel.PUSH] = TwoHatches(
                self._processes[Channel.PUSH].hatch,
                self._processes[SECOND_PUSH].hatch,
                second=lambda item: _is_second(item.keys[1]),
            )
            del found[SECOND_PUSH]
        return found

    @property
    def alive(self) -> bool:
        """Whether all of them still run."""
        return all(process.alive for process in self._processes.values())

    def prepare(self) -> None:
        """Let notifications be prepared for browsers that are new: emergencies alone need it."""
        version = residents.version()
        if self._lane is Lane.URGENT and version != self._prepared and not settings.DRILL:
            keys = residents.push_keys(since=self._prepared)
            while some := list(islice(keys, PREPARE)):
                raw = [(from_base64url(p256dh), from_base64url(auth)) for p256dh, auth in some]
                for name, second in ((Channel.PUSH, False), (SECOND_PUSH, True)):
                    mine = [keys for keys in raw if _is_second(keys[1]) is second]
                    self._processes[name].expect(mine)
            self._prepared = version

    def troubles(self) -> dict[str, str]:
        """Why nothing moves on a channel, for those where nothing does."""
        channels = _names(self._lane)
        said = {
            channels[name]: process.trouble
            for name, process in self._processes.items()
            if process.trouble
        }
        if said != self._told:
            log.warning("gateways", troubles=said) if said else log.info("gateways_reached")
            self._told = said
        return said

    def end(self) -> None:
        """What is under way is still answered, for a while."""
        for process in self._processes.values():
            process.ask_to_end()
        for process in self._processes.values():
            process.join()


def _names(lane: Lane) -> dict[str, str]:
    """A lane's engines, and the channel of each. Emergencies have two for notifications."""
    channels = {str(channel): str(channel) for channel in Channel.values}
    return channels | {SECOND_PUSH: str(Channel.PUSH)} if lane is Lane.URGENT else channels


def _is_second(auth: bytes) -> bool:
    """Whose a browser is: always the same engine's, which has prepared for it."""
    return bool(auth[-1:] and auth[-1] % 2)


def return_path() -> smtp.ReturnPath:
    """Where the receiving server complains about one person's copy (VERP)."""
    local, _, domain = settings.EMAIL_FROM.rpartition("@")
    return smtp.ReturnPath(local, domain, settings.SECRET_KEY.encode())


def vapid() -> Vapid:
    """Who this city is to push services. Its key is made once, and kept."""
    file = residents.push_key_file()
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


def _mail() -> Callable[[], engine.Engine]:
    if settings.DRILL or not settings.EMAIL_URL:
        return partial(Outbox, Path(settings.HOME) / "outbox")
    return partial(smtp.Smtp, smtp.parse(settings.EMAIL_URL), envelope=return_path())


def _push() -> Callable[[], engine.Engine]:
    if settings.DRILL:
        # Whatever address somebody registered in a drill's home: nothing goes there.
        return partial(Outbox, Path(settings.HOME) / "outbox", ".json")
    return partial(
        webpush.WebPush,
        vapid=vapid(),
        options=attrgetter("options"),
        timeout=LONGEST_REQUEST,
        # A further root certificate, for push services inside the city's own network.
        ca=Path(settings.PUSH_CA).read_bytes() if settings.PUSH_CA else b"",
        allow_private=settings.PUSH_ALLOW_PRIVATE,
    )
