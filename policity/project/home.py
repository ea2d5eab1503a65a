"""The folder a city lives in: made, filled and kept up to date before any command runs.

Plain Python and sqlite3 (in a cluster psycopg): a home that is ready costs a command a few
milliseconds. Only a new or outdated database starts Django, in a process of its own.
"""

import fcntl
import hashlib
import importlib.util
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from policity.kit.sides import Role, Side
from policity.project import cluster, environment
from policity.project.children import dying_with_me
from policity.project.settings.installed import ROOMS, installed, side

Say = Callable[[str], None]

DATABASE = "policity.sqlite3"
# The data of a home on PostgreSQL, as a file.
DUMP = ".dump"
# How many databases, as they were before they were brought up to date, stay to go back to.
BEFORE_KEPT = 2
# Older prepared databases are kept for those who switch between branches.
TEMPLATES_KEPT = 4
# How the preparation ends where the database is away (sysexits.h, EX_TEMPFAIL): try again later.
AWAY = 75


class PreparationError(Exception):
    """A home could not be prepared; the text says what to do."""


class AwayError(PreparationError):
    """Its database is away. Once it is back, everything goes on."""


def say(line: str) -> None:
    """Progress goes to standard error: a command's own output stays clean."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Only one process at a time is inside, for the same file."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def app_folders(role: Role) -> dict[str, Path]:
    """Each app's folder that a role installs, found without importing Django's settings."""
    folders = {}
    for app in installed(role):
        spec = importlib.util.find_spec(app)
        if spec is None or not spec.submodule_search_locations:
            raise PreparationError(f"{app} is not installed: run script/server again")
        folders[app] = Path(spec.submodule_search_locations[0])
    return folders


def migrations(role: Role) -> list[Path]:
    """Every migration file of a role's apps, in an order that no place of theirs changes."""
    return [
        file
        for folder in app_folders(role).values()
        for file in sorted((folder / "migrations").glob("[0-9]*.py"))
    ]


def migration_set(role: Role | None = None) -> int:
    """A number for the set of migrations this program has for a role (ours), never 0.

    Kept as the database's `user_version`, so that it travels with the file into backups.
    """
    digest = hashlib.sha256()
    for file in migrations(role or environment.read().role):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return int.from_bytes(digest.digest()[:4], "big") >> 1 or 1


def prepared_set(database: Path) -> int:
    """The set of migrations a home's database was last prepared for; 0 when it never was."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database, timeout=5)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def found_set(where: environment.Environment) -> int:
    """`prepared_set` of wherever this home's data is."""
    if where.database_url:
        return cluster.prepared_set(where.database_url)
    return prepared_set(where.home / DATABASE)


def prepare(where: environment.Environment, say: Say = say) -> None:
    """Makes a home ready for any command: folders, key, database, and the demo city if asked.

    Safe to call from several processes at once, and again after it was interrupted: the mark
    that a database is ready is written last.
    """
    make_folders(where.home)
    try:
        if where.database_url:
            _prepare_cluster(where, say)
        else:
            _prepare_file(where, say)
    except cluster.AwayError as error:
        raise AwayError(str(error)) from error
    except sqlite3.Error as error:
        raise AwayError(
            f"データベースが使えません：{error} / The database cannot be used: {error}"
        ) from error


def _prepare_cluster(where: environment.Environment, say: Say) -> None:
    wanted = migration_set(where.role)
    if cluster.prepared_set(where.database_url) == wanted:
        return
    with cluster.preparing(where.database_url) as found:
        if found == wanted:
            return
        if found:
            _require_no_internal(where)
        say("データベースを準備しています … / Preparing the database …")
        if found:
            target = before(where.home, found, suffix=DUMP)
            _keep_before(target, lambda: cluster.dump(where.database_url, target))
        _migrate(where)
        if found == 0:
            _fill(where, say)
        cluster.mark(where.database_url, wanted)


def _prepare_file(where: environment.Environment, say: Say) -> None:
    database = where.home / DATABASE
    wanted = migration_set(where.role)
    if prepared_set(database) == wanted:
        return
    with locked(where.home / "run" / "prepare.lock"):
        found = prepared_set(database)
        if found == wanted:
            return
        if found == 0 and (where.home / "published" / "state.json").exists():
            # A new one would be an empty city, into which what residents sent would come.
            raise AwayError(
                f"この市のデータベースがありません：{database}\n"
                "もとの場所にもどすか、写しからもどしてください。/ "
                "This city had a database, and it is gone: bring it back, or restore it."
            )
        if not database.exists():
            _copy(template(say, where.role), database)
        else:
            _require_no_internal(where)
            say("データベースを更新しています … / Updating the database …")
            if found:
                target = before(where.home, found)
                _keep_before(target, lambda: copy_database(database, target))
            _migrate(where)
        if found == 0:
            _fill(where, say)
        with closing(sqlite3.connect(database, timeout=5)) as connection:
            connection.execute(f"PRAGMA user_version={wanted}")


def _require_no_internal(where: environment.Environment) -> None:
    """An installation that the Internet reaches never opens data of the other side."""
    if where.role is not Role.INTERNET:
        return
    labels = {room.rpartition(".")[2] for room in ROOMS if side(room) is Side.INTERNAL}
    asked = "SELECT DISTINCT app FROM django_migrations"
    try:
        if where.database_url:
            with cluster.connected(where.database_url) as connection:
                rows = connection.execute(asked).fetchall()
        else:
            with closing(sqlite3.connect(where.home / DATABASE, timeout=5)) as file:
                rows = file.execute(asked).fetchall()
    except sqlite3.OperationalError:
        return  # nothing was ever put into it
    if found := labels & {row[0] for row in rows}:
        raise PreparationError(
            f"このデータには、内部側の表（{'、'.join(sorted(found))}）があります。インターネット側"
            "（POLICITY_ROLE=internet）では開きません。内部側の設置で使うか、空のホームから始めて"
            "ください。/ This data belongs to the internal installation."
        )


def _migrate(where: environment.Environment) -> None:
    _python("django", "migrate", "--no-input", "--skip-checks", "--verbosity", "0", where=where)


def _fill(where: environment.Environment, say: Say) -> None:
    if where.demo:
        say("見本の市を読み込んでいます … / Loading the demo city …")
        _python("policity.project.demo", where=where)


def before(home: Path, prepared: int, *, suffix: str = ".sqlite3") -> Path:
    """Where a home's data lies as it was for an older set of migrations."""
    return home / "upgrades" / f"before-{prepared:08x}{suffix}"


def _keep_before(target: Path, copy: Callable[[], None]) -> None:
    """The way back: the data as it is, before it is brought up to date."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    copy()
    for old in sorted(target.parent.glob(f"before-*{target.suffix}"), key=_age)[BEFORE_KEPT:]:
        old.unlink()


def _age(file: Path) -> float:
    return -file.stat().st_mtime


def copy_database(source: Path, target: Path) -> None:
    """A whole copy of a database that may be in use, on the disk before it has its name."""
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(source, timeout=30)) as found,
        closing(sqlite3.connect(part)) as made,
    ):
        found.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")
    part.chmod(0o600)
    with part.open("rb") as handle:
        os.fsync(handle.fileno())
    part.replace(target)


def make_folders(home: Path) -> None:
    """The folders of a home and its secret key, which only its owner can read.

    Whoever is in the home's group, as a web server in front of it may be, can go to what is
    published and to the socket in run; others cannot enter. Modes do not depend on our umask.
    Raises PreparationError where everybody can read the key.
    """
    _make_folder(home, 0o750)
    _make_folder(home / "run", 0o750)
    for name in ("published", "media"):
        _make_folder(home / name, 0o755)
    key = home / "secret.key"
    if not key.exists():
        _write_secret(key, secrets.token_urlsafe(48))
    elif key.stat().st_mode & 0o007:
        raise PreparationError(
            f"{key} はだれにでも読めます。chmod 600 {key} としてください。/ Everybody may read it."
        )


def _make_folder(folder: Path, mode: int) -> None:
    """One that exists keeps the mode its operator gave it."""
    if not folder.is_dir():
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        folder.chmod(mode)


def template(say: Say = say, role: Role | None = None) -> Path:
    """A migrated, empty database for a role (ours), built once and copied ever after.

    It lies beside the installed packages (share/policity), since it belongs to them.
    """
    role = role or environment.read().role
    shelf = Path(sys.prefix) / "share" / "policity"
    shelf.mkdir(parents=True, exist_ok=True)
    built = shelf / f"database-{migration_set(role):08x}.sqlite3"
    with locked(shelf / "lock"):
        if not built.exists():
            _build(built, say, role)
            for old in _by_age(shelf)[TEMPLATES_KEPT:]:
                old.unlink()
    return built


def _build(target: Path, say: Say, role: Role) -> None:
    total = len(migrations(role))
    for abandoned in target.parent.glob("building-*"):
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(prefix="building-", dir=target.parent) as folder:
        home = Path(folder)
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "migrate", "--no-input", "--skip-checks"],
            env=_environment(home, environment.EMBEDDED, role),
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=dying_with_me(),
        )
        done = 0
        for line in process.stdout or ():
            done += line.startswith("  Applying")
            if line.startswith("  Applying") and done % max(total // 10, 1) == 0:
                say(f"データベースを準備しています / Preparing the database: {done}/{total}")
        if process.wait() != 0:
            raise PreparationError("The database could not be prepared; the reason stands above.")
        database = home / "policity.sqlite3"
        with closing(sqlite3.connect(database)) as connection:
            # One file, so that a copy of it is a whole database.
            connection.execute("PRAGMA journal_mode=DELETE")
        database.rename(target)
    say("データベースの準備ができました。/ The database is ready.")


def _by_age(shelf: Path) -> list[Path]:
    return sorted(shelf.glob("database-*.sqlite3"), key=_age)


def _copy(source: Path, target: Path) -> None:
    part = target.with_suffix(".part")
    shutil.copyfile(source, part)
    part.chmod(0o600)
    with part.open("rb") as handle:
        os.fsync(handle.fileno())
    part.rename(target)


def _write_secret(file: Path, text: str) -> None:
    part = file.with_suffix(f".{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(text + "\n")
    try:
        # A link, not a rename: of two commands at once, the first one's key stands.
        file.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _environment(home: Path, settings: str, role: Role) -> dict[str, str]:
    # Both sides at once are for the demo alone, and a test's are migrated as if they were one.
    both = {"POLICITY_DEMO": "1"} if role is Role.ALL else {}
    return (
        os.environ
        | both
        | {
            "POLICITY_ROLE": role.value,
            "POLICITY_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": settings,
            "PYTHONUNBUFFERED": "1",
        }
    )


def _python(module: str, *words: str, where: environment.Environment) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env=_environment(where.home, where.settings, where.role),
        preexec_fn=dying_with_me(),
    )
    if done.returncode != 0:
        raise PreparationError(f"{module} ended with {done.returncode}; the reason stands above.")


def main() -> None:
    """For the supervisor, which runs the preparation as a process of its own.

    With the word `template` only the empty databases are made, one for each role, as when a bundle
    is installed.
    """
    try:
        if sys.argv[1:] == ["template"]:
            for role in (Role.INTERNET, Role.INTERNAL):
                template(role=role)
        else:
            prepare(environment.read())
    except PreparationError as error:
        say(str(error))
        sys.exit(AWAY if isinstance(error, AwayError) else 1)


if __name__ == "__main__":
    main()
