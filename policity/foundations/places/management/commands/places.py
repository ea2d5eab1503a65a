"""`policity places load FOLDER`, `policity places facilities FILE`: facts into this home."""

from argparse import ArgumentParser
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.foundations.places.formats.facilities import BadList, read
from policity.foundations.places.formats.facts import BadFacts
from policity.foundations.places.models import City
from policity.foundations.places.services import AnotherCity, Changes, load_city, take_list
from policity.foundations.publishing.services import ensure_shown
from policity.kit.geometry import from_geojson

SHIPPED = Path(str(files("policity.foundations.places"))) / "facts" / "cities"


class Command(BaseCommand):
    help = "市のデータ（町、避難場所、境界）を扱います"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        load = commands.add_parser("load", help="市のフォルダを読み込みます")
        shipped = "、".join(sorted(path.name for path in SHIPPED.iterdir() if path.is_dir()))
        load.add_argument("folder", help=f"フォルダの場所、または付属の市の名前（{shipped}）")
        load.add_argument("--switch", action="store_true", help="この環境の市を替えます")
        listed = commands.add_parser("facilities", help="施設の一覧（CSV）を取り込みます")
        listed.add_argument("file", type=Path, help="公共施設・公衆トイレ・AED設置箇所の一覧")
        listed.add_argument(
            "--source", default="", help="一覧の名前（同じ名前の一覧だけを替えます）"
        )

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        if command == "load":
            self._load(options["folder"], switch=options["switch"])
        else:
            self._facilities(options["file"], options["source"])

    def _facilities(self, file: Path, source: str) -> None:
        try:
            boundary = from_geojson(City.objects.here().get().boundary)
            found = read(file.read_bytes(), boundary=boundary)
            done = take_list(
                source=source or found.dataset, found=found, by=None, now=timezone.now()
            )
        except City.DoesNotExist as error:
            raise CommandError("先に市を読み込んでください: policity places load FOLDER") from error
        except OSError as error:
            raise CommandError(f"ファイルを読めません: {file}") from error
        except BadList as error:
            raise CommandError("\n".join([*error.problems, "何も取り込みませんでした"])) from error
        self.stdout.write(f"{source or found.dataset}を取り込みました")
        self.stdout.write(
            f"新しい {len(done.new)}、変わった {len(done.changed)}、"
            f"なくなった {len(done.gone)}、同じ {done.same}"
        )

    def _load(self, folder: str, *, switch: bool) -> None:
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
