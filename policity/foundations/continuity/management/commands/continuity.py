"""`policity continuity …`: copies of a city, and the city from its copies."""

import json
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels.store import chosen
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.rules.age import TOO_OLD
from policity.foundations.continuity.services import Restored, Streamer, note, restore
from policity.foundations.continuity.services.packing import (
    DATABASE,
    differing,
    identities,
    recipients,
)
from policity.foundations.continuity.services.restoring import generations, missing
from policity.foundations.continuity.services.spooling import refused
from policity.foundations.continuity.services.tables import Compared, compare

if TYPE_CHECKING:
    from policity.foundations.continuity.services.following import Follower

OLD, CANNOT = 1, 2
# What of a trial is noted, for the status.
DRILL_KEPT = ("recovery_point_s", "recovery_time_s", "rows_compared", "rows_different")


class Command(BaseCommand):
    help = "まちのデータの写しを取り、確かめ、写しからもどします"
    # Looks at homes that may not be there, and at databases that may be broken.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        keys = commands.add_parser("keys", help="鍵を作ります。秘密鍵は、このサーバーに置きません")
        keys.add_argument("file", type=Path, help="秘密鍵を書くファイル。公開鍵は画面に出します")
        commands.add_parser("stream", help="止めるまで、変わったことを写しつづけます")
        commands.add_parser("backup", help="いま、すべての写しを取ります")
        for name, told in (
            ("verify", "最新の写しを開き、すべてもどして調べ、もどしたものを消します"),
            ("restore", "写しから、空のフォルダーにもどします"),
            ("drill", "写しからもどし、いまのデータと1行ずつ比べ、もどしたものを消します"),
        ):
            one = commands.add_parser(name, help=told)
            one.add_argument("--identity", type=Path, required=True, help="秘密鍵のファイル")
            one.add_argument("--json", action="store_true", help="結果をJSONで書きます")
            if name == "restore":
                one.add_argument("--into", type=Path, help="もどす先（なければ POLICITY_HOME）")
                one.add_argument("--generation", default="", help="もどす写し（なければ最新）")
        commands.add_parser("refused", help="預かったもののうち、受け付けられなかったもの")
        status = commands.add_parser("status", help="写しがいつのものか")
        status.add_argument("--json", action="store_true", help="結果をJSONで書きます")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command}")(**options)
        except BadCopyError as error:
            raise CommandError(f"{error}", returncode=CANNOT) from error
        except (OSError, ValueError, RuntimeError, sqlite3.Error) as error:
            raise CommandError(f"できません：{error}", returncode=CANNOT) from error

    def _keys(self, *, file: Path, **_: Any) -> None:
        if file.exists():
            raise CommandError(f"{file} は、もうあります", returncode=CANNOT)
        identity = pyrage.x25519.Identity.generate()
        file.touch(mode=0o600)
        file.write_text(
            f"# Policity の写しを開く秘密鍵。サーバーには置かないでください。\n{identity}\n"
        )
        self.stdout.write(str(identity.to_public()))

    def _stream(self, **_: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self._streamer().run(stop)

    def _backup(self, **_: Any) -> None:
        self.stdout.write(f"写しを取りました：{self._streamer().backup()}")

    def _refused(self, **_: Any) -> None:
        for one in refused(Path(settings.HOME)):
            self.stdout.write(json.dumps(one, ensure_ascii=False))

    def _streamer(self) -> "Streamer | Follower":
        if not settings.BACKUP_RECIPIENTS:
            raise ValueError("POLICITY_BACKUP_RECIPIENTS（公開鍵のファイル）を設定してください")
        keys = recipients(Path(settings.BACKUP_RECIPIENTS))
        home, store = Path(settings.HOME), chosen()
        if not settings.SECRET_DATABASE:
            return Streamer(home, store, keys, clock=timezone.now)
        # Imported here: it needs the extra `cluster`.
        from policity.foundations.continuity.services.following import Follower

        return Follower(
            home, store, keys, clock=timezone.now, database=settings.SECRET_DATABASE,
            server=settings.SECRET_BACKUP_DATABASE,
        )  # fmt: skip

    def _restore(
        self, *, identity: Path, into: Path | None, generation: str, json: bool, **_: Any
    ) -> None:
        target = into or Path(settings.HOME)
        done = restore(
            chosen(), identities(identity), target, report=self.stderr.write,
            generation=generation,
        )  # fmt: skip
        text = f"{target} にもどしました。policity serve で始められます"
        if done.server:
            text = (
                f"{target} にもどしました。PostgreSQL {done.server} のデータは"
                f" {target}/postgresql にあります。PostgreSQL の機械に移して始め、"
                "それから policity serve を始めてください"
            )
        self._say(_told(done), text, done, json)

    def _verify(self, *, identity: Path, json: bool, **_: Any) -> None:
        wanted = queries.synced(Path(settings.HOME))
        done, _nothing = self._tried(identity, lambda *_: None)
        if done.beyond or not _all_of(wanted, done):
            raise BadCopyError(f"{missing(done.changes + 1)}。これより前までしか、もどせません")
        if done.files < queries.files_synced(Path(settings.HOME), done.generation):
            raise BadCopyError(f"ファイルの写し{done.files + 1}がありません")
        self._say(_told(done), "この写しから、すべてもどせます", done, json)

    def _drill(self, *, identity: Path, json: bool, **_: Any) -> None:
        asked = timezone.now()
        found = queries.synced(settings.HOME)
        files: list[str] = []

        def look(restored: Path, done: Restored) -> Compared:
            files[:] = differing(Path(settings.HOME), restored)
            return self._compared(restored, done)

        done, compared = self._tried(identity, look)
        assert isinstance(compared, Compared)  # noqa: S101  # for the types
        # Up to when the city has copied is only worth what of it came back.
        point = found.at if found and _all_of(found, done) else done.at
        said: dict[str, Any] = _told(done) | {
            "recovery_point_s": round((asked - point).total_seconds(), 1),
            "recovery_time_s": round(done.seconds, 1),
            "rows_compared": compared.rows,
            "rows_different": compared.different,
            "files_different": files,
        }
        note(
            Path(settings.HOME),
            queries.DRILLED,
            {"at": asked.isoformat()} | {key: said[key] for key in DRILL_KEPT},
        )
        differ = sum(compared.different.values())
        text = (
            f"{compared.rows}行とファイルを比べました。"
            f"違うのは{differ}行と{len(files)}個です（写しのあとに変わったもの）"
        )
        self._say(said, text, done, json)

    def _tried(
        self, identity: Path, look: Callable[[Path, Restored], Compared | None]
    ) -> tuple[Restored, Compared | None]:
        """Restores into a folder of its own, lets somebody look, and destroys only that."""
        beside = Path(settings.HOME) / "run"
        folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=beside if beside.is_dir() else None))
        try:
            done = restore(
                chosen(), identities(identity), folder / "home", report=self.stderr.write,
                lasting=False,
            )  # fmt: skip
            return done, look(folder / "home", done)
        finally:
            shutil.rmtree(folder)

    def _compared(self, restored: Path, done: Restored) -> Compared:
        if done.server:
            # Imported here: it needs the extra `cluster`.
            from policity.foundations.continuity.services.recovering import compared

            return compared(settings.SECRET_DATABASE, restored, done)
        live = f"file:{Path(settings.HOME) / DATABASE}?mode=ro"
        with closing(sqlite3.connect(live, uri=True)) as one:
            one.execute("BEGIN")
            with closing(sqlite3.connect(restored / DATABASE)) as other:
                return compare(one, other)

    def _status(self, *, json: bool, **_: Any) -> None:
        found = queries.synced(settings.HOME)
        age = None if found is None else (timezone.now() - found.at).total_seconds()
        old = age is None or age > TOO_OLD.total_seconds()
        kept = self._kept(found)
        tried = queries.noted(settings.HOME, queries.DRILLED)
        if json:
            said = {"age_s": age and round(age, 1), "old": old, "kept": bool(settings.BACKUP)}
            said |= kept | {"drill": tried or None}
            self.stdout.write(_dumps(said | (_synced(found) if found else {})))
        elif found is None or age is None:
            self.stdout.write("写しは、まだありません")
        else:
            self.stdout.write(f"{found.generation} と変更{found.changes}回分。{age:.0f}秒前まで")
            self.stdout.write(_where(kept))
            when = _second(datetime.fromisoformat(tried["at"])) if tried else "まだしていません"
            self.stdout.write(f"もどす練習：{when}")
        if old or kept["fault"]:
            sys.exit(OLD)

    def _kept(self, found: queries.Synced | None) -> dict[str, Any]:
        """What lies where copies go, and whether that can be read at all."""
        said: dict[str, Any] = {"where": settings.BACKUP, "copies": 0, "size": 0, "fault": ""}
        if not settings.BACKUP:
            return said
        store = chosen()
        try:
            said["copies"] = len(generations(store))
            if found is not None:
                names = store.names(found.generation)
                said["size"] = sum(store.size(f"{found.generation}/{name}") for name in names)
                if copies.BASE not in names:
                    said["fault"] = f"{found.generation} の写しが、置き場所にありません"
        except OSError as error:
            said["fault"] = f"置き場所を読めません（{error}）"
        return said

    def _say(self, said: dict[str, Any], text: str, done: Restored, as_json: bool) -> None:
        if as_json:
            self.stdout.write(_dumps(said))
            return
        at = _second(done.at)
        self.stdout.write(f"{at}の状態、{done.rows}行（{done.seconds:.1f}秒）。{text}")


def _second(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y年%m月%d日 %H時%M分%S秒")


def _where(kept: dict[str, Any]) -> str:
    if kept["fault"]:
        return str(kept["fault"])
    return f"{kept['where']} に{kept['copies']}組。最新は{kept['size'] / 2**20:.1f}MB"


def _all_of(wanted: queries.Synced | None, done: Restored) -> bool:
    """Whether as much came back as the city says that it has copied, where it says so."""
    if wanted is None:
        return True
    return (done.generation, done.changes) >= (wanted.generation, wanted.changes)


def _told(done: Restored) -> dict[str, Any]:
    return {
        "generation": done.generation,
        "at": done.at.isoformat(),
        "changes": done.changes,
        "changes_beyond": done.beyond,
        "rows": done.rows,
        "seconds": round(done.seconds, 1),
    }


def _synced(found: queries.Synced) -> dict[str, Any]:
    return {"at": found.at.isoformat(), "generation": found.generation, "changes": found.changes}


def _dumps(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False)
