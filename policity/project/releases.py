"""From one version to the next, and back: `policity upgrade`.

An installation from a bundle (deploy/install) keeps each version in a folder of its own,
`releases/VERSION`, and `current` points to the one in use. The new version is tried on a copy of
the city's data before anything changes; the data as it was is kept (`home.prepare`); what cannot
serve afterwards is taken back. Plain Python: Django is never of the wrong version here.
"""

import fcntl
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from policity.project import cluster, home
from policity.project.environment import Environment

READY = "ready"
NEVER_PREPARED = 0
PREVIOUS = "previous"
# Seconds: how long the supervisor may take to end, and the new version to serve.
ENDS, SERVES = 60, 180
# The copy, the database that is being migrated, and room to breathe.
TIMES_THE_DATABASE = 3

Say = Callable[[str], None]


class UpgradeError(Exception):
    """The version was not changed, or was changed back. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the versions lie; `current` is the link to the one in use."""

    root: Path

    @property
    def current(self) -> Path:
        """The link."""
        return self.root / "current"

    @property
    def in_use(self) -> Path:
        """The version that it points to."""
        return self.current.resolve()

    def point_to(self, release: Path) -> None:
        """In one step: whoever starts meanwhile starts one version or the other."""
        part = self.root / "current.part"
        part.unlink(missing_ok=True)
        part.symlink_to(release.relative_to(self.root))
        part.replace(self.current)


def installation(prefix: Path) -> Installation:
    """That of the running program (`sys.prefix`). Raises UpgradeError: it is no bundle's."""
    root = prefix.resolve().parent.parent
    if prefix.resolve().parent.name != "releases" or not (root / "current").is_symlink():
        raise UpgradeError(
            "バンドルから入れたものではないので、ここでは版を切りかえられません。"
            "新しい版を取り、script/server を動かしてください。"
        )
    return Installation(root)


def upgrade(where: Environment, place: Installation, release: Path, say: Say) -> None:
    """Go over to a version that lies beside the one in use. Raises UpgradeError: all as before."""
    release = release.resolve()
    if release.parent != place.root / "releases" or not (release / READY).exists():
        raise UpgradeError(
            f"{release} は、ここに入れた版ではありません。先に install を動かしてください。"
        )
    old = place.in_use
    if release == old:
        raise UpgradeError(f"もう {release.name} を使っています。")
    _enough_room(where)
    say(f"{release.name} を、データの写しでためしています …")
    _rehearse(where, release)
    _note(where, old)
    say(f"{old.name} から {release.name} に切りかえます …")
    place.point_to(release)
    if not _end(where):
        say("動いていなかったので、次に始めるときから新しい版です。")
    elif not _serves(where):
        say("新しい版が応答しません。前の版にもどします …")
        back(where, place, say)
        again = "応答しています" if _serves(where) else "応答しません"
        raise UpgradeError(
            f"{release.name} は応答しませんでした。{old.name} にもどしました（{again}）。"
            "ログを確かめてから、もう一度ためしてください。"
        )
    else:
        say(f"{release.name} が応答しています。もどすときは policity upgrade --back です。")


def back(where: Environment, place: Installation, say: Say) -> None:
    """Return to the version before, with the data as it was; the newer data is kept beside it.

    Raises UpgradeError.
    """
    try:
        old = place.root / "releases" / (where.home / "upgrades" / PREVIOUS).read_text().strip()
    except FileNotFoundError as error:
        raise UpgradeError("もどる先の版がありません。") from error
    if not (old / READY).exists():
        raise UpgradeError(f"前の版 {old} がありません。")
    # Who starts now waits until the data is what the old version knows.
    with _alone(where):
        place.point_to(old)
        served = _end(where)
        wanted = _migration_set(old)
        if home.found_set(where) not in (NEVER_PREPARED, wanted):
            kept = home.before(where.home, wanted, suffix=_suffix(where))
            if not kept.exists():
                raise UpgradeError(
                    f"{old.name} のときのデータの写しがありません。"
                    "バックアップからもどしてください。"
                )
            aside = where.home / "upgrades" / f"newer-{int(time.time())}{kept.suffix}"
            _change_back(where, kept, aside)
            say(f"新しい版で書かれたデータは {aside} に残しました。")
    if served and not _serves(where):
        raise UpgradeError(f"{old.name} にもどしましたが、応答しません。ログを確かめてください。")
    say(f"{old.name} にもどしました。")


def _suffix(where: Environment) -> str:
    return home.DUMP if where.database_url else Path(home.DATABASE).suffix


@contextmanager
def _alone(where: Environment) -> Iterator[None]:
    """Nobody prepares the data meanwhile; who starts waits."""
    if where.database_url:
        with cluster.preparing(where.database_url):
            yield
    else:
        with home.locked(where.home / "run" / "prepare.lock"):
            yield


def _change_back(where: Environment, kept: Path, aside: Path) -> None:
    if where.database_url:
        cluster.dump(where.database_url, aside)
        cluster.load(where.database_url, kept)
    else:
        home.copy_database(where.home / home.DATABASE, aside)
        _replace(where.home / home.DATABASE, kept)


def _enough_room(where: Environment) -> None:
    """On our disk. What a database server has left, its administrators know."""
    database = where.home / home.DATABASE
    size = database.stat().st_size if database.exists() else 0
    if where.database_url:
        size = cluster.size(where.database_url)
    free = shutil.disk_usage(where.home).free
    if free < size * TIMES_THE_DATABASE:
        raise UpgradeError(
            f"ディスクの空きが、あと{(size * TIMES_THE_DATABASE - free) // 2**20 + 1}MB足りません。"
        )


@contextmanager
def _scratch(where: Environment) -> Iterator[Environment]:
    """A home with a copy of the city's data, gone afterwards."""
    folder = where.home / "upgrades" / "rehearsal"
    shutil.rmtree(folder, ignore_errors=True)
    home.make_folders(folder)
    try:
        if where.database_url:
            url = cluster.beside(where.database_url, "rehearsal")
            cluster.create(where.database_url, other=url)
            copy = folder / f"copy{home.DUMP}"
            cluster.dump(where.database_url, copy)
            try:
                cluster.load(url, copy)
                yield replace(where, home=folder, database_url=url)
            finally:
                cluster.empty(url)
            return
        database = where.home / home.DATABASE
        if database.exists():
            home.copy_database(database, folder / home.DATABASE)
        yield replace(where, home=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rehearse(where: Environment, release: Path) -> None:
    """The new version brings a copy up to date, and looks at its own settings there."""
    with _scratch(where) as copy:
        for words in (["-m", "policity.project.home"], ["-m", "django", "check"]):
            done = _run(release, words, copy)
            if done.returncode:
                raise UpgradeError(
                    f"{release.name} は、この市のデータの写しで動きませんでした。"
                    f"何も変えていません。\n{done.stderr[-2000:]}"
                )


def _run(
    release: Path, words: Sequence[str], copy: Environment
) -> subprocess.CompletedProcess[str]:
    surroundings = os.environ | {
        # A copy: no demo is loaded into it, whatever the home is.
        "POLICITY_HOME": str(copy.home),
        "DJANGO_SETTINGS_MODULE": copy.settings,
        # Before a file that names the city's own.
        "POLICITY_DATABASE_URL": copy.database_url,
    }
    return subprocess.run(
        [str(release / "bin" / "python"), *words],
        env=surroundings, capture_output=True, text=True, cwd=copy.home, check=False,
    )  # fmt: skip


def _migration_set(release: Path) -> int:
    program = "from policity.project import home; print(home.migration_set())"
    words = [str(release / "bin" / "python"), "-c", program]
    # From its own folder: whatever lies where we stand is not imported.
    done = subprocess.run(words, capture_output=True, text=True, cwd=release, check=True)
    return int(done.stdout)


def _note(where: Environment, old: Path) -> None:
    folder = where.home / "upgrades"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / PREVIOUS).write_text(f"{old.name}\n")


def _replace(database: Path, kept: Path) -> None:
    part = database.with_suffix(".part")
    shutil.copyfile(kept, part)
    part.chmod(0o600)
    for beside in ("-wal", "-shm"):
        database.with_name(database.name + beside).unlink(missing_ok=True)
    part.replace(database)


def _end(where: Environment) -> bool:
    """Ask the supervisor to end; whoever keeps it (systemd) starts it anew. False: none ran."""
    lock = where.home / "run" / "serve.lock"
    pid = _holder(lock)
    if pid is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + ENDS
    while _holder(lock) == pid:
        if time.monotonic() > deadline:
            raise UpgradeError(f"動いている policity serve（{pid}）が終わりません。")
        time.sleep(0.2)
    return True


def _holder(lock: Path) -> int | None:
    """The process that serves this home; None: nobody does."""
    try:
        handle = lock.open("r+")
    except FileNotFoundError:
        return None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = handle.read().strip()
            return int(text) if text.isdecimal() else None
    return None


def _serves(where: Environment) -> bool:
    """Whether the city answers in time, whoever has started it."""
    deadline = time.monotonic() + SERVES
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(where.reachable, where.port, timeout=2)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return True
        connection.close()
        time.sleep(0.5)
    return False


def main(where: Environment, words: Sequence[str]) -> int:
    """`policity upgrade RELEASE`, `policity upgrade --back`; gives the exit code."""
    parser = ArgumentParser(
        prog="policity upgrade", description="版を切りかえます。前の版にもどせます"
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("release", nargs="?", type=Path, help="install が入れた版のフォルダー")
    which.add_argument("--back", action="store_true", help="前の版と、そのときのデータにもどします")
    chosen = parser.parse_args(words)
    try:
        place = installation(Path(sys.prefix))
        if chosen.back:
            back(where, place, home.say)
        else:
            upgrade(where, place, chosen.release, home.say)
    except (UpgradeError, cluster.AwayError) as error:
        home.say(str(error))
        return 1
    return 0
