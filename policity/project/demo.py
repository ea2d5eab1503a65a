"""The demo city and its staff, loaded on the first start. Which city it is, is data.

Passwords are made anew in every home and stand in a file only its owner can read.
"""

import os
import secrets
import tomllib
from collections.abc import Collection
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from policity.project import environment

if TYPE_CHECKING:
    from policity.foundations.accounts.models import User

FACTS = Path(__file__).parent / "facts" / "demo.toml"
PAGES = FACTS.with_name("demo-pages.toml")
EVENTS = FACTS.with_name("demo-events.toml")
CHARM = FACTS.with_name("demo-charm.toml")
FACILITIES = FACTS.with_name("demo-facilities.toml")
PLAN = FACTS.with_name("demo-plan.toml")
COMMENTS = FACTS.with_name("demo-comments.toml")
YEAR = FACTS.with_name("demo-year.toml")
MEASURES = FACTS.with_name("demo-plan.csv")
PICTURES = FACTS.with_name("pictures")
ACCOUNTS_FILE = "demo-accounts.txt"


class NotADemoError(Exception):
    """A home that is no demo was to be filled with made-up people."""


def load(home: Path) -> None:
    """Loads the city's facts and its sample staff in one transaction.

    Raises NotADemoError where POLICITY_DEMO=0: what is made up and what is real do not meet.
    """
    from django.conf import settings

    from policity.foundations.places.services import load_city

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本を読み込みません。")
    now = timezone.now()
    with transaction.atomic():
        load_city(_city_folder(tomllib.loads(FACTS.read_text())["city"]), by=None, now=now)
        load_staff(home, now=now)
    # By itself: what marks pages stale and what writes the trail take turns (services.telling).
    load_pages()
    load_facilities(now=now)
    load_events(now=now)
    load_charm(now=now)
    load_plan(now=now)
    load_year(now=now)
    load_comments(now=now)


def load_pages() -> None:
    """The pages of an ordinary day, all of them marked 見本.

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.public_site.services import samples
    from policity.public_site.services.telling import together

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本のページを作りません。")
    with together():
        samples.write(tomllib.loads(PAGES.read_text("utf-8")))


def load_events(*, now: datetime) -> None:
    """What is on in the weeks to come, all of it marked 見本.

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.foundations.accounts.models import User
    from policity.foundations.events import services as events
    from policity.foundations.events.rules.repeating import Every
    from policity.foundations.places.queries.facilities import facilities

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本のイベントを作りません。")
    facts = tomllib.loads(EVENTS.read_text("utf-8"))
    by, today = User.objects.get(username=facts["by"]), timezone.localdate(now)
    halls = {one.name: one.id for one in facilities()}
    for one in facts["events"]:
        day = today + timedelta(days=one["in_days"])
        starts, ends = (
            timezone.make_aware(datetime.combine(day, time.fromisoformat(one[name])))
            for name in ("from", "to")
        )
        written = events.Draft(
            texts=one["texts"],
            starts=starts,
            ends=ends,
            every=Every(one.get("every", Every.ONCE)),
            until=day + timedelta(days=one["for_days"]) if "for_days" in one else None,
            takes=one.get("takes", False),
            capacity=one.get("capacity"),
            most=one.get("most", 1),
            department=one.get("department", ""),
            whole=one.get("whole", False),
            facility=halls.get(one.get("facility")),
        )
        event = events.draft(event=written, by=by, now=now)
        events.publish(number=event.pk, by=by, now=now)


def load_charm(*, now: datetime) -> None:
    """What the city shows of itself, all of it marked 見本.

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.fields.charm import services as charm
    from policity.fields.charm.rules.seasons import Verb
    from policity.foundations.accounts.models import User

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本の見どころを作りません。")
    facts = tomllib.loads(CHARM.read_text("utf-8"))
    by, source = User.objects.get(username=facts["by"]), facts["source"]
    drawn = _pictures({one["picture"] for one in facts["spots"] if "picture" in one}, by=by)
    numbers: dict[str, str] = {}
    for place, one in enumerate(facts["spots"], 1):
        spot = charm.draft_spot(
            spot=charm.SpotDraft(
                texts=one["texts"],
                verb=Verb(one["verb"]),
                lat=one["lat"],
                lon=one["lon"],
                kana=one["kana"],
                months=tuple(one.get("months", ())),
                source=source,
                is_sample=True,
                picture=drawn.get(one.get("picture", "")),
            ),
            by=by,
            now=now,
        )
        charm.publish_spot(number=spot.pk, by=by, now=now)
        numbers[f"見どころ {place}"] = f"見どころ {spot.pk}"
    for one in facts["courses"]:
        stops = "\n".join(numbers.get(line, line) for line in one["stops"].splitlines())
        draft = charm.CourseDraft(texts=one["texts"], stops=stops, source=source, is_sample=True)
        course = charm.draft_course(course=draft, by=by, now=now)
        charm.publish_course(number=course.pk, by=by, now=now)


def _pictures(names: Collection[str], *, by: "User") -> dict[str, int]:
    """Pictures that were drawn for the demo, by the names of their files."""
    from policity.foundations.publishing.models import CityImage

    found = {}
    for name in sorted(names):
        image = CityImage(title=f"見本の絵（{name}）", credit="見本の絵", uploaded_by_user=by)
        image.file = ContentFile((PICTURES / name).read_bytes(), name)
        image.save()
        found[name] = image.pk
    return found


def load_facilities(*, now: datetime) -> None:
    """A few facilities: real ones with what their source says of them, and invented ones (見本).

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.foundations.places import services as places
    from policity.foundations.places.rules.facilities import Facility
    from policity.foundations.places.rules.hours import Hours, OnHoliday, spans

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本の施設を作りません。")
    with transaction.atomic():
        for one in tomllib.loads(FACILITIES.read_text("utf-8"))["facilities"]:
            hours = None
            if week := one.pop("week", None):
                rule = OnHoliday(one.pop("on_holiday"))
                hours = Hours(
                    tuple(map(spans, week)), rule, year_end=rule is not OnHoliday.AS_USUAL
                )
            is_sample = one.pop("is_sample", False)
            features = tuple(one.pop("features", ()))
            written = Facility(source_id="", hours=hours, features=features, **one)
            places.write_facility(
                number=None, written=written, by=None, now=now, is_sample=is_sample
            )


def load_plan(*, now: datetime) -> None:
    """The frames of the city's plans that ship, and a made-up plan (見本) in its fourth year.

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.foundations.accounts.models import User
    from policity.foundations.city_plan import queries, services
    from policity.foundations.city_plan.formats.facts import FACTS as PLANS
    from policity.foundations.city_plan.formats.facts import frame_of, read_frame
    from policity.kit.eras import fiscal_name, fiscal_year

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本の計画を作りません。")
    first = fiscal_year(timezone.localdate(now)) - 3

    def dated(file: Path) -> str:
        text = file.read_text("utf-8")
        for number in range(1, 6):
            text = text.replace(f"年度{number}", fiscal_name(first + number - 1))
        return text

    by = User.objects.get(username="kikaku")
    with transaction.atomic():
        city = tomllib.loads(FACTS.read_text())["city"]
        shipped = (file for file in (PLANS / "plans").iterdir() if file.name.startswith(city))
        for file in sorted(shipped, key=str):
            plan = services.draw(frame=read_frame(file.read_text("utf-8")), by=by, now=now)
            # The plan's own measures were not found: these are made up under it.
            if (ours := PLANS / "samples" / f"{plan.code}.csv").is_file():
                data = ours.read_bytes()
                services.take_over(plan=plan, data=data, is_sample=True, by=by, now=now)
        for one in tomllib.loads(dated(PLAN))["plans"]:
            services.draw(frame=frame_of(one), by=by, now=now)
        plan = queries.plan("mihon")
        services.take_over(plan=plan, data=dated(MEASURES).encode(), by=by, now=now)


def load_year(*, now: datetime) -> None:
    """A year of the made-up plan as it went from hand to hand until it was published (見本).

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.foundations.accounts.models import User
    from policity.foundations.city_plan import queries, services
    from policity.foundations.city_plan.models import Sheet
    from policity.foundations.city_plan.rules.cycle import Act, Said
    from policity.kit.eras import fiscal_year

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本の評価を作りません。")
    facts = tomllib.loads(YEAR.read_text("utf-8"))
    year = fiscal_year(timezone.localdate(now)) - facts["years_ago"]
    staff = User.objects.in_bulk(field_name="username")
    planner, assessor, steering = (
        staff[facts[name]] for name in ("planner", "assessor", "steering")
    )
    plan = queries.plan("mihon")
    services.open_year(plan=plan, fiscal=year, by=planner, now=now)
    rows = Sheet.objects.filter(measure__plan=plan, year=year).select_related("measure__plan")
    sheets = {sheet.measure.code: sheet for sheet in rows}
    for one in facts["sheets"]:
        sheet = sheets[one["measure"]]
        asked = services.asked(sheet, now=now)
        rated = Said(
            grade=one["grade"],
            answers=dict(zip(asked.questions, one["answers"], strict=True)),
            reasons=dict.fromkeys(asked.missed, facts["missed"]) | one.get("reasons", {}),
            actions=one["actions"],
        )
        decided = Said(text=one["decided"], grade=one["grade"], actions=one["actions"])
        for seen, (act, said, by) in enumerate((
            (Act.RATE, rated, staff[one["rater"]]),
            (Act.CHECK, Said(), planner),
            (Act.REVIEW, Said(text=one["review"], grade=one["grade"]), assessor),
            (Act.HEAR, Said(text=facts["heard"]), planner),
            (Act.DECIDE, decided, steering),
            (Act.PUBLISH, Said(), planner),
        )):  # fmt: skip
            services.act(sheet=sheet.pk, what=act, said=said, seen=seen, by=by, now=now)


def load_comments(*, now: datetime) -> None:
    """Two calls for comments on the made-up plan: one that is open, one that is answered (見本).

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.foundations.accounts.models import User
    from policity.foundations.city_plan import queries, services
    from policity.foundations.city_plan.rules.commenting import Channel, Outcome, Reason
    from policity.kit.eras import fiscal_name, fiscal_year

    if not settings.DEMO:
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本の意見を作りません。")
    today, plan = timezone.localdate(now), queries.plan("mihon")
    year = fiscal_year(today)
    text = COMMENTS.read_text("utf-8").replace("年度3", fiscal_name(year - 1))
    facts = tomllib.loads(text.replace("FY3", f"fiscal {year - 1}"))
    by = User.objects.get(username=facts["by"])
    for one in facts["calls"]:
        first, last = (today + timedelta(days=one[day]) for day in ("first_day", "last_day"))
        about = year - 1 if one["is_evaluation"] else None
        draft = services.CallDraft(plan.pk, about, one["texts"], first, last)
        call = services.draft_call(draft=draft, by=by, now=now).pk
        services.announce(call=call, by=by, now=now)
        for group in one["groups"]:
            comments = [
                services.type_in(
                    call=call, sent=services.Sent(said), channel=Channel(channel), received=today,
                    by=by, now=now,
                ).pk
                for channel, said in group["comments"]
            ]  # fmt: skip
            if reason := group.get("withheld"):
                for number in comments:
                    services.withhold(
                        comment=number, reason=Reason(reason), note="", by=by, now=now
                    )
            elif texts := group.get("texts"):
                made = services.put_together(
                    call=call, comments=comments, group=None, title=texts["ja"]["title"], by=by,
                    now=now,
                )  # fmt: skip
                services.answer(
                    group=made.pk, texts=texts, outcome=Outcome(group["outcome"]),
                    is_checked=False, seen=0, by=by, now=now,
                )  # fmt: skip
        if one["is_answered"]:
            services.close(call=call, reason="見本", by=by, now=now)
            services.publish_answers(call=call, by=by, now=now)


def load_staff(home: Path, *, now: datetime) -> None:
    """The sample staff alone, in the caller's transaction; a drill has a city already.

    Raises NotADemoError in a real city's home.
    """
    from django.conf import settings

    from policity.foundations.accounts import services as accounts
    from policity.foundations.accounts.models import Role

    if not (settings.DEMO or settings.DRILL):
        raise NotADemoError("POLICITY_DEMO=0 のホームには、見本の職員を作りません。")
    lines = []
    for person in tomllib.loads(FACTS.read_text())["staff"]:
        password = secrets.token_urlsafe(12)
        accounts.create_staff(
            username=person["username"],
            display_name=person["display_name"],
            password=password,
            roles=[Role(role) for role in person["roles"]],
            departments=person.get("departments", ()),
            starts=timezone.localdate(now),
            is_sample=True,
        )
        lines.append(f"{person['username']}\t{password}\t{person['display_name']}")
    # Before the commit: accounts whose passwords nobody can read never exist.
    _write_accounts(home / ACCOUNTS_FILE, lines)


def _city_folder(name: str) -> Path:
    from policity.foundations import places

    return Path(places.__path__[0]) / "facts" / "cities" / name


def _write_accounts(file: Path, lines: list[str]) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    django.setup()
    load(environment.read().home)
