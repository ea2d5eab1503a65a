"""`policity drill run|list|open`: drills in homes of their own, over made-up people."""

import json
import sys
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from policity.project import drills, environment

REFUSED = 2
INTERRUPTED = 130


class Command(BaseCommand):
    help = "訓練：見本の市民に、訓練だけのホームで知らせます。本当の市民には何も届きません。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        run = commands.add_parser("run", help="訓練を始めから終わりまで行い、結果を残します")
        run.add_argument("scenario", help=f"訓練の名前（{'、'.join(drills.scenarios())}）")
        run.add_argument("--people", type=_people, default=drills.PEOPLE, help="見本の市民の人数")
        run.add_argument("--json", action="store_true")
        # For the back office's button: who pressed it has begun the drill already.
        run.add_argument("--begun", metavar="NAME", default="", help=SUPPRESS)
        shown = commands.add_parser("list", help="これまでの訓練と、その結果")
        shown.add_argument("--json", action="store_true")
        look = commands.add_parser("open", help="終わった訓練のページとボードを開きます")
        look.add_argument("name", help="訓練のフォルダーの名前（drill list で分かります）")
        look.add_argument("--port", type=int, default=drills.PORT)

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command}")(environment.read(), **options)
        except drills.DrillError as error:
            self.stderr.write(str(error))
            sys.exit(REFUSED)
        except KeyboardInterrupt:
            self.stderr.write(drills.INTERRUPTED)
            sys.exit(INTERRUPTED)

    def _run(
        self,
        where: environment.Environment,
        *,
        scenario: str,
        people: int,
        json: bool,
        begun: str,
        **_: Any,
    ) -> None:
        if begun:
            found = drills.go_on(where, name=begun, scenario=scenario, people=people)
        else:
            now = timezone.localtime()
            found = drills.run(where, scenario=scenario, people=people, now=now)
        self.stdout.write(_dumps(found) if json else _line(found))
        if not json:
            self.stdout.write(f"見るには: policity drill open {found['home'].rpartition('/')[2]}")

    def _list(self, where: environment.Environment, *, json: bool, **_: Any) -> None:
        results = {name: drills.result(drills.found(where, name)) for name in drills.listed(where)}
        if json:
            self.stdout.write(_dumps(results))
            return
        for name, found in results.items():
            said = _line(found) if found else "最後まで行っていません"
            self.stdout.write(f"{name}\t{said}")

    def _open(self, where: environment.Environment, *, name: str, port: int, **_: Any) -> None:
        drills.open_in_place(drills.found(where, name), port=port)


def _people(text: str) -> int:
    number = int(text)
    if not 1 <= number <= drills.MOST:
        raise ValueError
    return number


def _dumps(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False)


def _line(found: dict[str, Any]) -> str:
    missed = sum(town["unreached"] for town in found["unreached"])
    return (
        f"【訓練】{found['title']}　対象 {found['targets']}人　届かなかった人 {missed}人　"
        f"承認まで {found['approve_s']}秒　最初の引き渡し {found['first_handover_s']}秒　"
        f"最後の引き渡し {found['last_handover_s']}秒"
    )
