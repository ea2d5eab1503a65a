"""`policity doctor`: is this installation well? By /staff/health/, and what only it looks at.

Also without a database, and for a city that does not run.
"""

import json as json_format
import stat
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection
from django.utils import timezone

from policity.back_office.presenters.health import CALL, Line, lines, worst
from policity.foundations.continuity.channels.store import chosen
from policity.foundations.continuity.rules.health import State
from policity.foundations.continuity.services.certificates import look_at_certificate
from policity.foundations.continuity.services.packing import recipients
from policity.project import cluster, environment, home

CODES = {State.GOOD: 0, State.UNKNOWN: 0, State.WEAK: 1, State.BROKEN: 2}


class Command(BaseCommand):
    help = "この設置が正しく動いているかを調べます（終了コード 0：正常、1：注意、2：異常）"
    # Looks at homes whose database may be away.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="結果をJSONで書きます")

    def handle(self, *args: Any, json: bool, **_: Any) -> None:
        now = timezone.now()
        place = Path(settings.HOME)
        if not place.is_dir():
            self.stderr.write(f"{place} がありません。POLICITY_HOME を確かめてください")
            sys.exit(CODES[State.BROKEN])
        look_at_certificate(place, settings.PUBLIC_URL, now=now)
        found = (*installation(place), *lines(now=now))
        found = tuple(sorted(found, key=lambda line: -line.state))
        if json:
            self.stdout.write(_dumps(found))
        else:
            for line in found:
                self.stdout.write("\n".join(_text(line)))
        sys.exit(CODES[worst(found)])


def _text(line: Line) -> Iterator[str]:
    yield f"[{line.word}] {line.name}：{line.what}"
    if line.residents:
        yield f"    市民には：{line.residents}"
    if line.do:
        yield f"    今すること：{line.do}"


def _dumps(found: tuple[Line, ...]) -> str:
    checks = [
        {
            "key": line.key, "state": line.state.name.lower(), "name": line.name,
            "what": line.what, "residents": line.residents, "do": line.do,
        }
        for line in found
    ]  # fmt: skip
    said = {"state": worst(found).name.lower(), "checks": checks}
    return json_format.dumps(said, ensure_ascii=False)


def installation(place: Path) -> Iterator[Line]:
    """What only a person at the server can put right."""
    loose = [
        path.name
        for path, forbidden in ((place, 0o007), (place / "secret.key", 0o077))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & forbidden
    ]
    if loose:
        yield Line(
            "rights", "ファイルの権限", State.BROKEN,
            f"ほかの利用者が読めます：{'、'.join(loose)}", "名前や連絡先が漏れるおそれがあります。",
            f"chmod 0750 {place} と chmod 0600 {place}/secret.key を実行してください。",
        )  # fmt: skip
    if _version_differs(place):
        yield Line(
            "version", "データベースの版", State.BROKEN, "このプログラムの版と合っていません。",
            "登録も送信も始まりません。",
            "policity serve を始め直すか、policity upgrade を使ってください。",
        )  # fmt: skip
    if settings.DEMO and settings.PUBLIC_URL.startswith("https:"):
        yield Line(
            "demo", "見本", State.WEAK, "見本の職員が入れる設定です（POLICITY_DEMO=1）。",
            do="本番では POLICITY_DEMO=0 にしてください。",
        )  # fmt: skip
    if not settings.AUDIT_HEADS and not settings.SYSLOG:
        yield Line(
            "audit", "監査の記録の控え", State.WEAK, "サーバーの外に置いていません。",
            do="POLICITY_AUDIT_HEADS か POLICITY_SYSLOG を設定してください。",
        )  # fmt: skip
    if settings.BACKUP and (fault := _recipients_fault()):
        yield Line(
            "recipients", "写しの公開鍵", State.BROKEN, fault, "写しが取れません。",
            "POLICITY_BACKUP_RECIPIENTS のファイルを確かめてください。",
        )  # fmt: skip
    if settings.BACKUP and (fault := _store_fault()):
        yield Line(
            "store", "写しの置き場所", State.BROKEN, f"読めません（{fault}）。",
            "写しが取れません。", CALL,
        )  # fmt: skip
    if settings.BACKUP and settings.SECRET_DATABASE and (fault := _programs_fault()):
        yield Line(
            "programs", "PostgreSQL のプログラム", State.BROKEN, f"{fault}。",
            "写しが取れません。", CALL,
        )  # fmt: skip


def _version_differs(place: Path) -> bool:
    try:
        found = home.found_set(replace(environment.read(), home=place))
    except cluster.AwayError:
        return False  # it is said that the database is away
    return found != home.migration_set()


def _programs_fault() -> str:
    # Imported here: it needs the extra `cluster`.
    from policity.foundations.continuity.channels import programs

    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            (number,) = cursor.fetchone() or (0,)
        programs.program("pg_basebackup", int(number) // 10000)
    except Error:
        return ""  # it is said that the database is away
    except programs.ProgramError as error:
        return str(error)
    return ""


def _store_fault() -> str:
    try:
        chosen().names()
    except OSError as error:
        return str(error)
    return ""


def _recipients_fault() -> str:
    if not settings.BACKUP_RECIPIENTS:
        return "POLICITY_BACKUP_RECIPIENTS が設定されていません。"
    try:
        recipients(Path(settings.BACKUP_RECIPIENTS))
    except (OSError, ValueError) as error:
        return str(error)
    return ""
