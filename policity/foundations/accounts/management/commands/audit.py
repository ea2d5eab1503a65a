"""`policity audit verify`: is the trail of what was done still what it was?"""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from policity.foundations.accounts import queries
from policity.foundations.accounts.models import AuditEntry
from policity.foundations.accounts.services.audit import ship

CHANGED, CANNOT = 1, 2


class Command(BaseCommand):
    help = "監査の記録（だれが、いつ、何をしたか）を確かめます"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        verify = commands.add_parser("verify", help="書きかえや抜けがないか、確かめます")
        verify.add_argument("--heads", type=Path, help="外に置いた控えのファイル（設定の代わりに）")
        verify.add_argument("--json", action="store_true", help="結果をJSONで書きます")
        commands.add_parser("ship", help="まだ外に送っていない記録を、送ります")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        if command == "ship":
            self._ship()
        else:
            self._verify(**options)

    def _ship(self) -> None:
        if not settings.AUDIT_HEADS and not settings.SYSLOG:
            raise CommandError(
                "送り先がありません。POLICITY_AUDIT_HEADS か POLICITY_SYSLOG を設定してください",
                returncode=CANNOT,
            )
        count = 0
        try:
            while some := ship():
                count += some
        except OSError as error:
            raise CommandError(f"送れません: {error.strerror}", returncode=CANNOT) from error
        self.stdout.write(f"{count}件を送りました")

    def _verify(self, *, heads: Path | None, json: bool, **_: Any) -> None:
        file = heads or (Path(settings.AUDIT_HEADS) if settings.AUDIT_HEADS else None)
        try:
            kept = queries.kept_heads(file) if file else {}
        except OSError as error:
            raise CommandError(
                f"控え {file} を読めません: {error.strerror}", returncode=CANNOT
            ) from error
        faults = list(queries.faults(kept))
        count = AuditEntry.objects.count()
        if json:
            self.stdout.write(_dumps(count, kept, faults))
        else:
            self._say(count, kept, faults)
        if faults:
            sys.exit(CHANGED)

    def _say(self, count: int, kept: Any, faults: list[Any]) -> None:
        for fault in faults:
            self.stderr.write(fault.what)
        if not faults:
            self.stdout.write(f"{count}件の記録は、つながっています")
        if not kept:
            self.stderr.write(
                "外に置いた控えがないので、終わりを切り取ることと、全体を作り直すことは見つけられません"
            )


def _dumps(count: int, kept: Any, faults: list[Any]) -> str:
    said = {"entries": count, "heads": len(kept), "faults": [one._asdict() for one in faults]}
    return json.dumps(said, ensure_ascii=False)
