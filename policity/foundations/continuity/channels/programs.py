"""PostgreSQL's own programs, and a server that is started from a data folder and nothing else."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
from psycopg import conninfo

# Where Debian lays a version's programs; elsewhere they are in PATH.
PLACE = Path("/usr/lib/postgresql")
# Who runs a server where we are root, which no server may be.
UNPRIVILEGED = "postgres"
# As root we may lie where that user cannot go: that much of our rights they keep.
DROPPED = (
    "setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
)  # fmt: skip
# Nobody but us reaches it, whatever the city's server is set to; it sends its log to nobody, and
# ends once it has replayed what lies in its folder.
ALONE = {
    "listen_addresses": "",
    "restore_command": "false",
    "archive_mode": "off",
    "hot_standby": "off",
    "ssl": "off",
    "shared_preload_libraries": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "logging_collector": "off",
    "log_destination": "stderr",
    # What it says is read here, whatever language the machine speaks.
    "lc_messages": "C",
    "autovacuum": "off",
    "max_connections": "20",
}


class ProgramError(RuntimeError):
    """A program is missing or failed. The text says what to do, in Japanese."""


def program(name: str, version: int) -> str:
    """Where a program of a major version, or of one that came with it, lies."""
    beside = PLACE / str(version) / "bin" / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        package = "postgresql-client" if name == "pg_basebackup" else "postgresql"
        raise ProgramError(
            f"PostgreSQL {version} のプログラム {name} が、この機械にありません。"
            f"apt-get install {package}-{version} を実行してください"
        )
    return found


@contextmanager
def data_folder(url: str, version: int) -> Iterator[IO[bytes]]:
    """The data folder of a running server with its log until now, as a compressed tar.

    The password does not stand among the words of a process, which everybody sees.
    """
    said = conninfo.conninfo_to_dict(url)
    secret = {"PGPASSWORD": str(said.pop("password"))} if said.get("password") else {}
    words = [
        program("pg_basebackup", version), "--pgdata=-", "--format=tar", "--wal-method=fetch",
        "--checkpoint=fast", "--compress=1", "--no-password", "--label=policity",
        "--dbname", conninfo.make_conninfo("", **said),
    ]  # fmt: skip
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=told, env=os.environ | secret
        )
        try:
            assert process.stdout is not None  # noqa: S101  # for the types
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()  # type: ignore[union-attr]
            status = process.wait()
        if status:
            raise ProgramError(f"pg_basebackup が失敗しました（{_end_of(told)}）")


def verify(data: Path, version: int) -> None:
    """Whether a data folder is what the server said it has sent. Raises ProgramError."""
    words = [program("pg_verifybackup", version), "--no-parse-wal", str(data)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramError(f"データベースの写しがこわれています（{done.stderr.strip()[-300:]}）")


@contextmanager
def serving(data: Path, version: int, *, lasting: bool) -> Iterator[Path]:
    """A server of its own from a data folder, which ends in order; gives the folder of its
    socket. `lasting`: what it leaves is on the disk for good.

    Raises ProgramError: it does not come up.
    """
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    # Short, since the path of a socket may not be long; nobody else may enter.
    beside = Path(tempfile.mkdtemp(prefix="policity-pg-"))
    try:
        for name, text in (("conf", ""), ("hba", "local all all trust\n"), ("ident", "")):
            (beside / name).write_text(text)
        if user:
            _give([data, beside], user)
        with (beside / "log").open("w+b") as log:
            files = {
                "config_file": beside / "conf", "hba_file": beside / "hba",
                "ident_file": beside / "ident", "unix_socket_directories": beside,
                "fsync": "on" if lasting else "off",
            }  # fmt: skip
            settings = [f"--{name}={value}" for name, value in (ALONE | files).items()]
            words = [program("postgres", version), "-D", str(data), *settings]
            process = subprocess.Popen(
                [*DROPPED, *words] if user else words,
                stdout=log, stderr=log, cwd=beside,
            )  # fmt: skip
            try:
                _until_it_answers(process, beside, log)
                yield beside
            finally:
                # At once for whoever is still connected, and in order for the data.
                process.send_signal(signal.SIGINT)
                process.wait()
    finally:
        if user:
            _give([data], str(os.geteuid()))
        shutil.rmtree(beside)


def _until_it_answers(process: "subprocess.Popen[bytes]", beside: Path, log: IO[bytes]) -> None:
    """However long it replays."""
    while process.poll() is None:
        try:
            # Whoever is nobody there is refused by name once it answers.
            psycopg.connect(host=str(beside), dbname="template1", user="policity_asks").close()
        except psycopg.OperationalError as error:
            if "does not exist" in str(error):
                return
        else:
            return
        time.sleep(0.1)
    raise ProgramError(f"写しから PostgreSQL を始められません（{_end_of(log)}）")


def _give(places: Sequence[Path], user: str) -> None:
    subprocess.run(["chown", "--recursive", user, *map(str, places)], check=True)


def _end_of(told: IO[bytes]) -> str:
    told.seek(0)
    return " ".join(told.read().decode("utf-8", "replace").split())[-400:]
