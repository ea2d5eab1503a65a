"""The engine against a gateway that misbehaves in every way we could think of."""

import random
import socket
import ssl
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from policity.foundations.delivery.channels.smtp import Gateway, Patience, Smtp, parse
from policity.foundations.delivery.rules.handing import Answer, Item, Result

CUT, SILENCE = "cut", "silence"
BODY = b"Subject: x\r\n\r\nhello\r\n"
CALM = Patience(connect=5, command=5, content=5, again=0.01, again_most=0.05, end=0.1)
# Where the gateway falls silent. No shorter: the machine may be busy with other tests.
SHORT = replace(CALM, connect=0.25, command=0.25, content=0.25)
MODES = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lock-step"])


class Gate:
    """A gateway. `answer(verb, person, n)` says what it answers; None is the usual.

    It keeps the protocol's state as Postfix does: an envelope out of order is refused. `eager`
    asks for a content although no recipient is left, as RFC 2920 allows.
    """

    def __init__(
        self, answer=None, *, pipelining=True, eager=False, tls=None, implicit=False, port=0
    ):
        self.answer = answer or (lambda verb, person, n: None)
        self.pipelining, self.eager, self.tls, self.implicit = pipelining, eager, tls, implicit
        self.offers = ["STARTTLS"] if tls and not implicit else []
        self.on_mail = lambda connection, person: None
        self.said = []
        self.taken = []
        self.sockets = []
        self.ended, self.back = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def person(self, words):
        return int(words.split("<b")[1].split("@")[0])

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            # Many small answers would wait for each other's receipt.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets.append(sock)
            if len(self.sockets) > 1:
                self.back.set()
            thread = threading.Thread(target=self.serve, args=(sock, len(self.sockets)))
            self.threads.append(thread)
            thread.start()

    def serve(self, sock, number):
        try:
            if self.implicit:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self.sockets.append(sock)
            self.talk(sock, number)
        except (OSError, ValueError, EOFError):
            pass
        finally:
            sock.close()

    def talk(self, sock, number):
        file = sock.makefile("rb")
        state, person, heard, offers = "start", None, 0, self.offers
        self.reply(sock, "GREETING", person, heard, "220 gate ESMTP")
        while line := file.readline():
            if line.startswith(b"\x16"):
                raise EOFError  # TLS, and this is a gateway that knows none
            assert line.endswith(b"\r\n"), line
            words = line.decode().strip()
            verb = words.partition(" ")[0].partition(":")[0].upper()
            heard += 1
            self.said.append((number, words))
            if verb == "EHLO":
                lines = ["gate", *offers, *["PIPELINING"] * self.pipelining, "8BITMIME"]
                usual = "\r\n".join(f"250-{one}" for one in lines) + "\r\n250 HELP"
            elif verb == "STARTTLS":
                self.reply(sock, verb, person, heard, "220 go ahead")
                sock = self.tls.wrap_socket(sock, server_side=True)
                self.sockets.append(sock)
                file = sock.makefile("rb")
                offers = ["AUTH PLAIN"]
                continue
            elif verb == "MAIL":
                person = self.person(words)
                self.on_mail(number, person)
                usual = "250 2.1.0 Ok" if state == "start" else "503 5.5.1 nested MAIL"
            elif verb == "RCPT":
                usual = "250 2.1.5 Ok" if state == "mail" else "503 5.5.1 need MAIL"
            elif verb == "DATA":
                usual = "354 go on" if state == "rcpt" or self.eager else "503 5.5.1 need RCPT"
            else:
                usual = {"QUIT": "221 bye", "AUTH": "235 welcome"}.get(verb, "250 Ok")
            answer = self.reply(sock, verb, person, heard, usual)
            good = answer[0] in "23"
            if verb == "DATA" and good:
                body = self.content(file)
                usual = "250 2.0.0 Ok: queued" if state == "rcpt" else "554 5.5.1 no recipients"
                if self.reply(sock, "END", person, heard, usual)[0] == "2":
                    self.taken.append((person, body))
                state = "start"
            elif verb == "RSET":
                state = "start"
            elif good:
                state = {"MAIL": "mail", "RCPT": "rcpt"}.get(verb, state)

    def content(self, file):
        lines = []
        # As lenient as the worst server: a bare line feed ends a line too.
        while (line := file.readline()) not in (b".\r\n", b".\n"):
            if not line:
                raise EOFError
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def reply(self, sock, verb, person, heard, usual):
        answer = self.answer(verb, person, heard) or usual
        if answer == SILENCE:
            self.ended.wait(5)
            raise EOFError
        last = answer.endswith(CUT)
        answer = answer.removesuffix(CUT)
        if answer:
            sock.sendall(answer.encode("latin-1") + b"\r\n")
        if last:
            raise EOFError
        return answer.strip()

    def close(self):
        self.ended.set()
        self.back.set()
        # An accept under way would keep the port open.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.threads[0].join(1)
        for sock in self.sockets:
            with suppress(OSError):
                # An SSLSocket's own shutdown would let the thread read on in the clear.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self.threads[1:]:
            thread.join(1)
            assert not thread.is_alive()

    def verbs(self):
        return [words.partition(" ")[0].partition(":")[0] for _, words in self.said]


@contextmanager
def gate(*args, **more):
    found = Gate(*args, **more)
    try:
        yield found
    finally:
        found.close()


class Desk:
    """Keeps what was noted, in order; ends when every item has its answer, or after `most`.

    `stop` ends it before.
    """

    def __init__(self, count=1, *, body=BODY, most=10.0, stop=lambda: False):
        self.stop = stop
        self.waiting = deque(
            Item(1, 1, person, f"p{person}@example.jp", (body,)) for person in range(count)
        )
        self.count, self.until = count, time.monotonic() + most
        self.begun, self.answers = [], {}
        self.takes = self.waits = 0
        self.slow = 0.0

    def take(self, limit):
        assert limit > 0
        self.takes += 1
        return [self.waiting.popleft() for _ in range(min(limit, len(self.waiting)))]

    def note(self, answers, begun):
        assert answers or begun
        time.sleep(self.slow)
        for answer in answers:
            assert answer.item.person not in self.answers
            self.answers[answer.item.person] = answer
        self.begun += [item.person for item in begun]

    def wait(self, seconds):
        self.waits += 1
        if len(self.answers) == self.count or time.monotonic() > self.until or self.stop():
            return False
        if not self.waiting:
            time.sleep(min(seconds, 0.005))
        return True

    def results(self):
        return [self.answers[person].result for person in sorted(self.answers)]


def engine(server, *, connections=1, patience=CALM, gateway=None, **more):
    given = {
        "envelope": lambda item: f"b{item.person}@example.jp",
        "connections": connections,
        "hello": "test.example",
        "patience": patience,
    }
    return Smtp(gateway or Gateway("127.0.0.1", server.port), **(given | more))


def send(server, desk, **more):
    smtp = engine(server, **more)
    smtp.run(desk)
    return smtp


def only(verb, person, answer):
    """An answer for one verb and person."""
    return lambda said, whose, n: answer if (said, whose) == (verb, person) else None


@MODES
def test_every_item_is_handed_over_once(pipelining):
    desk = Desk(100)
    with gate(pipelining=pipelining) as server:
        smtp = send(server, desk, connections=4)
    assert sorted(server.taken) == [(person, BODY) for person in range(100)]
    assert desk.answers[7] == Answer(
        Item(1, 1, 7, "p7@example.jp", (BODY,)), Result.HANDED, 250, "2.0.0 Ok: queued"
    )
    assert desk.results() == [Result.HANDED] * 100
    assert server.verbs().count("EHLO") == server.verbs().count("QUIT") == 4
    assert (1, "EHLO test.example") in server.said
    assert smtp.trouble == ""


@MODES
def test_a_note_stands_before_the_bytes(pipelining):
    """The item's beginning before its MAIL, and the answers of those before the one under way."""
    desk = Desk(40)
    desk.slow = 0.002
    before: dict[int, list[int]] = {}
    wrong = []

    def on_mail(connection, person):
        if person not in desk.begun:
            wrong.append(("begun", person))
        mine = before.setdefault(connection, [])
        noted = mine[: -1 if pipelining else None]
        wrong.extend(("answer", other) for other in noted if other not in desk.answers)
        mine.append(person)

    with gate(pipelining=pipelining) as server:
        server.on_mail = on_mail
        send(server, desk, connections=3)
    assert not wrong
    counts = [len(mine) for mine in before.values()]
    assert sum(counts) == 40
    assert max(counts) > 3


def test_one_write_ends_a_message_and_begins_the_next():
    """And a gateway that offers no PIPELINING never hears two commands at once."""
    for pipelining in (True, False):
        heard: list[bytes] = []
        listener = socket.create_server(("127.0.0.1", 0))

        def serve(listener=listener, pipelining=pipelining, heard=heard):
            sock, _ = listener.accept()
            with sock:
                sock.sendall(b"220 hi\r\n")
                while data := sock.recv(65536):
                    heard.append(data)
                    if data.startswith(b"EHLO"):
                        sock.sendall(b"250-x\r\n250 PIPELINING\r\n" if pipelining else b"250 x\r\n")
                        continue
                    found = []
                    for line in data.split(b"\r\n"):
                        if line == b"DATA":
                            found.append(b"354 go\r\n")
                        elif line == b"." or line.startswith((b"MAIL", b"RCPT")):
                            found.append(b"250 ok\r\n")
                    sock.sendall(b"".join(found))

        thread = threading.Thread(target=serve)
        thread.start()
        desk = Desk(3)
        smtp = engine(None, gateway=Gateway("127.0.0.1", listener.getsockname()[1]))
        smtp.run(desk)
        thread.join(1)
        listener.close()
        assert desk.results() == [Result.HANDED] * 3
        if pipelining:
            assert heard[2:4] == [
                BODY
                + b".\r\nMAIL FROM:<b%d@example.jp>\r\nRCPT TO:<p%d@example.jp>\r\nDATA\r\n"
                % (n, n)
                for n in (1, 2)
            ]
        else:
            assert all(data.count(b"\r\n") == 1 or data == BODY + b".\r\n" for data in heard)


REFUSALS = [
    ("MAIL", "450 4.7.1 later", Result.LATER),
    ("MAIL", "550 5.1.1 no", Result.LATER),
    ("RCPT", "450 4.2.1 later", Result.LATER),
    ("RCPT", "452 full", Result.LATER),
    ("RCPT", "550 unknown", Result.GONE),
    ("RCPT", "550 5.1.1 unknown", Result.GONE),
    ("RCPT", "550-5.1.1 unknown,\r\n550 5.1.1 really", Result.GONE),
    ("RCPT", "551 5.1.6 moved", Result.GONE),
    ("RCPT", "553 5.1.3 not an address", Result.GONE),
    ("RCPT", "553 not an address", Result.FAILED),
    ("RCPT", "551 moved", Result.FAILED),
    ("RCPT", "550 5.7.1 blocked", Result.FAILED),
    ("RCPT", "550 5.1.8 sender refused", Result.FAILED),
    ("RCPT", "550 5.1.7 sender refused", Result.FAILED),
    ("RCPT", "552 5.2.2 full", Result.FAILED),
    ("DATA", "451 later", Result.LATER),
    ("DATA", "554 no", Result.FAILED),
    ("END", "451 4.3.0 later", Result.LATER),
    ("END", "554 5.6.0 spam", Result.FAILED),
    ("END", "550 5.1.1 after all", Result.FAILED),
]


@MODES
@pytest.mark.parametrize("eager", [False, True], ids=["plain", "eager"])
@pytest.mark.parametrize(("verb", "answer", "result"), REFUSALS)
def test_a_refusal_is_one_items_and_the_rest_go_on(verb, answer, result, eager, pipelining):
    for person in (0, 2, 4):
        desk = Desk(5)
        with gate(only(verb, person, answer), pipelining=pipelining, eager=eager) as server:
            send(server, desk)
        assert desk.answers[person].code == int(answer[:3])
        assert desk.answers[person].result is result
        others = [other for other in range(5) if other != person]
        assert [desk.answers[other].result for other in others] == [Result.HANDED] * 4
        assert sorted(server.taken) == [(other, BODY) for other in others]
        assert server.verbs().count("EHLO") == 1
        if not pipelining:
            # What was refused is not gone on with.
            assert server.verbs().count("DATA") == 4 + (verb in ("DATA", "END"))


def test_all_lines_of_an_answer_are_its_text():
    desk = Desk(1)
    with gate(
        only("RCPT", 0, "550-5.1.1 no\x07\x80\r\n550-5.1.1 such\r\n550 5.1.1 user")
    ) as server:
        send(server, desk)
    assert desk.answers[0].text == "5.1.1 no � 5.1.1 such 5.1.1 user"
    assert desk.answers[0].text.isprintable()


BREAKS = [
    # Where, what, and what that means for the item it hits: only after its content's end is doubt.
    ("MAIL", CUT, Result.LATER, 0),
    ("RCPT", CUT, Result.LATER, 0),
    ("DATA", CUT, Result.LATER, 0),
    ("END", CUT, Result.DOUBT, 0),
    ("MAIL", "421 4.3.2 closing" + CUT, Result.LATER, 421),
    ("RCPT", "421 4.3.2 closing" + CUT, Result.LATER, 421),
    ("DATA", "421 4.3.2 closing" + CUT, Result.LATER, 421),
    ("END", "421 4.3.2 closing" + CUT, Result.DOUBT, 421),
    ("RCPT", SILENCE, Result.LATER, 0),
    ("DATA", SILENCE, Result.LATER, 0),
    ("END", SILENCE, Result.DOUBT, 0),
    ("RCPT", "nonsense", Result.LATER, 0),
    ("END", "nonsense", Result.DOUBT, 0),
    ("RCPT", "354 what", Result.LATER, 354),
    ("DATA", "250 what", Result.LATER, 250),
    ("END", "354 what", Result.DOUBT, 354),
    ("END", "999 what", Result.DOUBT, 999),
    ("MAIL", "x" * 9000, Result.LATER, 0),
    ("MAIL", "\r\n".join(["250-x"] * 300), Result.LATER, 0),
]


@MODES
@pytest.mark.parametrize(("verb", "answer", "result", "code"), BREAKS)
def test_a_broken_connection_leaves_at_most_one_in_doubt(verb, answer, result, code, pipelining):
    desk = Desk(5)
    with gate(only(verb, 2, answer), pipelining=pipelining) as server:
        send(server, desk, patience=SHORT if answer == SILENCE else CALM)
    assert desk.answers[2].result is result
    assert desk.answers[2].code == code
    assert desk.answers[2].text
    rest = {person: desk.answers[person].result for person in (0, 1, 3, 4)}
    assert set(rest.values()) <= {Result.HANDED, Result.LATER}
    assert [person for person, _ in server.taken] == [
        person for person, found in rest.items() if found is Result.HANDED
    ]
    # Only the one whose envelope was on its way behind the content is put back.
    assert list(rest.values()).count(Result.LATER) <= (pipelining and verb == "END")
    assert server.verbs().count("EHLO") == 2


def test_an_answer_counts_although_the_connection_ends_with_it():
    desk = Desk(4)
    with gate(only("END", 1, "250 took it" + CUT)) as server:
        send(server, desk)
    assert desk.results()[:2] == [Result.HANDED] * 2


def back(server, times=3):
    """A desk that ends when the engine has come so many times."""
    return Desk(3, stop=lambda: len(server.sockets) >= times)


def test_from_a_gateway_that_accepts_and_never_answers_nothing_is_taken():
    with gate(lambda verb, person, n: SILENCE if verb == "GREETING" else None) as server:
        desk = back(server)
        smtp = send(server, desk, patience=replace(CALM, connect=0.05))
    assert (desk.takes, desk.begun, desk.answers) == (0, [], {})
    assert smtp.trouble == "no greeting within 0.05 s"


@pytest.mark.parametrize("greeting", ["421 busy" + CUT, "554 go away" + CUT, CUT, "hello"])
def test_an_unfriendly_greeting_takes_nothing(greeting):
    began = time.monotonic()
    with gate(lambda verb, person, n: greeting if verb == "GREETING" else None) as server:
        desk = back(server, 4)
        smtp = send(server, desk)
    assert (desk.takes, desk.answers) == (0, {})
    assert smtp.trouble
    # It comes back less and less often: 10, 20 and 40 ms, each by chance down to its half.
    assert time.monotonic() - began > 0.035


def test_while_nobody_listens_nothing_is_taken_and_nothing_spins():
    unused = socket.create_server(("127.0.0.1", 0))
    port = unused.getsockname()[1]
    unused.close()
    desk = Desk(3, most=0.25)
    smtp = engine(None, gateway=Gateway("127.0.0.1", port), connections=4)
    cpu = time.thread_time()
    smtp.run(desk)
    assert (desk.takes, desk.answers) == (0, {})
    assert "refused" in smtp.trouble
    assert desk.waits < 100
    assert time.thread_time() - cpu < 0.1


def test_a_gateway_that_comes_back_gets_everything():
    server = Gate()
    server.close()
    desk = Desk(5)
    smtp = engine(server, connections=2)
    thread = threading.Thread(target=smtp.run, args=(desk,))
    thread.start()
    time.sleep(0.05)
    assert desk.takes == 0
    with gate(port=server.port):
        thread.join(3)
    assert desk.results() == [Result.HANDED] * 5


def test_an_idle_connection_that_was_closed_is_opened_again(monkeypatch):
    desk = Desk(2)
    last = desk.waiting.pop()
    wait = desk.wait
    with gate() as server:

        def waiting(seconds):
            if desk.answers and len(server.sockets) == 1:
                server.sockets[0].shutdown(socket.SHUT_RDWR)
            elif len(server.sockets) == 2 and len(desk.begun) == 1 and not desk.waiting:
                desk.waiting.append(last)
            return wait(seconds)

        monkeypatch.setattr(desk, "wait", waiting)
        send(server, desk)
    assert desk.results() == [Result.HANDED] * 2
    assert server.verbs().count("EHLO") == 2


@pytest.mark.parametrize(
    ("verb", "result"), [("END", Result.DOUBT), ("RCPT", Result.LATER), ("MAIL", Result.LATER)]
)
def test_the_end_waits_for_answers_but_not_for_ever(verb, result):
    desk = Desk(1, most=0.05)
    began = time.monotonic()
    with gate(lambda said, person, n: SILENCE if said == verb else None) as server:
        send(server, desk, patience=Patience(end=0.1))
        assert 0.1 <= time.monotonic() - began < 1
    assert desk.results() == [result]
    assert desk.answers[0].text == "the engine ended"


def test_what_is_under_way_at_the_end_is_finished(monkeypatch):
    desk = Desk(2, most=0.0)
    desk.until = float("inf")
    monkeypatch.setattr(desk, "wait", lambda seconds: not desk.begun)
    with gate() as server:
        send(server, desk, patience=Patience(end=3))
    assert desk.results() == [Result.HANDED] * len(desk.begun)
    assert desk.begun


@MODES
def test_what_is_not_noted_is_not_sent(pipelining, monkeypatch):
    desk = Desk(2)

    def note(answers, begun):
        raise OSError("the disk is full")

    monkeypatch.setattr(desk, "note", note)
    with gate(pipelining=pipelining) as server:
        with pytest.raises(OSError, match="disk is full"):
            send(server, desk)
        time.sleep(0.02)
    assert "MAIL" not in server.verbs()


@pytest.mark.parametrize(
    "address", ["a@b\r\nRCPT TO:<c@d>", "a@b>\n", "a b@c.jp", "", "a@b\0", "山@example.jp", "a@"]
)
def test_what_is_no_address_is_refused_here(address):
    desk = Desk(2)
    desk.waiting[0] = Item(1, 1, 0, address, (BODY,))
    with gate() as server:
        send(server, desk)
    assert desk.results() == [Result.FAILED, Result.HANDED]
    assert desk.begun == [1]
    assert [words for _, words in server.said if "RCPT" in words] == ["RCPT TO:<p1@example.jp>"]


def test_old_mobile_addresses_are_quoted():
    desk = Desk(1)
    desk.waiting[0] = Item(1, 1, 0, "a..b.@docomo.ne.jp", (BODY,))
    with gate() as server:
        send(server, desk)
    assert (1, 'RCPT TO:<"a..b."@docomo.ne.jp>') in server.said


def test_an_envelope_that_is_no_address_or_none(monkeypatch):
    for sender, result in (("", Result.HANDED), ("b0@x\r\nDATA", Result.FAILED)):
        desk = Desk(1)
        with gate() as server:
            monkeypatch.setattr(server, "person", lambda words: 0)
            smtp = engine(server, envelope=dict.fromkeys(desk.waiting, sender).__getitem__)
            smtp.run(desk)
        assert desk.results() == [result]
        assert ((1, "MAIL FROM:<>") in server.said) is (sender == "")


@MODES
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b".",
        b".\r\n",
        b"..\r\n",
        b"a\r\n.\r\nb\r\n",
        b"a\r\n.b\r\n..c\r\n.",
        b"\r\n.\r\n.\r\n",
        b"a\r\n\r\n",
        b"no end",
    ],
)
def test_dots_arrive_as_they_were(body, pipelining):
    desk = Desk(2, body=body)
    with gate(pipelining=pipelining) as server:
        send(server, desk)
    assert desk.results() == [Result.HANDED] * 2
    whole = body if body.endswith(b"\r\n") else body + b"\r\n"
    assert server.taken == [(0, whole), (1, whole)]


def test_a_dot_after_a_bare_line_feed_ends_nothing():
    """Some servers would take it for the end, and what follows for commands."""
    desk = Desk(1, body=b"a\n.\nMAIL FROM:<x@y>\r\n.\n")
    with gate() as server:
        send(server, desk)
    assert server.taken == [(0, b"a\n.\nMAIL FROM:<x@y>\r\n.\n\r\n")]


LARGE = b"0123456789abcdef" * 64 * 1024 * 12


@MODES
def test_a_content_larger_than_the_network_takes_at_once(pipelining):
    desk = Desk(3, body=LARGE)
    with gate(pipelining=pipelining) as server:
        send(server, desk, patience=Patience())
    assert desk.results() == [Result.HANDED] * 3
    assert [body == LARGE + b"\r\n" for _, body in server.taken] == [True] * 3


@MODES
@pytest.mark.parametrize(
    ("answer", "result", "code"),
    [
        (CUT, Result.LATER, 0),
        ("421 stop", Result.LATER, 421),
        ("552 5.3.4 too big", Result.FAILED, 552),
        ("452 4.3.1 too big now", Result.LATER, 452),
        ("250 I have seen enough", Result.LATER, 0),
        (SILENCE, Result.LATER, 0),
    ],
)
def test_before_its_end_a_content_is_never_in_doubt(answer, result, code, pipelining, monkeypatch):
    desk = Desk(2, body=LARGE)
    with gate(pipelining=pipelining) as server:

        def content(file):
            if len(server.sockets) > 1:
                return Gate.content(server, file)
            file.read(1000)
            sock = server.sockets[0]
            if answer not in (CUT, SILENCE):
                sock.sendall(answer.encode() + b"\r\n")
            if answer != CUT:
                # To close is ours, for nobody knows any more where the content ends.
                server.back.wait(5)
            raise EOFError

        monkeypatch.setattr(server, "content", content)
        began = time.monotonic()
        send(server, desk, patience=replace(CALM, command=0.25 if answer == SILENCE else 5))
        assert time.monotonic() - began < 4
    assert (desk.answers[0].result, desk.answers[0].code) == (result, code)
    assert desk.answers[1].result in (Result.LATER, Result.HANDED)


@MODES
@pytest.mark.parametrize("seed", range(3))
def test_whatever_goes_wrong_the_books_are_right(seed, pipelining):
    """Who is HANDED was taken; who is LATER, FAILED or GONE was not; nobody is forgotten."""
    dice = random.Random(seed)
    wrongs = [
        "450 4.7.1 later",
        "550 5.1.1 no",
        "554 no",
        "421 closing" + CUT,
        CUT,
        "nonsense",
        "550-two\r\n550 lines",
    ]

    def answer(verb, person, n):
        return dice.choice(wrongs) if verb != "QUIT" and dice.random() < 0.04 else None

    desk = Desk(400)
    with gate(answer, pipelining=pipelining, eager=seed % 2) as server:
        send(server, desk, connections=6)
    taken = [person for person, _ in server.taken]
    assert len(desk.answers) == 400
    assert len(set(taken)) == len(taken)
    handed = {p for p, found in desk.answers.items() if found.result is Result.HANDED}
    doubted = {p for p, found in desk.answers.items() if found.result is Result.DOUBT}
    assert handed <= set(taken) <= handed | doubted
    assert len(handed) > 250
    assert {Result.LATER, Result.FAILED} <= {found.result for found in desk.answers.values()}


def a_key():
    return ec.generate_private_key(ec.SECP256R1())


def a_certificate(name, key, issuer, issuer_key, *, ca):
    def named(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """(the server's context, one of a client that trusts it)."""
    authority, key = a_key(), a_key()
    root = a_certificate("test CA", authority, "test CA", authority, ca=True)
    leaf = a_certificate("gate", key, "test CA", authority, ca=False)
    file = tmp_path_factory.mktemp("tls") / "gate.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + leaf.public_bytes(pem)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=root.public_bytes(pem).decode())


def secured(server, security, **more):
    return Gateway("127.0.0.1", server.port, security, **more)


@MODES
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_everything_works_under_tls(tls, security, pipelining):
    desk = Desk(30, body=b"x" * 100_000)
    with gate(pipelining=pipelining, tls=tls[0], implicit=security == "tls") as server:
        if security == "tls":
            server.offers = ["AUTH LOGIN PLAIN"]
        gateway = secured(server, security, user="u:山", password="p w")
        send(server, desk, gateway=gateway, tls=tls[1], connections=1, patience=Patience())
    assert desk.results() == [Result.HANDED] * 30
    assert sorted(person for person, _ in server.taken) == list(range(30))
    assert server.verbs()[:3] == (
        ["EHLO", "AUTH", "MAIL"] if security == "tls" else ["EHLO", "STARTTLS", "EHLO"]
    )
    assert "AUTH PLAIN AHU65bGxAHAgdw==" in [words for _, words in server.said]


def test_more_than_a_network_buffer_under_tls(tls):
    desk = Desk(3, body=LARGE)
    with gate(tls=tls[0], implicit=True) as server:
        gateway = secured(server, "tls")
        send(server, desk, gateway=gateway, tls=tls[1], patience=Patience())
    assert [body == LARGE + b"\r\n" for _, body in server.taken] == [True] * 3


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_nobody_vouches_for_gets_nothing(tls, security):
    with gate(tls=tls[0], implicit=security == "tls") as server:
        desk = back(server)
        smtp = send(server, desk, gateway=secured(server, security, user="u", password="p"))
    assert (desk.takes, desk.answers) == (0, {})
    assert "CERTIFICATE_VERIFY_FAILED" in smtp.trouble
    assert "AUTH" not in server.verbs()


def test_a_certificate_of_another_host_gets_nothing(tls):
    with gate(tls=tls[0], implicit=True) as server:
        desk = back(server, 5)
        gateway = Gateway("localhost", server.port, "tls")
        smtp = send(server, desk, gateway=gateway, tls=tls[1])
    assert (desk.takes, desk.answers) == (0, {})
    assert "localhost" in smtp.trouble


@pytest.mark.parametrize(
    ("verb", "answer", "trouble"),
    [
        ("EHLO", "250 nothing on offer", "the gateway offers no STARTTLS"),
        ("EHLO", "502 no EHLO here", "the gateway offers no STARTTLS"),
        ("STARTTLS", "454 4.7.0 not now", "4.7.0 not now"),
        ("STARTTLS", "220 go\r\n250 and this", "an answer that nobody asked for"),
        ("STARTTLS", "220 go ahead" + CUT, ""),
        ("AUTH", "535 5.7.8 wrong password", "5.7.8 wrong password"),
    ],
)
def test_without_tls_and_a_password_that_holds_nothing_is_said(tls, verb, answer, trouble):
    with gate(lambda said, *_: answer if said == verb else None, tls=tls[0]) as server:
        desk = back(server, 4)
        gateway = secured(server, "starttls", user="u", password="p")
        smtp = send(server, desk, gateway=gateway, tls=tls[1])
    assert (desk.takes, desk.answers) == (0, {})
    assert smtp.trouble == trouble or (not trouble and smtp.trouble)
    assert "MAIL" not in server.verbs()


def test_half_an_answer_in_the_clear_is_not_completed_under_tls(tls):
    with gate(tls=tls[0]) as server:
        desk = back(server)

        def answer(verb, person, n):
            if verb == "STARTTLS":
                server.sockets[-1].sendall(b"220 go\r\n250-SIZE")
                return SILENCE
            return None

        server.answer = answer
        smtp = send(server, desk, gateway=secured(server, "starttls"), tls=tls[1])
    assert (desk.takes, desk.answers) == (0, {})
    assert smtp.trouble == "an answer that nobody asked for"


def test_a_gateway_that_answers_the_handshake_with_rubbish():
    with gate() as server:
        desk = back(server)
        smtp = send(server, desk, gateway=secured(server, "tls"))
    assert (desk.takes, desk.answers) == (0, {})
    assert smtp.trouble


def test_a_connection_that_goes_while_tls_takes_it_over(monkeypatch):
    def wrap_socket(sock, **more):
        socket.socket(fileno=sock.detach()).close()
        raise ssl.SSLError("closed before the handshake")

    with gate() as server:
        desk = back(server)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        monkeypatch.setattr(context, "wrap_socket", wrap_socket)
        smtp = send(server, desk, gateway=secured(server, "tls"), tls=context)
    assert (desk.takes, desk.answers) == (0, {})
    assert "closed before the handshake" in smtp.trouble


@pytest.mark.parametrize(("verb", "result"), [("RCPT", Result.LATER), ("END", Result.DOUBT)])
def test_tls_that_breaks_is_a_connection_that_breaks(tls, verb, result):
    """The plain socket underneath says something that is no TLS."""
    desk = Desk(4)
    with gate(tls=tls[0], implicit=True) as server:

        def answer(said, person, n):
            if (said, person) == (verb, 1):
                socket.socket.sendall(server.sockets[1], b"250 ok, in the clear\r\n" * 3)
                return SILENCE
            return None

        server.answer = answer
        gateway = secured(server, "tls")
        send(server, desk, gateway=gateway, tls=tls[1])
    assert desk.answers[1].result is result
    assert desk.answers[0].result is desk.answers[3].result is Result.HANDED


def test_helo_where_ehlo_is_unknown():
    desk = Desk(2)
    with gate(lambda verb, *_: "502 what?" if verb == "EHLO" else None) as server:
        send(server, desk)
    assert desk.results() == [Result.HANDED] * 2
    assert "HELO" in server.verbs()


@pytest.mark.parametrize(
    ("url", "gateway"),
    [
        ("smtp://127.0.0.1:2525", Gateway("127.0.0.1", 2525)),
        ("smtp://mail.city.example.jp", Gateway("mail.city.example.jp", 25)),
        ("smtp://[::1]:26/", Gateway("::1", 26)),
        (
            "smtp+starttls://us%40er:p%2Fw%3A@mail.example.jp",
            Gateway("mail.example.jp", 587, "starttls", "us@er", "p/w:"),
        ),
        ("smtps://u:p@mail.example.jp", Gateway("mail.example.jp", 465, "tls", "u", "p")),
        ("smtps://mail.example.jp:466", Gateway("mail.example.jp", 466, "tls")),
    ],
)
def test_gateways(url, gateway):
    assert parse(url) == gateway


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "begins with smtp://"),
        ("http://mail.example.jp", "begins with smtp://"),
        ("smtp:mail.example.jp", "no valid host"),
        ("smtp://", "no valid host"),
        ("smtp://mail.example.jp:port", "no valid host"),
        ("smtp://mail.example.jp:99999", "no valid host"),
        ("smtp://mail.example.jp:0", "no valid host"),
        ("smtp://[::1", "no valid host"),
        ("smtp://u:secret@mail.example.jp", "TLS only"),
        ("smtps://user@mail.example.jp", "or neither"),
        ("smtps://:secret@mail.example.jp", "or neither"),
        ("smtps://u:secr%00et@mail.example.jp", "or neither"),
        ("smtps://mail.example.jp/path", "ends after the port"),
        ("smtps://u:secret#1@mail.example.jp", r"host|ends after"),
    ],
)
def test_what_is_no_gateway_is_said_without_the_password(url, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        parse(url)
    assert "secr" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_is_not_shown():
    assert "geheim" not in repr(parse("smtps://u:geheim@mail.example.jp"))


@pytest.mark.parametrize("wrong", [{"hello": "a b"}, {"hello": "x\r\nMAIL"}, {"connections": 0}])
def test_an_engine_refuses_what_it_cannot_work_with(wrong):
    with pytest.raises(ValueError, match=r"hello|connection"):
        Smtp(Gateway("127.0.0.1", 25), envelope=lambda item: "", **wrong)
