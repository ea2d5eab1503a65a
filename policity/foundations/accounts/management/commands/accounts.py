"""`policity accounts`: the first people of a home that is empty, and the sealed account."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from policity.foundations.accounts import queries
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.services import glass, staff


class Command(BaseCommand):
    help = "職員の登録と役割、なくしたキーのリセット、非常用アカウントの封"

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        create = commands.add_parser("create", help="登録し、一回だけ使えるリンクを出します")
        create.add_argument("username", help="職員ID（英字、数字）")
        create.add_argument("--name", required=True, help="名前（記録に出ます）")
        create.add_argument("--role", required=True, action="append", choices=Role.values)
        create.add_argument("--email", default="")
        create.add_argument(
            "--town", action="append", default=[], help="町の名前（なければ市全体）"
        )
        create.add_argument("--starts", type=date.fromisoformat, help="はじめの日（なければ今日）")
        create.add_argument("--ends", type=date.fromisoformat, help="最後の日")
        commands.add_parser("list", help="登録のある人と、その役割")
        end = commands.add_parser("end", help="やめる人の最後の日を決めます")
        end.add_argument("username")
        end.add_argument("--on", type=date.fromisoformat, help="最後の日（なければ今日）")
        reset = commands.add_parser(
            "reset-factor", help="キーとパスワードを消し、新しいリンクを出します"
        )
        reset.add_argument("username")
        commands.add_parser("seal", help="非常用アカウントに封をします（番号は一回だけ出ます）")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command.replace('-', '_')}")(**options)
        except staff.StaffRefused as error:
            raise CommandError(str(error)) from error

    def _create(self, *, username: str, name: str, role: list[str], **said: Any) -> None:
        now = timezone.now()
        with transaction.atomic():
            user = staff.open_account(
                username=username, display_name=name, email=said["email"], by=None, now=now
            )
            for one in dict.fromkeys(role):
                staff.give_role(
                    user=user,
                    role=Role(one),
                    towns=said["town"],
                    starts=said["starts"] or timezone.localdate(now),
                    ends=said["ends"],
                    by=None,
                    now=now,
                )
        self._link(user)

    def _link(self, user: User) -> None:
        number = staff.link(user, by=None, now=timezone.now())
        self.stdout.write(f"{settings.PUBLIC_URL}/staff/welcome/{number}/")
        self.stderr.write("このリンクを本人に渡してください。一回だけ、3日のうちに使えます。")

    def _list(self, **_: Any) -> None:
        today = timezone.localdate()
        for one in queries.people():
            held = [grant for grant in one.grants if not grant.over(today)]
            roles = "、".join(f"{grant.role.label}（{_span(grant)}）" for grant in held)
            keys = "あり" if one.passkeys or one.has_code else "なし"
            self.stdout.write(
                f"{one.username}\t{one.name}\t{roles or '役割なし'}\t二つめの確かめ{keys}"
            )

    def _end(self, *, username: str, on: date | None, **_: Any) -> None:
        now = timezone.now()
        staff.end_account(
            user=_user(username), last_day=on or timezone.localdate(now), by=None, now=now
        )

    def _reset_factor(self, *, username: str, **_: Any) -> None:
        user = _user(username)
        staff.reset(user=user, by=None, now=timezone.now())
        self._link(user)

    def _seal(self, **_: Any) -> None:
        self.stdout.write(glass.seal(by=None, now=timezone.now()))
        self.stderr.write(
            "この番号は、二度と出ません。紙に書いて封筒に入れ、封をして、鍵のかかる所に"
            "しまってください。前の封筒の番号は、もう使えません。"
        )


def _user(username: str) -> User:
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise CommandError(f"職員ID {username} の登録がありません。")
    return found


def _span(grant: queries.Grant) -> str:
    return f"{grant.starts}から" + (f"{grant.ends}まで" if grant.ends else "")
