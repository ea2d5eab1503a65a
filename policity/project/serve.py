"""`policity serve`: one city on one machine, as a handful of processes that live and die together.

The front comes first, so that pages answer at once; then the home is made ready; then the rest,
forked from here, so that what they run is imported once (docs/adr/0014).
"""

import fcntl
import gc
import http.client
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

import structlog

from policity.kit.sides import Role
from policity.project import environment, front, home, logs
from policity.project.children import Child, Forked
from policity.project.environment import Environment

log = structlog.get_logger("policity.serve")

# How long children may take to end; the front ends last, so that readers are served meanwhile.
GRACE_SECONDS = 8.0
FRONT_GRACE_SECONDS = 2.0
# Said first, so that nobody takes one for the other.
ROLES = {
    Role.INTERNET: "インターネット側の設置です（内部側は POLICITY_ROLE=internal） / "
    "The installation that the Internet reaches",
    Role.INTERNAL: "内部側の設置です。市民のページも、電文も、送信もありません / "
    "The internal installation: no public site, no feeds, no sending",
    Role.ALL: "見本：1つの設置が、インターネット側と内部側を兼ねます / "
    "Demo: one installation is both, which a real city never has",
}
# Linux's limit for the path of a Unix socket, less its closing zero byte.
LONGEST_SOCKET_PATH = 107


def main(where: Environment) -> int:
    """Serves until SIGINT or SIGTERM. Gives the exit status: 0 when it was told to stop."""
    logs.configure_alone()
    home.make_folders(where.home)
    with _alone(where.home / "run") as lock:
        _check(where)
        environment.remember(where)
        return _City(where, lock).serve()


class _City:
    """The processes of one city."""

    def __init__(self, where: Environment, lock: int) -> None:
        self.where, self.lock = where, lock
        self.run = where.home / "run"
        self.socket = self.run / "web.sock"
        self.children: list[Child] = []
        self.stopping = False
        self.announced = False

    def serve(self) -> int:
        with _wakeful(self._stop) as wake:
            self._start(self._front())
            _tell(ROLES[self.where.role])
            _tell(f"Policity: {_address(self.where)} で応答しています / is answering")
            preparation = self._start(self._preparation())
            try:
                while not self.stopping:
                    status = preparation.ended()
                    if status is None:
                        self._care(wake)
                    elif status == home.AWAY:
                        # Pages are files: they are served until the database is there.
                        log.warning("database_away", again_in=preparation.buried())
                    elif status != 0:
                        return 1
                    else:
                        self.children.remove(preparation)
                        break
                if not self.stopping:
                    _import(self.where)
                for child in self._others():
                    if not self.stopping:
                        self._start(child)
                while not self.stopping:
                    self._care(wake)
                    self._announce()
                return 0
            finally:
                self._end()

    def _front(self) -> Child:
        file = self.run / "Caddyfile"
        file.write_text(
            front.configuration(
                published=self.where.home / "published",
                socket=self.socket,
                bind=self.where.bind,
                port=self.where.port,
                pages=self._pages(),
                before=self._styles_before(),
                https=self.where.url.startswith("https:"),
                proxies=self.where.proxies,
                inside=self.where.role is Role.INTERNAL,
            )
        )
        return Child("front", front.command(file), front.surroundings(self.run))

    def _styles_before(self) -> list[str]:
        """The styles inside pages of the version that served this home last."""
        kept = self.run / "styles"
        before = kept.read_text().split("\n") if kept.exists() else []
        kept.write_text("\n".join(front.styles()))
        return [line for line in before if line]

    def _pages(self) -> Path:
        if not self.where.drill:
            return front.PAGES
        # Imported here: only a drill needs it, and it brings Django with it.
        from policity.design.drills import marked

        own = self.run / "pages"
        own.mkdir(exist_ok=True)
        for page in front.PAGES.glob("*.html"):
            (own / page.name).write_text(marked(page.read_text("utf-8")), "utf-8")
        return own

    def _preparation(self) -> Child:
        """In a process of its own: before it is done, nothing is known of the home."""
        own = {"POLICITY_HOME": str(self.where.home), "DJANGO_SETTINGS_MODULE": self.where.settings}
        return Child("preparation", [sys.executable, "-m", "policity.project.home"], own)

    def _others(self) -> list[Child]:
        # Imported here: they bring Django, and pages are served before.
        from policity.project import web

        return [
            self._forked("web", partial(web.main, self.socket)),
            self._command("worker", "worker", "run"),
            *([] if self.where.role is Role.INTERNAL else self._telling()),
            # Last, so that it ends last: what the others still write is in the copy, too.
            *([self._command("copies", "continuity", "stream")] if self.where.backup else []),
        ]

    def _telling(self) -> list[Child]:
        """What reads feeds, shows the board, takes photographs and sends: nothing of it inside."""
        from policity.project import live, web

        return [
            self._forked("live", partial(live.main, self.run / "live.sock")),
            self._forked("uploads", partial(web.main, self.run / "uploads.sock", slow=True)),
            self._command("watcher", "watcher", "run"),
            # Emergencies have a process and connections of their own.
            *(
                self._command(f"sender-{lane}", "delivery", "send", "--lane", lane)
                for lane in ("urgent", "routine")
            ),
        ]

    def _command(self, name: str, *words: str) -> Child:
        from policity.project import cli

        return self._forked(name, partial(cli.main, words))

    def _forked(self, name: str, run: Callable[[], object]) -> Child:
        return Forked(name, run, private=[self.lock])

    def _start(self, child: Child) -> Child:
        self._silence(child)
        child.start()
        if child not in self.children:
            self.children.append(child)
        return child

    def _silence(self, child: Child) -> None:
        """What does not run shows no sign of life: an earlier one is not taken for its own."""
        (self.run / f"{child.name}.alive").unlink(missing_ok=True)

    def _care(self, wake: int) -> None:
        """Starts again what has ended, when it is due; else waits for something to happen."""
        now = time.monotonic()
        for child in self.children:
            status = child.ended()
            if child.name == "preparation" and status is not None:
                continue
            if status is not None:
                pause = child.buried()
                self._silence(child)
                log.warning("child_ended", child=child.name, status=status, restart_in=pause)
            elif child.process is None and child.due <= now:
                child.start()
        pauses = [child.due - now for child in self.children if child.process is None]
        # Until everything serves we look at it twice a second; afterwards only signals wake us.
        pauses += [] if self.announced else [0.5]
        select.select([wake], [], [], max(min(pauses), 0) if pauses else None)
        with suppress(BlockingIOError):
            os.read(wake, 512)

    def _announce(self) -> None:
        """Once, when everything serves: where it is, and who may sign in."""
        if self.announced or not _ready(self.where):
            return
        self.announced = True
        address = _address(self.where)
        inside = self.where.role is Role.INTERNAL
        _tell("" if inside else f"\n  市民のページ / Pages:    {address}/")
        _tell(f"  職員の画面 / Back office: {address}/staff/")
        # Without a city there is a page that says so, but no state.
        if not inside and not (self.where.home / "published" / "state.json").exists():
            _tell("  まだ市がありません / No city yet: policity places load FOLDER")
        accounts = self.where.home / "demo-accounts.txt"
        if self.where.demo and accounts.exists():
            _tell("  見本の職員 / Demo staff (利用者名, パスワード / user name, password):")
            for line in accounts.read_text().splitlines():
                _tell("    " + line.replace("\t", "  "))
        _tell("  止めるには Ctrl-C / Ctrl-C stops it\n")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _end(self) -> None:
        """The front last: readers are served until the end."""
        front_child, *others = self.children
        copies = [child for child in others if child.name == "copies"]
        deadline = time.monotonic() + GRACE_SECONDS
        for some in ([child for child in others if child not in copies], copies):
            for child in some:
                child.ask_to_stop()
            for child in some:
                child.stop(deadline)
        front_child.ask_to_stop()
        front_child.stop(time.monotonic() + FRONT_GRACE_SECONDS)
        log.info("stopped")


def _import(where: Environment) -> None:
    """What every child needs, once, before they are forked."""
    os.environ.update(POLICITY_HOME=str(where.home), DJANGO_SETTINGS_MODULE=where.settings)
    from django.urls import get_resolver

    from policity.project import wsgi

    assert wsgi.application  # noqa: S101  # Django with its middleware
    assert get_resolver().url_patterns  # noqa: S101  # and every view
    # What is there now stays: a collector that never touches it leaves it shared.
    gc.collect()
    gc.freeze()


@contextmanager
def _wakeful(stop: signal.Handlers | object) -> Iterator[int]:
    """Signals write to a descriptor, so that waiting for it is waiting for them too."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)  # type: ignore[arg-type]
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(-1)
        os.close(reading)
        os.close(writing)


@contextmanager
def _alone(run: Path) -> Iterator[int]:
    """Two cities in one home would write over each other. Gives the descriptor of the lock."""
    # Opened without emptying it: whoever holds it has written there who they are.
    with (run / "serve.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise home.PreparationError(
                f"{run.parent} はすでに動いています。/ is being served already."
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield handle.fileno()


def _check(where: Environment) -> None:
    """Raises PreparationError for what would otherwise fail again and again in a child."""
    if len(str(where.home / "run" / "uploads.sock").encode()) > LONGEST_SOCKET_PATH:
        raise home.PreparationError(
            f"POLICITY_HOME のパスが長すぎます。/ The path is too long for a socket: {where.home}"
        )
    family = socket.AF_INET6 if ":" in where.bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((where.bind, where.port))
        except OSError as error:
            raise home.PreparationError(
                f"{where.bind}:{where.port} は使えません。PORT=8001 などを指定してください。/ "
                f"cannot be used ({error.strerror}); choose another, such as PORT=8001."
            ) from error


def _ready(where: Environment) -> bool:
    connection = http.client.HTTPConnection(where.reachable, where.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _address(where: Environment) -> str:
    host = where.reachable
    return f"http://[{host}]:{where.port}" if ":" in host else f"http://{host}:{where.port}"


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201
