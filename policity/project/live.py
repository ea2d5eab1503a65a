"""The live process: counts for the board, and streams it to whoever looks (docs/adr/0009).

Django on granian's embedded server, in one process: its event loop holds the streams, one thread
counts and renders. It gives way to whoever sends.
"""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import django
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from policity.project import environment, logs

# The senders come first.
NICE = 5


async def serve(socket: Path) -> None:
    """Serves until told to stop: streams are ended first, so that nobody is waited for."""
    from django.core.asgi import get_asgi_application

    from policity.back_office.views.live import HUB

    loop = asyncio.get_running_loop()
    server = Server(
        get_asgi_application(),
        uds=socket,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=logs.CONFIGURATION,
    )

    def stop() -> None:
        HUB.end()
        server.stop()  # type: ignore[no-untyped-call]  # granian's own

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    HUB.begin(loop)
    alive = socket.with_name("live.alive")
    ticking = threading.Thread(target=HUB.run, args=(alive.touch,), name="ticks")
    ticking.start()
    try:
        await server.serve()
    finally:
        HUB.end()
        await asyncio.to_thread(ticking.join)


def main(socket: Path) -> None:
    """Prepares Django, and serves."""
    os.nice(NICE)
    # The socket is for the front and the home's group, as the web process's is.
    os.umask(0o117)
    socket.unlink(missing_ok=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", environment.read().settings)
    django.setup()
    asyncio.run(serve(socket))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
