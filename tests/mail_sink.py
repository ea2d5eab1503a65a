"""A mail server that takes everything, remembers what it took, and can be slow, in a thread."""

import asyncio
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

_MESSAGE_ID = re.compile(rb"(?im)^Message-ID:[ \t]*<([^>\r\n]+)>")


@dataclass
class MailSink:
    """`taken` counts each Message-ID, `first` is when it came first, in seconds since 1970.

    `seconds` is what every mail takes on its connection.
    """

    seconds: float = 0.0
    port: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    keep: bool = False
    connections: int = 0

    def __enter__(self) -> "MailSink":
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await self._stop.wait()
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"220 sink ESMTP\r\n")
        try:
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    writer.write(b"250-sink\r\n250 PIPELINING\r\n")
                elif verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await writer.drain()
                    data = await reader.readuntil(b"\r\n.\r\n")
                    if self.seconds:
                        await asyncio.sleep(self.seconds)
                    self._take(data)
                    writer.write(b"250 taken\r\n")
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _take(self, data: bytes) -> None:
        found = _MESSAGE_ID.search(data)
        assert found, data[:200]
        name = found[1].decode()
        self.taken[name] += 1
        self.first.setdefault(name, time.time())
        if self.keep:
            self.bodies[name] = data
