"""`policity residents import FILE.csv`: a list of residents into this home."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.foundations.places.queries import NoCity
from policity.foundations.residents.formats import COLUMNS, BadList
from policity.foundations.residents.services import OtherImportError, import_list

REFUSED = 1
PATIENCE_SECONDS = 2


class Command(BaseCommand):
    help = "知らせを受け取る人を扱います"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        take = commands.add_parser("import", help=f"名簿（CSV）を取り込みます: {','.join(COLUMNS)}")
        take.add_argument("file", type=Path)
        take.add_argument(
            "--skip-refused",
            action="store_true",
            help="取り込めない行をとばし、ほかの行を取り込みます",
        )
        take.add_argument("--json", action="store_true", help="結果をJSONで書きます")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            data = file.read_bytes()
            done = import_list(
                data,
                skip_refused=options["skip_refused"],
                now=timezone.now(),
                report=self._progress(),
            )
        except OSError as error:
            raise CommandError(f"{file} を読めません: {error.strerror}", returncode=2) from error
        except (BadList, NoCity) as error:
            raise CommandError(f"{error}。何も取り込んでいません", returncode=2) from error
        except OtherImportError as error:
            raise CommandError(
                "ほかの取り込みが同時に動いていました。何も取り込んでいません。"
                "終わってから、もう一度実行してください",
                returncode=2,
            ) from error
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "added": done.added,
                        "changed": done.changed,
                        "unchanged": done.unchanged,
                        "refused": [line._asdict() for line in done.refused],
                    },
                    ensure_ascii=False,
                )
            )
        else:
            self._say(done.added, done.changed, done.unchanged)
            for line in done.refused:
                self.stderr.write(f"{line.line}行目: {line.reason}")
            if done.refused and not options["skip_refused"]:
                self.stderr.write(
                    "何も取り込んでいません。行を直してもう一度実行するか、"
                    "--skip-refused でほかの行だけを取り込んでください。"
                )
        if done.refused:
            sys.exit(REFUSED)

    def _progress(self) -> Callable[[int, int], None]:
        """Says every few seconds how far it is."""
        said = time.monotonic()

        def report(done: int, total: int) -> None:
            nonlocal said
            if time.monotonic() - said >= PATIENCE_SECONDS:
                self.stderr.write(f"取り込んでいます: {done:,} / {total:,}")
                said = time.monotonic()

        return report

    def _say(self, added: int, changed: int, unchanged: int) -> None:
        self.stdout.write(f"新しい {added}、変わった {changed}、同じ {unchanged}")
