"""`policity bulletin explain` and `ingest`: what a telegram says of a place, and taking it in."""

import json
from argparse import Namespace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from policity.fields.alerts import formats
from policity.fields.alerts.models import Action, Outcome, Transition
from policity.fields.alerts.queries.words import texts
from policity.fields.alerts.rules import areas
from policity.fields.alerts.rules.bulletin import (
    Bulletin,
    Change,
    Event,
    Ignored,
    InfoType,
    Refused,
    Status,
)
from policity.fields.alerts.services import ingest
from policity.fields.alerts.sources import folder
from policity.foundations.places import queries as places
from policity.foundations.publishing.services import ensure_shown

UNREADABLE = 2

_STATUS = {Status.ACTUAL: "通常", Status.EXERCISE: "訓練", Status.TEST: "試験"}
_INFO_TYPE = {InfoType.ISSUE: "発表", InfoType.CORRECT: "訂正", InfoType.CANCEL: "取消"}
_CHANGE = {
    Change.ISSUED: "発表",
    Change.CONTINUED: "継続",
    Change.RAISED: "引き上げ",
    Change.LOWERED: "引き下げ",
    Change.CANCELLED: "解除",
}


class Command(BaseCommand):
    help = "電文を読み、取り込みます。"

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        explain = commands.add_parser(
            "explain",
            help="電文が、ある地域について何を伝えているかを表示します（取り込みません）。",
        )
        explain.add_argument("files", nargs="+", metavar="FILE", help="電文のファイル（XML、gz）")
        explain.add_argument("--area", required=True, metavar="CODE", help="気象庁の地域コード")
        explain.add_argument("--json", action="store_true", help="1行に1件のJSONで表示します。")
        explain.set_defaults(run=self.explain)
        ingest = commands.add_parser(
            "ingest", help="電文を取り込み、変わったことを公開します。同じ電文は一度だけ効きます。"
        )
        ingest.add_argument("files", nargs="+", metavar="FILE", help="電文のファイル（XML、gz）")
        ingest.add_argument(
            "--area", default="", metavar="CODE", help="気象庁の地域コード（なければ、この市）"
        )
        ingest.add_argument(
            "--clock",
            choices=["now", "telegram"],
            default="now",
            help="telegram: 電文の発表時刻を、いまの時刻とみなします。",
        )
        ingest.add_argument("--json", action="store_true", help="1行に1件のJSONで表示します。")
        ingest.set_defaults(run=self.ingest)

    def handle(self, *_: Any, **options: Any) -> None:
        options["run"](Namespace(**options))

    def explain(self, options: Namespace) -> None:
        """Every file that can be read is explained; one that cannot makes the exit code 2."""
        lineage = places.lineage(options.area)
        unreadable = False
        for name in options.files:
            try:
                bulletin = formats.read(folder.read(Path(name), limit=formats.LIMIT))
            except Ignored as reason:
                self.stderr.write(f"{name}: {reason}")
                bulletin = reason.bulletin
            except (Refused, OSError) as reason:
                self.stderr.write(f"{name}: {formats.one_line(str(reason))}")
                unreadable = True
                continue
            events = areas.select(bulletin, lineage)
            if options.json:
                said = json.dumps(_as_json(name, bulletin, events), ensure_ascii=False)
            else:
                said = _as_text(name, bulletin, events, options.area)
            self.stdout.write(said)
        if unreadable:
            raise SystemExit(UNREADABLE)

    def ingest(self, options: Namespace) -> None:
        """Every file is taken in; one that cannot be read makes the exit code 2."""
        unreadable = False
        for name in options.files:
            try:
                data = folder.read(Path(name), limit=formats.LIMIT)
            except (Refused, OSError) as reason:
                self.stderr.write(f"{name}: {formats.one_line(str(reason))}")
                unreadable = True
                continue
            now = _telegram_time(data) if options.clock == "telegram" else None
            done = ingest(data, source="command", now=now or timezone.now(), place=options.area)
            if done.telegram.outcome != Outcome.READ:
                self.stderr.write(f"{name}: {done.telegram.reason}")
                unreadable |= done.telegram.outcome == Outcome.REFUSED
            for step in done.transitions:
                self.stdout.write(_step_as_json(step) if options.json else _step_as_text(step))
        ensure_shown(now=timezone.now())
        if unreadable:
            raise SystemExit(UNREADABLE)


def _telegram_time(data: bytes) -> datetime | None:
    try:
        return formats.read(data).reported_at
    except Refused:
        return None


def _step_as_json(step: Transition) -> str:
    return json.dumps(
        {
            "event": step.event_id,
            "phenomenon": step.event.phenomenon,
            "level_from": step.level_from,
            "level_to": step.level_to,
            "change": step.change,
            "action": Action(step.action).name.lower(),
            "message": step.message_id,
        }
    )


def _step_as_text(step: Transition) -> str:
    event = step.event
    drill = "" if event.status == Status.ACTUAL else f"【{_STATUS[Status(event.status)]}】"
    levels = ""
    if step.level_from or step.level_to:
        levels = f"（警戒レベル相当 {step.level_from or 'なし'} → {step.level_to or 'なし'}）"
    return (
        f"{drill}{event.name}: {_CHANGE[Change(step.change)]}{levels} {event.area_name}"
        f" — {Action(step.action).label}"
    )


def _as_json(name: str, bulletin: Bulletin, events: tuple[Event, ...]) -> dict[str, Any]:
    return {
        "file": name,
        "format": bulletin.format,
        "title": bulletin.title,
        "status": bulletin.status,
        "info_type": bulletin.info_type,
        "reported_at": bulletin.reported_at.isoformat(),
        "events": [
            {
                "phenomenon": event.phenomenon,
                "severity": event.severity,
                "level": event.level,
                "change": event.change,
                "code": event.code,
                "name": event.name,
                "area": event.area,
            }
            for event in events
        ],
    }


def _as_text(name: str, bulletin: Bulletin, events: tuple[Event, ...], area: str) -> str:
    lines = [
        name,
        f"  {bulletin.title}（{_STATUS[bulletin.status]}・{_INFO_TYPE[bulletin.info_type]}）"
        f" {bulletin.reported_at:%Y-%m-%d %H:%M} {bulletin.office}",
    ]
    for event in events:
        grade = texts().plain_severity("ja", event.severity)
        if event.level:
            grade += f"、警戒レベル{event.level}相当"
        place = f"{event.area_name}（{event.area}）" if event.area else event.area_name
        lines.append(f"  - {event.name}: {_CHANGE[event.change]}（{grade}） {place}")
    if not events:
        lines.append(f"  - {area} について伝えていることはありません。")
    return "\n".join(lines)
