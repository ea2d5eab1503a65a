"""`policity plan`: takes plans and their measures in, says how a year stands, and prints it."""

import json
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from policity.foundations.city_plan import presenters, queries, services
from policity.foundations.city_plan.formats.cells import BadTable
from policity.foundations.city_plan.formats.facts import BadFrame, read_frame
from policity.foundations.city_plan.formats.printing import pdf
from policity.foundations.city_plan.models import Plan
from policity.foundations.city_plan.presenters import figures, printing
from policity.foundations.city_plan.queries import showing
from policity.foundations.city_plan.queries.evaluating import NoYear, evaluate
from policity.foundations.city_plan.queries.metrics import metrics, so_far
from policity.foundations.city_plan.services import PlanRefused
from policity.foundations.places import queries as places
from policity.kit.eras import BadYear, fiscal_name, fiscal_year, read_fiscal

TELLS = 2.0
"""Seconds after which, and between which, somebody is told how far it is."""


class Command(BaseCommand):
    help = "計画の施策と指標を取り込み、年度ごとに評価します"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        take = commands.add_parser(
            "import", help="計画の枠組み（toml）か、施策と指標の表（csv・xlsx）を取り込みます"
        )
        take.add_argument("file", type=Path)
        take.add_argument("--plan", default="", help="表を取り込む計画。なければ今年度の計画")
        take.add_argument(
            "--preview", action="store_true", help="何も書かずに、何が変わるかを見ます"
        )
        judge = commands.add_parser("evaluate", help="年度の達成度と評価")
        judge.add_argument("year", metavar="FY", help="年度。例: 2026、令和8年度、R8")
        judge.add_argument("--plan", default="", help="計画。なければその年度の計画")
        judge.add_argument("--json", action="store_true")
        printed = commands.add_parser("report", help="年度の報告書（PDF）を作ります")
        printed.add_argument("year", metavar="FY", help="年度。例: 2026、令和8年度、R8")
        printed.add_argument("--out", type=Path, required=True, help="書き出すファイル")
        printed.add_argument("--plan", default="", help="計画。なければその年度の計画")
        count = commands.add_parser("metrics", help="システムが数えるものと、今年度のここまで")
        count.add_argument("--json", action="store_true")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command}")(now=timezone.now(), **options)
        except (queries.NoPlan, NoYear) as error:
            raise CommandError(str(error)) from error

    def _import(self, *, file: Path, plan: str, preview: bool, now: datetime, **_: Any) -> None:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"ファイルを読めません: {file}") from error
        try:
            if file.suffix == ".toml":
                self._draw(data, preview=preview, now=now)
            else:
                self._take(data, plan, preview=preview, now=now)
        except (BadFrame, BadTable, PlanRefused) as error:
            raise CommandError(f"{error}\n何も取り込みませんでした") from error

    def _draw(self, data: bytes, *, preview: bool, now: datetime) -> None:
        try:
            frame = read_frame(data.decode())
        except UnicodeDecodeError as error:
            raise BadFrame("文字が読めません。UTF-8で保存してください") from error
        span = f"{fiscal_name(frame.first_year)}～{fiscal_name(frame.last_year)}"
        if not preview:
            services.draw(frame=frame, by=None, now=now)
        self.stdout.write(
            f"{frame.name}（{span}）を{'取り込めます' if preview else '取り込みました'}"
        )

    def _take(self, data: bytes, code: str, *, preview: bool, now: datetime) -> None:
        plan = queries.plan(code, fiscal=fiscal_year(timezone.localdate(now)))
        if preview:
            taken = services.look(plan=plan, data=data, now=now)
        else:
            taken = services.take_over(plan=plan, data=data, by=None, now=now)
        self.stdout.write(f"{plan.name}に{'取り込めます' if preview else '取り込みました'}")
        self.stdout.write(
            f"施策 新しい {len(taken.new)}、変わった {len(taken.changed)}、同じ {taken.same}"
            f"　目標 {taken.targets}　実績 {taken.values}"
        )
        if preview and taken.changed:
            self.stdout.write(f"変わる施策: {'、'.join(taken.changed)}")

    def _evaluate(self, *, year: str, plan: str, json: bool, now: datetime, **_: Any) -> None:
        fiscal = _fiscal(year)
        found = evaluate(queries.plan(plan, fiscal=fiscal), fiscal, now=now)
        if json:
            self.stdout.write(_dumps(asdict(found)))
            return
        for line in presenters.report(found):
            self.stdout.write(line)

    def _report(self, *, year: str, out: Path, plan: str, now: datetime, **_: Any) -> None:
        fiscal = _fiscal(year)
        chosen = queries.plan(plan, fiscal=fiscal)
        if fiscal not in showing.evaluated_years(chosen, now=now):
            raise CommandError(
                f"{chosen.name}の{fiscal_name(fiscal)}は、まだ始まっていないか、期間の外です"
            )
        part = out.with_name(f"{out.name}.part")
        try:
            # Before the work, not after it.
            part.write_bytes(b"")
        except OSError as error:
            raise CommandError(
                f"書き出せません: {out}（{error.strerror}）。フォルダーと空きを確かめてください"
            ) from error
        try:
            part.write_bytes(self._pressed(chosen, fiscal, now=now))
            part.replace(out)
        except OSError as error:
            raise CommandError(f"書き出せません: {out}（{error.strerror}）") from error
        finally:
            part.unlink(missing_ok=True)
        self.stdout.write(f"{chosen.name}の{fiscal_name(fiscal)}の報告を書きました: {out}")

    def _pressed(self, plan: Plan, fiscal: int, *, now: datetime) -> bytes:
        """The report, saying on the way how far it is: of what is done in a moment, nothing."""
        began = said = monotonic()

        def tell(words: str) -> None:
            nonlocal said
            if monotonic() - max(began, said) >= TELLS:
                said = monotonic()
                self.stderr.write(words)

        view = showing.view(plan)
        sheets = list(figures.sheets(evaluate(plan, fiscal, now=now), view))
        try:
            city = places.city().name
        except places.NoCity:
            city = ""
        told: dict[str, Any] = {}
        for number, step in enumerate(printing.paper(city, view, fiscal, sheets), 1):
            told = step or told
            tell(f"図を描いています（{len(sheets)}のうち{min(number, len(sheets))}）")
        with ThreadPoolExecutor(1) as press:
            made = press.submit(pdf, told)
            while not wait([made], TELLS).done:
                tell(f"紙面を組んでいます（{round(monotonic() - began)}秒）")
            return made.result()

    def _metrics(self, *, json: bool, now: datetime, **_: Any) -> None:
        fiscal = fiscal_year(timezone.localdate(now))
        read = [(one, so_far(one, fiscal, now=now)) for one in metrics().values()]
        if json:
            rows = [
                {"name": one.name, "title": one.title, "unit": one.unit, "counts": one.counts,
                 "version": one.version, **asdict(reading)}
                for one, reading in read
            ]  # fmt: skip
            self.stdout.write(_dumps({"year": fiscal, "metrics": rows}))
            return
        for one, reading in read:
            for line in presenters.counted(one, reading):
                self.stdout.write(line)


def _fiscal(text: str) -> int:
    try:
        return read_fiscal(text)
    except BadYear as error:
        raise CommandError("年度は「2026」か「令和8年度」のように書いてください") from error


def _dumps(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str | float:
    """Exact fractions to six decimals, decimals as they are."""
    if isinstance(value, Fraction):
        return float(round(value, 6))
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
