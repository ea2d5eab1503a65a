"""SMTP to one gateway (RFC 5321): one recipient a message, over a few connections that stay open.

It goes in rounds. A round hears every connection that has something to say, takes the next items
from the desk, notes all of it with one call, and only then writes. So nothing is sent before it
is noted, and a note costs a fraction of a message.

A gateway that offers PIPELINING (RFC 2920) gets the end of one content and the envelope of the
next message in one write. Any other gets one command at a time.
"""

import math
import os
import random
import re
import selectors
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from policity.foundations.delivery.formats.mail import mailbox, verp
from policity.foundations.delivery.rules.handing import Answer, Desk, Item, Result

_SECURITY: dict[str, tuple[Literal["none", "starttls", "tls"], int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}
_HOST = re.compile(r"[0-9A-Za-z.:_-]+")
_HELLO = re.compile(r"[0-9A-Za-z.-]+|\[[0-9A-Za-z.:]+\]")
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")
# 5.1.7 and 5.1.8 are about the sender: Postfix says them of each recipient (RFC 3463, 3.2).
_OURS = ("5.1.7", "5.1.8")

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_CHUNK = 64 * 1024
# An answer longer than this is no answer.
_LONGEST_LINE = 8 * 1024
_MOST_LINES = 200
_TEXT = 300

# While some connections wait for answers and others have nothing to do, the desk is asked again
# after this many seconds.
_GLANCE = 0.05


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where mail is handed over, and how. `user` and `password` only with TLS."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password: str = field(default="", repr=False)


def parse(url: str) -> Gateway:
    """A gateway from its URL; raises ValueError with a line for whoever wrote it.

    smtp://host:port, smtp+starttls://user:password@host:port or smtps://user:password@host:port.
    Ports default to 25, 587 and 465. User and password are percent-encoded.
    """
    # The URL itself is in no message, because the password is in the URL.
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("the mail gateway's URL has no valid host and port") from None
    if parts.scheme not in _SECURITY:
        raise ValueError("the mail gateway's URL begins with smtp://, smtp+starttls:// or smtps://")
    security, default = _SECURITY[parts.scheme]
    if not _HOST.fullmatch(host) or port == 0:
        raise ValueError("the mail gateway's URL has no valid host and port")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("the mail gateway's URL ends after the port; is a / or # not encoded?")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password) or "\0" in user + password:
        raise ValueError("the mail gateway's URL has a user and a password, or neither")
    if user and security == "none":
        raise ValueError("a password is sent over TLS only: use smtp+starttls:// or smtps://")
    return Gateway(host, port or default, security, user, password)


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """The envelope sender of every item: `verp` with a city's address and its key."""

    local: str
    domain: str
    key: bytes = field(repr=False)

    def __call__(self, item: Item) -> str:
        """Raises ValueError where the city's address is too long for it."""
        return verp(self.local, self.domain, item.message, item.person, self.key)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the engine waits, in seconds.

    `connect`: from opening a connection until it may carry mail. `command`: for the answer to a
    command, and for the network to take more of a content. `content`: for the answer to a whole
    content; short here means doubt (RFC 5321, 4.5.3.2, says ten minutes). `again`, `again_most`:
    the first and the longest rest before a failed connection is opened again. `end`: for what is
    under way when the engine shall end.
    """

    connect: float = 60
    command: float = 120
    content: float = 600
    again: float = 1
    again_most: float = 60
    end: float = 10


class LineError(Exception):
    """A connection is of no more use. `code` is the answer that said so, 0 if none did."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


Reply = tuple[int, list[bytes]]
Dialogue = Generator[bytes | None, Reply, bool]


def _greeting(gateway: Gateway, hello: str) -> Dialogue:
    """What is said until a connection may carry mail.

    Yields what to write and gets the answer; None asks for TLS. Returns whether the gateway
    offers PIPELINING. What is said in the clear (the offers too) counts for nothing under TLS.
    """
    _expect((yield b""), 220)
    offers = yield from _hello(hello)
    if gateway.security == "starttls":
        if "STARTTLS" not in offers:
            raise LineError("the gateway offers no STARTTLS")
        _expect((yield b"STARTTLS\r\n"), 220)
        yield None
        offers = yield from _hello(hello)
    if gateway.user:
        if "PLAIN" not in offers.get("AUTH", ()):
            raise LineError("the gateway offers no AUTH PLAIN")
        secret = b64encode(f"\0{gateway.user}\0{gateway.password}".encode())
        _expect((yield b"AUTH PLAIN " + secret + b"\r\n"), 235)
    return "PIPELINING" in offers


def _hello(hello: str) -> Generator[bytes | None, Reply, dict[str, list[str]]]:
    """EHLO, or HELO where that is not known; what is offered, with its parameters."""
    reply = yield f"EHLO {hello}\r\n".encode()
    if reply[0] // 100 == 5:
        reply = yield f"HELO {hello}\r\n".encode()
        _expect(reply, 250)
        return {}
    _expect(reply, 250)
    offers = (_plain(line[4:]).upper().split() for line in reply[1][1:])
    return {words[0]: words[1:] for words in offers if words}


def _expect(reply: Reply, code: int) -> None:
    if reply[0] != code:
        raise LineError(_said(reply[1]), reply[0])


# What an answer is about. _HOLLOW: see `_Wire.hollow`.
_RSET, _MAIL, _RCPT, _DATA, _END, _HOLLOW = range(6)
_NAMES = ("RSET", "MAIL", "RCPT", "DATA", "the content", "an empty content")
_ENVELOPE = (_MAIL, _RCPT, _DATA)
_BOTH = (_END, *_ENVELOPE)
_USUAL = [b"250 ", b"250 ", b"250 ", b"354 ", b""]
_RESULTS = {2: Result.HANDED, 4: Result.LATER, 5: Result.FAILED}


class _Wire:
    """One connection: what was said on it, and what the answers mean.

    `begun` is the item to be written next, `coming` the one whose envelope is being settled,
    `sent` the one whose content is on its way. `mark` counts the bytes of `out` up to that
    content's end: at 0 the gateway may have the message, before it cannot.
    """

    __slots__ = (
        "accepted", "asked", "at", "begun", "coming", "connecting", "deadline", "dialogue",
        "due", "envelope", "fails", "file", "gateway", "hello", "hollow", "lines", "mark",
        "mask", "opened", "out", "patience", "pipelining", "queue", "ready", "reset",
        "selector", "sent", "shaking", "sock", "tail", "tls", "useful",
    )  # fmt: skip

    def __init__(
        self,
        gateway: Gateway,
        hello: str,
        patience: Patience,
        tls: ssl.SSLContext | None,
        selector: selectors.BaseSelector,
    ) -> None:
        self.gateway, self.hello, self.patience = gateway, hello, patience
        self.tls, self.selector = tls, selector
        self.sock: Any = None
        self.fails = 0
        self.due = 0.0
        self.clear()

    def clear(self) -> None:
        """Nothing is known of the connection that comes."""
        self.ready = self.useful = self.shaking = self.pipelining = False
        self.connecting = True
        self.out = self.tail = self.envelope = b""
        self.mark = self.at = self.mask = 0
        self.lines: list[bytes] = []
        self.asked: tuple[int, ...] = ()
        self.queue: list[tuple[int, bytes]] = []
        self.begun: Item | None = None
        self.coming: Item | None = None
        self.sent: Item | None = None
        # DATA was answered with 354: for an item, or for none because its recipient was refused.
        self.accepted = self.hollow = False
        # An envelope was refused, and some of it may still stand.
        self.reset = False
        self.opened = 0.0
        self.deadline = math.inf

    def open(self, family: int, kind: int, proto: int, address: Any, now: float) -> None:
        """Begin to connect. Raises OSError; `close` is to be called then too."""
        self.clear()
        self.opened, self.deadline = now, now + self.patience.connect
        self.dialogue = _greeting(self.gateway, self.hello)
        next(self.dialogue)
        self.sock = socket.socket(family, kind, proto)
        # Its number stays what it is when TLS takes the socket over, or fails to.
        self.file = self.sock.fileno()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BlockingIOError):
            self.sock.connect(address)
        self._watch(_WRITE)

    def close(self) -> None:
        if self.sock is None:
            return
        if self.mask:
            self.selector.unregister(self.file)
        self.sock.close()
        self.sock, self.mask = None, 0

    @property
    def free(self) -> bool:
        """Whether the next item may begin, now that it is our turn."""
        return self.pipelining or not (self.accepted or self.hollow or self.queue)

    def on(self, mask: int, now: float, answers: list[Answer]) -> bool:
        """What the selector saw. True if it is our turn to write. Raises LineError or OSError."""
        if self.connecting or self.shaking:
            self._advance()
            return False
        # First what was said: after a reset writing fails, and reading still works.
        if mask & _READ:
            self._hear(now, answers)
        if mask & _WRITE:
            self._flush(now)
        return self.ready and self.at == len(self.asked) and not self.out

    def speak(self, now: float) -> bool:
        """Write what is due: a content, the begun item's envelope. False if nothing is."""
        out, mark = b"", 0
        asked: tuple[int, ...] = ()
        if self.accepted and self.coming is not None:
            out = _content(b"".join(self.coming.pieces))
            asked, mark = (_END,), len(out)
            self.sent, self.coming, self.accepted = self.coming, None, False
        elif self.hollow:
            # RFC 2920, 3.1: it waits for a content although nobody is to get one.
            out, asked, self.hollow = b".\r\n", (_HOLLOW,), False
        if self.begun is not None:
            steps: tuple[int, ...] = _ENVELOPE
            lines = self.envelope
            if self.reset:
                steps, lines, self.reset = (_RSET, *steps), b"RSET\r\n" + lines, False
            self.coming, self.begun = self.begun, None
            if self.pipelining:
                out, asked = out + lines, asked + steps
            else:
                self.queue = list(zip(steps, lines.splitlines(keepends=True), strict=True))
        if self.queue:
            step, out = self.queue.pop(0)
            asked = (step,)
        if not asked:
            self.deadline = math.inf
            return False
        self.out, self.mark, self.asked, self.at = out, mark, asked, 0
        self._flush(now)
        return True

    def lost(self, text: str, code: int) -> list[Answer]:
        """What becomes of the items of a connection that broke: at most one is in doubt."""
        found = []
        if self.sent is not None:
            result = Result.LATER if self.mark else Result.DOUBT
            found.append(Answer(self.sent, result, code, text))
        items = (self.coming, self.begun)
        found += [Answer(item, Result.LATER, code, text) for item in items if item is not None]
        self.begun = self.coming = self.sent = None
        return found

    def late(self) -> str:
        """What a connection past its deadline waited for."""
        if not self.ready:
            return f"no greeting within {self.patience.connect:g} s"
        if self.out:
            return f"nothing more was taken within {self.patience.command:g} s"
        step = self.asked[self.at]
        seconds = self.patience.content if step == _END else self.patience.command
        return f"no answer to {_NAMES[step]} within {seconds:g} s"

    def _watch(self, mask: int) -> None:
        if not self.mask:
            self.selector.register(self.file, mask, self)
        elif mask != self.mask:
            self.selector.modify(self.file, mask, self)
        self.mask = mask

    def _advance(self) -> None:
        """One step from a new socket to one that may be read."""
        if self.connecting:
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
            self.connecting = False
            if self.gateway.security != "tls":
                self._watch(_READ)
                return
            self._wrap()
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(_READ)
        except ssl.SSLWantWriteError:
            self._watch(_WRITE)
        else:
            self.shaking = False
            self._watch(_READ)
            if self.gateway.security == "starttls":
                self.out = next(self.dialogue) or b""
                self._flush(self.opened)

    def _wrap(self) -> None:
        assert self.tls is not None  # noqa: S101  # Smtp gives one whenever the gateway needs it
        self.sock = self.tls.wrap_socket(
            self.sock, server_hostname=self.gateway.host, do_handshake_on_connect=False
        )
        self.shaking = True

    def _flush(self, now: float) -> None:
        """Write what the network takes; the selector tells when it takes more."""
        try:
            while self.out:
                done = self.sock.send(self.out)
                self.mark = max(0, self.mark - done)
                self.out = self.out[done:]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        self._watch(_READ | _WRITE if self.out else _READ)
        self._wait(now)

    def _wait(self, now: float) -> None:
        if self.ready:
            whole = self.sent is not None and not self.out
            self.deadline = now + (self.patience.content if whole else self.patience.command)

    def _hear(self, now: float, answers: list[Answer]) -> None:
        try:
            # Longer than a record of TLS, so nothing stays behind where no selector sees it.
            data = self.sock.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        if not data:
            raise LineError("the gateway closed the connection")
        if not self.ready:
            self._greet(list(self._replies(data)))
        elif not self._hear_usual(data, answers):
            for reply in self._replies(data):
                self._judge(*reply, answers)
        if not (self.tail or self.lines):
            # Only whole answers buy time.
            self._wait(now)

    def _hear_usual(self, data: bytes, answers: list[Answer]) -> bool:
        """The same as below, faster, if a content and the next envelope were taken as usual."""
        if self.asked != _BOTH or self.at or self.mark or self.tail or self.lines:
            return False
        lines = data.split(b"\n")
        if [line[:4] for line in lines] != _USUAL or self.sent is None:
            return False
        answers.append(Answer(self.sent, Result.HANDED, 250, _plain(lines[0][4:])[:_TEXT]))
        self.sent, self.at = None, 4
        self.useful = self.accepted = True
        return True

    def _replies(self, data: bytes) -> Iterator[Reply]:
        """The whole answers in what was heard; the rest waits for more."""
        lines = (self.tail + data).split(b"\n")
        self.tail = lines.pop()
        if len(self.tail) > _LONGEST_LINE:
            raise LineError("an answer without an end")
        for line in lines:
            if not line[:3].isdigit():
                raise LineError(f"not an SMTP answer: {_plain(line)[:80]}")
            self.lines.append(line)
            if line[3:4] != b"-":
                whole, self.lines = self.lines, []
                yield int(line[:3]), whole
            elif len(self.lines) > _MOST_LINES:
                raise LineError("an answer without an end")

    def _greet(self, replies: list[Reply]) -> None:
        if not replies:
            return
        if len(replies) > 1 or self.tail:
            # Somebody may have put it there to be taken for an answer under TLS (CVE-2011-0411).
            raise LineError("an answer that nobody asked for")
        try:
            said = self.dialogue.send(replies[0])
        except StopIteration as end:
            self.ready, self.pipelining = True, end.value
            self.deadline = math.inf
            return
        if said is None:
            self._wrap()
            self._advance()
        else:
            self.out = said
            self._flush(self.opened)

    def _judge(self, code: int, lines: list[bytes], answers: list[Answer]) -> None:
        """One answer. Raises LineError if it is the last of this connection."""
        if code == 421 or self.at == len(self.asked):
            raise LineError(_said(lines), code)
        step = self.asked[self.at]
        self.at += 1
        kind = code // 100
        if step == _END and kind in _RESULTS and self.sent is not None:
            early = self.mark > 0
            if early and kind == 2:
                raise LineError("the content was taken before its end")
            answers.append(Answer(self.sent, _RESULTS[kind], code, _said(lines)))
            self.sent, self.useful = None, True
            if early:
                raise LineError("the content was refused before its end")
        elif step == _DATA and kind == 3:
            self.accepted = self.coming is not None
            self.hollow = not self.accepted
        elif step in _ENVELOPE and kind in (4, 5):
            self._refused(step, code, _said(lines), answers)
        elif not (kind == 2 and step != _DATA) and not (kind in (4, 5) and step == _HOLLOW):
            raise LineError(f"an answer out of step: {_said(lines)}", code)

    def _refused(self, step: int, code: int, text: str, answers: list[Answer]) -> None:
        self.reset = True
        self.queue = []
        # RCPT and DATA are refused too once MAIL was; the first refusal is the reason.
        if self.coming is not None:
            # MAIL is about us and not about the recipient: a wrong setting must not fail everybody.
            late = code < 500 or step == _MAIL
            result = Result.LATER if late else Result.FAILED
            if step == _RCPT and _is_gone(code, text):
                result = Result.GONE
            answers.append(Answer(self.coming, result, code, text))
            self.coming, self.useful = None, True


def _is_gone(code: int, text: str) -> bool:
    """Whether a refused recipient is one that will never exist (RFC 3463, 3.2)."""
    status = _STATUS.match(text)
    if status is None:
        return code == 550
    return code in (550, 551, 553) and status[0].startswith("5.1.") and status[0] not in _OURS


def _content(body: bytes) -> bytes:
    """The body as it travels: dots stuffed (RFC 5321, 4.5.2), and its end."""
    if body.startswith(b".") or b"\n." in body:
        # After a bare line feed as well: some servers take that for a line's end.
        body = (b"\n" + body).replace(b"\n.", b"\n..")[1:]
    return body + (b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n")


def _plain(line: bytes) -> str:
    text = line.decode("ascii", "replace").strip()
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _said(lines: list[bytes]) -> str:
    """An answer's text in one line."""
    return " ".join(_plain(line[4:]) for line in lines)[:_TEXT]


class Smtp:
    """Hands over what a desk gives, until the desk says it is enough.

    `envelope` gives the sender of an item's envelope (MAIL FROM); "" is the null sender. `hello`
    is the name we give ourselves, this machine's if empty. `tls` replaces the system's idea of
    whom to trust. `trouble` says why no connection is open, in one line, empty if one is.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        envelope: Callable[[Item], str],
        connections: int = 16,
        hello: str = "",
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        hello = hello or socket.gethostname()
        if not _HELLO.fullmatch(hello):
            raise ValueError(f"not a name to say hello with: {hello[:80]!r}")
        if connections < 1:
            raise ValueError("mail needs at least one connection")
        self.trouble = "not connected yet"
        self._gateway, self._envelope = gateway, envelope
        self._patience = patience = patience or Patience()
        tls = None if gateway.security == "none" else tls or ssl.create_default_context()
        self._selector = selectors.DefaultSelector()
        self._wires = [
            _Wire(gateway, hello, patience, tls, self._selector) for _ in range(connections)
        ]
        self._down = list(self._wires)
        # Those whose turn it is to write, in the order in which they came to it.
        self._turn: dict[_Wire, None] = {}
        self._answers: list[Answer] = []
        self._addresses: list[tuple[Any, ...]] = []
        seconds = (patience.connect, patience.command, patience.content, patience.end, 1)
        self._tick = min(seconds) / 4
        self._sweep = 0.0

    def run(self, desk: Desk) -> None:
        """Work until `desk.wait` says to end, then for `Patience.end` on what is under way.

        To be called once. Raises what the desk raises; nothing that was
        not noted has been sent then.
        """
        alive, until = True, math.inf
        try:
            while alive or (monotonic() < until and self._at_work()):
                self._open_due()
                heard = self._listen()
                self._begin(desk, alive)
                self._speak()
                if alive and not self._stay(desk, heard):
                    alive, until = False, monotonic() + self._patience.end
            self._end(desk)
        finally:
            for wire in self._wires:
                wire.close()
            self._selector.close()

    def _at_work(self) -> bool:
        return bool(self._answers) or any(wire.coming or wire.sent for wire in self._wires)

    def _busy(self) -> int:
        """How many connections are waiting for the gateway."""
        return len(self._wires) - len(self._down) - len(self._turn)

    def _until_due(self, most: float) -> float:
        """Seconds until a closed connection is to be opened again."""
        if not self._down:
            return most
        return min(most, max(0.0, min(wire.due for wire in self._down) - monotonic()))

    def _open_due(self) -> None:
        if not self._down:
            return
        now = monotonic()
        for wire in [wire for wire in self._down if wire.due <= now]:
            self._down.remove(wire)
            try:
                if not self._addresses:
                    # This blocks. Nothing is under way then that could not wait for its answer.
                    self._addresses = list(
                        socket.getaddrinfo(
                            self._gateway.host, self._gateway.port, type=socket.SOCK_STREAM
                        )
                    )
                family, kind, proto, _, address = self._addresses[wire.fails % len(self._addresses)]
                wire.open(family, kind, proto, address, now)
            except OSError as error:
                self._drop(wire, error)

    def _listen(self) -> bool:
        """Hear whoever has something to say; False if nobody had."""
        if self._answers:
            seconds = 0.0
        elif self._turn:
            seconds = _GLANCE if self._busy() else 0.0
        else:
            seconds = self._tick
        events = self._selector.select(self._until_due(seconds))
        now = monotonic()
        for key, mask in events:
            wire: _Wire = key.data
            was_ready = wire.ready
            try:
                if wire.on(mask, now, self._answers):
                    self._turn[wire] = None
            except (LineError, OSError) as error:
                self._drop(wire, error)
            else:
                if wire.ready and not was_ready:
                    self.trouble = ""
        if now >= self._sweep:
            self._sweep = now + self._tick
            for wire in [wire for wire in self._wires if wire.sock and wire.deadline < now]:
                self._drop(wire, LineError(wire.late()))
        return bool(events)

    def _begin(self, desk: Desk, alive: bool) -> None:
        """Take the next items, and note them with all answers since the last round."""
        begun = []
        free = [wire for wire in self._turn if wire.free] if alive else []
        items = desk.take(len(free)) if free else ()
        for wire, item in zip(free, items, strict=False):
            try:
                sender = self._envelope(item)
                sender = mailbox(sender) if sender else ""
                envelope = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{mailbox(item.to)}>\r\nDATA\r\n"
            except ValueError as error:
                self._answers.append(Answer(item, Result.FAILED, 0, str(error)[:_TEXT]))
                continue
            wire.begun, wire.envelope = item, envelope.encode()
            begun.append(item)
        if begun or self._answers:
            answers, self._answers = self._answers, []
            desk.note(answers, begun)

    def _speak(self) -> None:
        now = monotonic()
        for wire in list(self._turn):
            try:
                if wire.speak(now):
                    del self._turn[wire]
            except OSError as error:
                self._drop(wire, error)

    def _stay(self, desk: Desk, heard: bool) -> bool:
        """Rest on the desk while there is nothing to do; False if it is time to end."""
        if self._turn:
            idle = not self._busy() and not self._answers
            return desk.wait(self._until_due(1.0) if idle else 0)
        # With every connection at work or down, the selector is where we rest.
        return heard or desk.wait(0)

    def _drop(self, wire: _Wire, error: Exception) -> None:
        """Close a connection, answer for its items, and settle when it is opened again.

        One that was of use is opened at once: gateways close after so many messages, or when they
        restart. Others rest longer each time, by chance so that they do not all come together.
        """
        now, rest = monotonic(), self._patience
        text = (str(error) or type(error).__name__)[:_TEXT]
        self._answers += wire.lost(text, getattr(error, "code", 0))
        if wire.useful:
            wire.fails, wire.due = 0, now
        else:
            kept = wire.ready and now - wire.opened > rest.again_most
            wire.fails = 1 if kept else wire.fails + 1
            seconds = min(rest.again_most, rest.again * 2 ** min(wire.fails - 1, 20))
            wire.due = now + seconds * random.uniform(0.5, 1)  # noqa: S311  # no secret
        if not wire.ready:
            self._addresses = []
        wire.close()
        wire.ready = wire.useful = False
        self._turn.pop(wire, None)
        self._down.append(wire)
        if not any(other.ready for other in self._wires):
            self.trouble = text

    def _end(self, desk: Desk) -> None:
        """Say goodbye, and answer for what is still under way."""
        for wire in self._wires:
            if wire in self._turn:
                with suppress(OSError):
                    wire.sock.send(b"QUIT\r\n")
            self._answers += wire.lost("the engine ended", 0)
        if self._answers:
            answers, self._answers = self._answers, []
            desk.note(answers, [])
