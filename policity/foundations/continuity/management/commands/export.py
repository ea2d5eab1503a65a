"""`policity export FOLDER`: everything the city has, in open formats."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.foundations.continuity.services import export


class Command(BaseCommand):
    help = "まちのデータのすべてを、ほかのシステムで読める形（CSV）で書き出します"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="新しく作るフォルダー")

    def handle(self, *args: Any, folder: Path, **_: Any) -> None:
        try:
            tables, rows = export(folder, now=timezone.now(), report=self.stderr.write)
        except OSError as error:
            raise CommandError(f"書き出せません：{error}") from error
        self.stdout.write(
            f"{folder} に、{tables}の表、{rows:,}行を書き出しました。"
            "個人情報が入っています。暗号化して渡し、残ったものは消してください。"
        )
