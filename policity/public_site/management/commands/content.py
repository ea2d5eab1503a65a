"""`policity content crawl ADDRESS --out FOLDER`: a site saved, slowly and within its host.
`policity content import SOURCE --into SECTION`: a saved site taken over as drafts.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.kit.fetching import Fetcher
from policity.public_site.formats.older import BadSelector, Template, selector
from policity.public_site.formats.saved import BadSource, opened
from policity.public_site.rules.older import SAID, Fault, Need
from policity.public_site.services import editing, taking_over
from policity.public_site.sources import NoCrawl, Saving, crawl


class Command(BaseCommand):
    help = "前のサイトのページを、下書きとして取り込みます"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        take = commands.add_parser(
            "import", help="保存したサイト（フォルダ、zip、WARC）を取り込みます"
        )
        take.add_argument("source", help="フォルダ（wget --mirror など）、zip、WARC の場所")
        take.add_argument(
            "--into", required=True, help="この見出しページの下に取り込みます。例: news"
        )
        take.add_argument("--select", default="", help="本文の場所（CSS）。例: '#tmp_contents'")
        take.add_argument(
            "--drop", action="append", default=[], help="本文から外すもの（CSS）。何度でも"
        )
        take.add_argument("--look", action="store_true", help="何も書かずに、数と要る手間を見ます")

        save = commands.add_parser("crawl", help="公開中のサイトを、ゆっくりフォルダに保存します")
        save.add_argument("address", help="はじめのページ。例: https://www.city.example.jp/")
        save.add_argument("--out", required=True, help="保存するフォルダ")
        save.add_argument("--pages", type=int, default=5000, help="ファイルの数の上限（5000）")
        save.add_argument("--megabytes", type=int, default=2000, help="大きさの上限（2000）")
        save.add_argument("--pause", type=float, default=1.0, help="1件ごとに待つ秒（1）")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        if command == "crawl":
            self._crawl(**options)
        else:
            self._import(**options)

    def _crawl(
        self, *, address: str, out: str, pages: int, megabytes: int, pause: float, **_: Any
    ) -> None:
        def told(saving: Saving, at: str) -> None:
            if saving.files % 20 == 0:
                self.stderr.write(f"{saving.files:,}件 {saving.bytes / 2**20:,.0f}MB {at}")

        fetcher = Fetcher(allow_private=settings.FEEDS_ALLOW_PRIVATE)
        try:
            saved = crawl(
                address, out=Path(out), fetcher=fetcher, most=pages,
                most_bytes=megabytes * 2**20, pause=max(pause, 0.2), told=told,
            )  # fmt: skip
        except NoCrawl as error:
            raise CommandError(str(error)) from error
        finally:
            fetcher.close()
        for line in saved.failed:
            self.stderr.write(line)
        self.stdout.write(f"{saved.files:,}件を保存しました。読めなかった {len(saved.failed):,}件")
        if saved.full:
            self.stdout.write(
                "上限で止まりました。上限を上げて、もう一度動かすと続きを保存します。"
            )

    def _import(self, *, source: str, into: str, **options: Any) -> None:
        editing.begin()
        try:
            below = taking_over.section_at(into)
            for css in filter(None, (options["select"], *options["drop"])):
                selector(css)
            saved = opened(Path(source))
        except (taking_over.NoSection, BadSelector, BadSource) as error:
            raise CommandError(f"{error}何も取り込みませんでした。") from error
        template = Template(options["select"], tuple(options["drop"]))
        if options["look"]:
            taken = taking_over.look(saved, template=template, told=self._told())
            self.stdout.write(
                f"取り込めるページ {taken.new}、ファイルと画像 {taken.files}、"
                f"読めないページ {taken.broken}。まだ何も取り込んでいません。"
            )
        else:
            taken = taking_over.take_over(saved, below=below, template=template, by=None,
                                          now=timezone.now(), told=self._told())  # fmt: skip
            self.stdout.write(
                f"新しい {taken.new}、変わった {taken.changed}、同じ {taken.same}、"
                f"こちらで直してあった {taken.left}、取り込めなかった {taken.broken}"
            )
        for need, count in sorted(taken.needs.items(), key=lambda one: -one[1]):
            name, todo = SAID[need]
            self.stdout.write(f"  {count:5,} ページ  {name}。{todo}")

    def _told(self) -> Callable[[int, int, str, list[Fault]], None]:
        def told(number: int, total: int, address: str, faults: list[Fault]) -> None:
            broken = next((fault for fault in faults if fault.need is Need.BROKEN), None)
            if broken:
                self.stderr.write(f"{address}: {broken.what}")
            if number % 100 == 0 or number == total:
                self.stderr.write(f"{number:,} / {total:,}")

        return told
