"""`policity delivery`: counts whom something would reach, sends, says how it stands, and more."""

import json
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.delivery import queries
from policity.foundations.delivery.channels.engine import rare_collections
from policity.foundations.delivery.services import (
    NotAwaitingError,
    approve,
    bounce,
    counterfoils,
    engines,
)
from policity.foundations.delivery.services.composing import warm
from policity.foundations.delivery.services.sending import Sender, recover
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import kinds
from policity.foundations.work.channels import Ear
from policity.foundations.work.services import locked
from policity.kit import geometry
from policity.kit.declare import Lane
from policity.kit.severity import Severity

log = structlog.get_logger("policity.delivery")

NOTHING = 2
# Answers are folded at least so often while engines work.
FOLD_SECONDS = 0.04
BEAT_SECONDS = 1.0
REST_SECONDS = 1.0


class Command(BaseCommand):
    help = "知らせを人に届けます"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        send = commands.add_parser("send", help="待っている知らせを、止められるまで送ります")
        send.add_argument("--lane", choices=[lane.value for lane in Lane], required=True)
        status = commands.add_parser("status", help="知らせがどこまで届いたか")
        status.add_argument("message", type=int, nargs="?", help="知らせの番号。なければ最新")
        status.add_argument("--json", action="store_true")
        ahead = commands.add_parser("preview", help="送る前に、だれに届くかを数えます")
        ahead.add_argument("--kind", required=True, choices=sorted(kinds()))
        ahead.add_argument("--severity", required=True, choices=[one.value for one in Severity])
        ahead.add_argument("--area", type=Path, help="範囲（GeoJSONのファイル）。なければ市の全体")
        ahead.add_argument("--json", action="store_true")
        allow = commands.add_parser("approve", help="承認を待っている知らせを送ります")
        allow.add_argument("message", type=int)
        allow.add_argument("--by", required=True, help="承認する職員のID")
        back = commands.add_parser("bounce", help="戻ってきたメールを取り込みます（- は標準入力）")
        back.add_argument("file")
        back.add_argument("--to", default="", help="封筒のあて先（VERP）")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        getattr(self, f"_{command}")(**options)

    def _status(self, *, message: int | None, json: bool, **_: Any) -> None:
        number = message or queries.latest()
        found = queries.status(number) if number else None
        if found is None:
            self.stderr.write(
                "送った知らせは、ありません" if not message else "その知らせは、送っていません"
            )
            sys.exit(NOTHING)
        if json:
            self.stdout.write(_as_json(found))
            return
        self.stdout.write(f"知らせ {found.message}　対象 {found.targets}人")
        self.stdout.write(
            "　".join(f"{word} {count}" for word, count in found.states.items() if count)
        )
        if found.expanding:
            self.stdout.write("対象を広げている途中です")

    def _preview(
        self, *, kind: str, severity: str, area: Path | None, json: bool, **_: Any
    ) -> None:
        try:
            found = residents.preview(_audience(kind, Severity(severity), area))
        except (OSError, UnicodeDecodeError, geometry.BadPolygon) as error:
            raise CommandError(f"範囲が読めません: {error}", returncode=NOTHING) from error
        if json:
            self.stdout.write(_dumps(asdict(found)))
            return
        homes = found.homes
        if homes.households:
            self.stdout.write(
                f"世帯 {homes.households}（メール {homes.mail}、通知 {homes.push}、"
                f"手段なし {homes.unreachable}）　世帯の分からない人 {homes.unknown}人"
            )
        self.stdout.write(
            f"対象 {found.persons}人（地点が分かる {found.with_point}人、"
            f"町だけ分かる {found.without_point}人）　宛先のない人 {found.unreachable}人"
        )

    def _approve(self, *, message: int, by: str, **_: Any) -> None:
        user = User.objects.filter(username=by, is_active=True).first()
        if user is None:
            raise CommandError(f"職員「{by}」はいません")
        try:
            approve(message=message, by=user, now=timezone.now())
        except NotAwaitingError as error:
            raise CommandError(str(error)) from error

    def _bounce(self, *, file: str, to: str, **_: Any) -> None:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        try:
            state = bounce(data, to=to, now=timezone.now())
        except ValueError as error:
            raise CommandError(f"取り込めません: {error}", returncode=NOTHING) from error
        self.stdout.write(state.word if state else "変わりません")

    def _send(self, *, lane: str, **_: Any) -> None:
        rare_collections()
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        run(Lane(lane), stop)


def _audience(kind: str, severity: Severity, area: Path | None) -> Audience:
    if area is None:
        return Audience(kind, severity)
    rings = geometry.rings(geometry.from_geojson(area.read_text("utf-8")))
    return residents.within(rings, kind=kind, severity=severity)


def _as_json(found: queries.Status) -> str:
    return _dumps(
        {
            "message": found.message,
            "targets": found.targets,
            "states": dict(found.states),
            "channels": found.channels,
            "expanding": found.expanding,
        }
    )


def _dumps(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False)


def run(lane: Lane, stop: threading.Event) -> None:
    """A lane's sender with its engines, until told to stop; what is under way is finished."""
    home = Path(settings.HOME) / "run"
    with locked(home / f"sender-{lane}.lock") as lock, closing(Ear()) as ear:
        # Of all machines, too: whose lease ends here may be under way nowhere else.
        if not ear.hold(f"sender-{lane}", stop):
            return
        recover(lane, list(engines.folders(lane).values()), now=timezone.now())
        running = engines.Engines(lane, lock=lock)
        sender = Sender(lane, running.hatches, known=counterfoils.known(now=timezone.now()))
        log.info("sender_started", lane=lane)
        beat = 0.0
        while not stop.is_set() and running.alive:
            if time.monotonic() - beat > BEAT_SECONDS:
                ear.still()
                (home / f"sender-{lane}.alive").write_text(json.dumps(running.troubles()))
                warm()
                if not sender.busy:
                    running.prepare()
                beat = time.monotonic()
            rest = _turn(sender, lane)
            if rest and not sender.busy:
                ear.wait(BEAT_SECONDS, stop)
            else:
                stop.wait(rest)
        failed = not stop.is_set()
        running.end()
        sender.leave_off(now=timezone.now())
    connection.close()
    log.info("sender_stopped", lane=lane)
    if failed:
        # The supervisor starts both again.
        log.error("engine_failed", lane=lane)
        sys.exit(1)


def _turn(sender: Sender, lane: Lane) -> float:
    """One round, and for how many seconds to rest after it."""
    try:
        moved = sender.turn(now=timezone.now())
    except Exception as error:  # a locked database, a full disk: what was heard is kept
        log.error("turn_failed", lane=lane, error=repr(error))
        connection.close_if_unusable_or_obsolete()
        return REST_SECONDS
    if moved:
        return 0.0
    return FOLD_SECONDS
