"""`policity places load FOLDER`: a city's facts into this home."""

from argparse import ArgumentParser
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.foundations.places.formats.facts import BadFacts
from policity.foundations.places.services import AnotherCity, Changes, load_city
from policity.foundations.publishing.services import ensure_shown

SHIPPED = Path(str(files("policity.foundations.places"))) / "facts" / "cities"


class Command(BaseCommand):
    help = "市のデータ（町、避難場所、境界）を扱います"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        load = commands.add_parser("load", help="市のフォルダを読み込みます")
        shipped = "、".join(sorted(path.name for path in SHIPPED.iterdir() if path.is_dir()))
        load.add_argument("folder", help=f"フォルダの場所、または付属の市の名前（{shipped}）")
        load.add_argument("--switch", action="store_true", help="この環境の市を替えます")

    def handle(self, *args: Any, folder: str, switch: bool, **options: Any) -> None:
        place = SHIPPED / folder if (SHIPPED / folder).is_dir() else Path(folder)
        try:
            loaded = load_city(place, by=None, now=timezone.now(), switch=switch)
        except BadFacts as error:
            raise CommandError("\n".join([*error.problems, "何も読み込みませんでした"])) from error
        except AnotherCity as error:
            raise CommandError(f"{error}。市を替えるときは --switch をつけてください") from error
        ensure_shown(now=timezone.now())
        self.stdout.write(f"{loaded.city.name}を読み込みました")
        self.stdout.write(f"町: {_said(loaded.towns)}")
        self.stdout.write(f"避難場所・避難所: {_said(loaded.sites)}")


def _said(changes: Changes[Any]) -> str:
    gone = "、".join(row.name for row in changes.closed)
    counts = changes.counts
    said = f"新しい {counts['added']}、変わった {counts['changed']}、なくなった {counts['closed']}"
    return f"{said}（{gone}）" if gone else said
