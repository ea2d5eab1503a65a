"""`policity crossing keys | send | receive | list`: from one installation to the other."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.foundations.crossing import queries, services
from policity.foundations.crossing.rules import SAID, Refusal

SHOWN = 50


class Command(BaseCommand):
    help = "もう一方の設置（インターネット側と内部側）に渡すもの、受け取るものを扱います"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        keys = commands.add_parser("keys", help="こちらの公開鍵を出します（なければ作ります）")
        keys.add_argument("--trust", metavar="公開鍵", help="もう一方の設置の公開鍵を登録します")
        send = commands.add_parser("send", help="渡すものをフォルダーに書き出します")
        send.add_argument("--after", type=int, metavar="番号", help="この番号の次から続けます")
        receive = commands.add_parser("receive", help="フォルダーにあるものを受け取ります")
        receive.add_argument("--accept-gap", action="store_true", help="抜けを認めて受け取ります")
        for one in (send, receive):
            one.add_argument("folder", type=Path, help="受け渡しのフォルダー")
        commands.add_parser("list", help=f"渡したもの、受け取ったもの（新しい{SHOWN}件）")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command}")(**options)
        except services.CrossingError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"フォルダーかファイルが使えません: {error}") from error

    def _keys(self, trust: str | None, **_: Any) -> None:
        if trust:
            services.trust(trust)
            self.stdout.write("登録しました。これからは、この鍵で署名されたものを受け取ります")
            return
        for line in services.own_keys():
            self.stdout.write(line)

    def _send(self, folder: Path, after: int | None, **_: Any) -> None:
        self._tell(services.send(folder, by=None, now=timezone.now(), after=after), "渡しました")

    def _receive(self, folder: Path, accept_gap: bool, **_: Any) -> None:
        found = services.receive(folder, by=None, now=timezone.now(), accept_gap=accept_gap)
        self._tell(found, "受け取りました")
        if any(one.said for one in found):
            sys.exit(1)

    def _tell(self, found: Iterable[services.Outcome], done: str) -> None:
        for one in found:
            self.stdout.write(f"{one.file}: {one.said or done}")

    def _list(self, **_: Any) -> None:
        for one in queries.crossed(SHOWN):
            said = SAID[Refusal(one.refusal)] if one.refusal else ""
            words = (f"{timezone.localtime(one.at):%Y-%m-%d %H:%M:%S}", one.course.label, one.kind)
            self.stdout.write("\t".join((*words, str(one.number or ""), one.digest[:12], said)))
