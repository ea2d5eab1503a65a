"""Plays one scenario in a drill's home, by the services that are used on the day, and measures it.

A process of its own: `python -m policity.project.drill_play SCENARIO PEOPLE`, with the drill's home
as POLICITY_HOME. It refuses to play in any other.
"""

import csv
import io
import json
import random
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any
from xml.sax.saxutils import escape

import django
from django.conf import settings
from django.db import Error, transaction
from django.utils import timezone

from policity.project import demo, drills

WARNING = drills.SCENARIOS / "warning.xml"
GLANCE_SECONDS = 0.1
# Nothing moves on a channel for so long: something is the matter.
TROUBLE_SECONDS = 10.0
# Addresses that nobody has (RFC 6761 and JPRS keep example.jp for such use).
DOMAIN = "example.jp"
COLUMNS = (
    "external_id", "email", "push", "town", "lat", "lon",
    "language", "kinds", "quiet_from", "quiet_to",
)  # fmt: skip


class StuckError(Exception):
    """The drill cannot go on. The message is one Japanese line."""


class Play:
    """One run of a scenario: its people, its steps, what they came to."""

    def __init__(self, name: str, *, people: int, home: Path) -> None:
        self.name = name
        self.people = people
        self.home = home
        self.scenario = tomllib.loads((drills.SCENARIOS / f"{name}.toml").read_text("utf-8"))
        self.began = timezone.now()
        self.deadline = time.monotonic() + self.scenario["limit_seconds"]
        self.result: dict[str, Any] = {}
        self.order: int | None = None

    def run(self) -> None:
        """Everything, and the result at the end."""
        steps: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "warning": self._warn,
            "shelters": self._open,
            "order": self._issue,
            "answers": self._answer,
            "lift": self._lift,
        }
        self._populate()
        for step in self.scenario["step"]:
            time.sleep(step.get("after", 0))
            steps[step["do"]](step)
        self._settle()
        self._write()

    def say(self, text: str) -> None:
        """A line for who waits, and for who asks later."""
        drills.note(self.home, text, at=timezone.localtime())

    def _populate(self) -> None:
        from policity.foundations.places import queries as places
        from policity.foundations.publishing.services import mark_stale
        from policity.foundations.residents.services import import_list

        now = timezone.now()
        with transaction.atomic():
            demo.load_staff(self.home, now=now)
            sites = {f"places:site:{site.id}" for site in places.sites()}
            mark_stale({"places:city", "places:towns", "places:sites", *sites}, now=now)
        towns = [town.name for town in places.towns()]
        import_list(residents(self.scenario, self.people, towns), now=now)
        self.say(f"{places.city().name}の{len(towns)}の町に、見本の市民{self.people}人を作りました")

    def _warn(self, step: Mapping[str, Any]) -> None:
        from policity.fields.alerts.services import ingest
        from policity.foundations.places import queries as places

        now = timezone.now()
        city = places.city()
        data = telegram(step, city=city.name, area=city.jma_code, at=timezone.localtime(now))
        if not ingest(data, source="drill", now=now).transitions:
            raise StuckError(f"電文「{step['name']}」で、何も変わりませんでした")
        self.say(f"電文：{step['name']}")

    def _open(self, step: Mapping[str, Any]) -> None:
        from policity.foundations.places import queries as places
        from policity.foundations.places.rules.openings import OPENNESS_NAMES, Openness
        from policity.foundations.places.rules.sites import Kind
        from policity.foundations.places.services import set_opening

        state = Openness(step["state"])
        openings = places.openings()
        chosen = [site for site in places.sites() if site.kind is Kind(step["kind"])]
        for site in chosen[: step["count"]]:
            before = openings.get(site.id)
            set_opening(
                site=site.id,
                state=state,
                evacuees=None,
                note="訓練",
                by=_staff(step["by"]),
                now=timezone.now(),
                seen=before.id if before else 0,
            )
        number = min(step["count"], len(chosen))
        self.say(f"避難所 {number}か所を「{OPENNESS_NAMES[state]}」にしました")

    def _issue(self, step: Mapping[str, Any]) -> None:
        from policity.fields.alerts.rules.orders import Level
        from policity.foundations.delivery import queries as delivery

        self.order = self._decide(step, Level(step["level"]), step["reason"])
        self._settle()
        self._measure(self.order)
        status = delivery.status(self.result["message"])
        self.say(f"{status.targets if status else 0}人のうち {self._handed()}人に渡しました")

    def _lift(self, step: Mapping[str, Any]) -> None:
        self._decide(step, None, "")

    def _decide(self, step: Mapping[str, Any], level: Any, reason: str) -> int:
        """Composed by one person, read and approved by another."""
        from policity.fields.alerts.services import orders
        from policity.foundations.places import queries as places

        draft = orders.Draft(level, tuple(t.id for t in places.towns()), reason, {}, {})
        by = _staff(step["by"])
        order = orders.compose(draft=draft, by=by, now=timezone.now())
        order = orders.submit(order=order.pk, seen=order.version, by=by, now=timezone.now())
        self.say("避難情報を作り、承認を依頼しました" if level else "解除の承認を依頼しました")
        time.sleep(step.get("reads", 0))
        other = _staff(step["approved_by"])
        orders.issue(order=order.pk, seen=order.version, by=other, now=timezone.now())
        self.say("承認して、発令しました" if level else "避難情報を解除しました")
        return order.pk

    def _measure(self, number: int) -> None:
        """By the ledger's own times, before answers move its rows on."""
        from django.db.models import Max, Min

        from policity.fields.alerts.models import Order, OrderStep
        from policity.foundations.delivery.models import LedgerRow
        from policity.foundations.delivery.rules.ledger import State

        order = Order.objects.get(pk=number)
        composed = OrderStep.objects.get(order=order, act=OrderStep.Act.COMPOSED)
        rows = LedgerRow.objects.filter(message=order.message_id, state=State.HANDED)
        times = rows.aggregate(first=Min("changed_at"), last=Max("changed_at"))
        issued = order.issued_at
        self.result |= {
            "message": order.message_id,
            "approve_s": _seconds(composed.at, issued),
            "first_handover_s": _seconds(issued, times["first"]),
            "last_handover_s": _seconds(issued, times["last"]),
        }

    def _handed(self) -> int:
        from policity.foundations.delivery.models import LedgerRow
        from policity.foundations.delivery.rules.ledger import State

        rows = LedgerRow.objects.filter(message=self.result["message"], state__gte=State.HANDED)
        return rows.values("person").distinct().count()

    def _answer(self, step: Mapping[str, Any]) -> None:
        from policity.foundations.delivery.models import LedgerRow, Reply
        from policity.foundations.delivery.rules.ledger import State
        from policity.foundations.delivery.services.answering import reply

        message = self.result["message"]
        handed = LedgerRow.objects.filter(message=message, state__gte=State.HANDED)
        rows = list(handed.order_by("person", "channel").values_list("person", "channel"))
        random.Random(self.scenario["seed"]).shuffle(rows)  # noqa: S311  # the same every time
        safe, needy = (round(len(rows) * step[name]) for name in ("safe", "help"))
        answers = [Reply.Answer.SAFE] * safe + [Reply.Answer.HELP] * needy
        for (person, channel), answer in zip(rows, answers, strict=False):
            reply(
                message=message, person=person, channel=channel, answer=answer, now=timezone.now()
            )
        self.result["answers"] = {"safe": safe, "help": needy}
        self.say(f"返事：無事です {safe}人、助けが必要 {needy}人")

    def _settle(self) -> None:
        """Until every row of every message is where its gateway's word puts it."""
        from policity.foundations.delivery import queries as delivery
        from policity.foundations.delivery.models import Dispatch

        stuck = 0.0
        while True:
            numbers = list(Dispatch.objects.values_list("message_id", flat=True))
            stand = delivery.statuses(numbers).values()
            if not any(one.expanding or one.states["queued"] for one in stand):
                return
            troubles = [text for lane in delivery.troubles().values() for text in lane.values()]
            stuck = (stuck or time.monotonic()) if troubles else 0.0
            if stuck and time.monotonic() - stuck > TROUBLE_SECONDS:
                raise StuckError(f"送信箱に書けません：{troubles[0]}")
            if time.monotonic() > self.deadline:
                raise StuckError("時間内に送り終わりませんでした")
            time.sleep(GLANCE_SECONDS)

    def _write(self) -> None:
        from policity.foundations.delivery import queries as delivery
        from policity.foundations.delivery.models import Dispatch
        from policity.foundations.places import queries as places

        message = self.result["message"]
        count = delivery.count(message, now=timezone.now())
        if not count.whole:
            raise StuckError("台帳の合計が対象の人数と合いません")
        names = {town.id: town.name for town in places.towns()}
        towns = [
            _town(names.get(key or 0, ""), counts) for key, counts in count.split.towns.items()
        ]
        missed = [town for town in towns if town["unreached"]]
        whole = _town("", count.split.states)
        found = {
            "drill": True,
            "scenario": self.name,
            "title": self.scenario["title"],
            "home": str(self.home),
            "city": places.city().name,
            "began_at": self.began.isoformat(),
            "ended_at": timezone.now().isoformat(),
            "people": self.people,
            "targets": count.targets,
            "states": dict(zip(_words(), count.split.states, strict=True)),
            **self.result,
            "unreached": sorted(missed, key=lambda town: (-town["unreached"], town["town"])),
            "reasons": whole["reasons"] | {str(k): n for k, n in count.split.why.items()},
            "messages": Dispatch.objects.count(),
            "mails": sum(1 for _ in (self.home / "outbox").glob("*.eml")),
        }
        part = self.home / f"{drills.RESULT}.part"
        part.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
        part.rename(self.home / drills.RESULT)
        self.say("訓練は終わりました")


def residents(scenario: Mapping[str, Any], people: int, towns: list[str]) -> bytes:
    """Made-up residents, as a list that can be imported. The same scenario makes the same ones."""
    dice = random.Random(scenario["seed"])  # noqa: S311  # the same every time
    told = scenario["residents"]
    codes, weights = zip(*told["languages"].items(), strict=True)
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for number in range(people):
        name = f"mihon-{number + 1:05}"
        mail = "" if number % told["without_mail"] == 0 else f"{name}@{DOMAIN}"
        (language,) = dice.choices(codes, weights)
        rows.writerow([name, mail, "", dice.choice(towns), "", "", language, "", "", ""])
    return out.getvalue().encode()


def telegram(step: Mapping[str, Any], *, city: str, area: str, at: datetime) -> bytes:
    """A bulletin of our own in JMA's form, for one city."""
    ends = step["code"] == "00"
    before = ""
    if "last" in step:
        code, name = (escape(text) for text in step["last"])
        before = f"<LastKind><Name>{name}</Name><Code>{code}</Code></LastKind>"
    text = Template(WARNING.read_text("utf-8")).substitute(
        at=at.isoformat(timespec="seconds"),
        city=escape(city),
        area=area,
        name=escape(step["name"]),
        code=escape(step["code"]),
        status="解除" if ends else "発表",
        before=before,
    )
    return text.encode()


def _staff(username: str) -> Any:
    from policity.foundations.accounts.models import User

    return User.objects.get(username=username)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None


def _words() -> tuple[str, ...]:
    from policity.foundations.delivery.rules.ledger import State

    return tuple(state.word for state in State)


def _town(name: str, counts: tuple[int, ...]) -> dict[str, Any]:
    """How many of a town were not reached, and by which of the ledger's states."""
    from policity.foundations.delivery.rules.ledger import State

    missing = {state.word: counts[state] for state in State if state < State.HANDED}
    return {
        "town": name,
        "targets": sum(counts),
        "unreached": sum(missing.values()),
        "reasons": {word: number for word, number in missing.items() if number},
    }


def main() -> int:
    """Exit status 0 with a result, 1 where it stuck; the last line of its progress says why."""
    django.setup()
    if not settings.DRILL:
        print("ここは訓練のホームではありません。", file=sys.stderr)  # noqa: T201  # a command
        return 1
    name, people = sys.argv[1:]
    play = Play(name, people=int(people), home=Path(settings.HOME))
    try:
        play.run()
    except (StuckError, Error, OSError) as error:
        full = "No space left" in str(error) or "disk is full" in str(error)
        play.say(drills.FULL if full else f"止まりました：{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
