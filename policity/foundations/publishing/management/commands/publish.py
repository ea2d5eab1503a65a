"""`policity publish run|rebuild|verify`: the public site as a folder."""

import json
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from policity.foundations.publishing import services
from policity.foundations.publishing.queries import waiting

QUIET_SECONDS = 2
PROBLEMS = {
    "missing": "ありません",
    "extra": "余分です",
    "different": "内容が違います",
    "unrendered": "作成できません",
}


class Command(BaseCommand):
    help = "公開サイトのファイルを作成し、確かめます。"

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("run", help="更新が必要なページを、いま作成します。")
        commands.add_parser("rebuild", help="すべてのページを作成し直します。")
        verify = commands.add_parser(
            "verify", help="すべてのページを別に作成し、公開中のファイルと1バイトずつ比べます。"
        )
        verify.add_argument("--json", action="store_true", help="結果をJSONで表示します。")

    def handle(self, *_: Any, command: str, **options: Any) -> None:
        match command:
            case "run":
                self._render()
            case "rebuild":
                services.rebuild()
                self._render()
            case "verify":
                self._verify(as_json=options["json"])

    def _render(self) -> None:
        """Render all that is due, and say how far we are when it takes long."""
        start = spoken = time.monotonic()
        report = services.RenderReport()
        while step := services.render_step(now=timezone.now()):
            report += step
            if time.monotonic() - spoken > QUIET_SECONDS:
                spoken = time.monotonic()
                done = report.written + report.unchanged + report.removed
                left = waiting(now=timezone.now())
                self.stderr.write(f"{done}ページ作成済み、残り{left}ページ")
        self.stdout.write(
            f"書き込み {report.written}、変更なし {report.unchanged}、削除 {report.removed}、"
            f"失敗 {report.failed}({time.monotonic() - start:.1f}秒)"
        )
        if report.failed:
            raise SystemExit(1)

    def _verify(self, *, as_json: bool) -> None:
        stale = waiting(now=timezone.now())
        found = services.verify(now=timezone.now())
        if as_json:
            self.stdout.write(json.dumps({"waiting": stale, **asdict(found)}, ensure_ascii=False))
        else:
            self.stdout.write(f"更新待ちだったページ: {stale}(作成しました)")
            for difference in found.differences:
                self.stdout.write(f"{difference.address} {PROBLEMS[difference.problem]}")
            self.stdout.write(f"確認 {found.checked}ページ、違い {len(found.differences)}件")
        if found.differences:
            raise SystemExit(1)
