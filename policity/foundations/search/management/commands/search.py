"""`policity search rebuild|check`: the index of everything that can be found."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from policity.foundations.search import services
from policity.foundations.search.models import Entry
from policity.foundations.search.queries import numbers


class Command(BaseCommand):
    help = "サイト内検索の索引を作り直し、確かめます。"

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("rebuild", help="索引をすべて作り直します(作業はワーカーが進めます)。")
        commands.add_parser("check", help="索引が公開中のページと合っているか確かめます。")

    def handle(self, *_: Any, command: str, **options: Any) -> None:
        if command == "rebuild":
            pages = services.rebuild()
            self.stdout.write(
                f"{pages}ページを索引に入れ直します。それまでは、今の索引で検索できます。"
            )
            return
        there, known = set(Entry.objects.values_list("pk", flat=True)), numbers()
        self.stdout.write(
            f"公開中 {len(there)}件、索引にないもの {len(there - known)}件、"
            f"索引にだけあるもの {len(known - there)}件"
        )
        if there != known:
            raise SystemExit(1)
