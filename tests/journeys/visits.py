"""Every page that there is, and the way to it: what a test of all pages visits, in one demo city.

A page that joins is named here, or in `UNSEEN` with the reason why no visit leads to it.
"""

import email
import email.policy
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page

import policity
from policity.foundations.places.tests.test_facilities import table
from tests.journeys.test_hazards import AREA
from tests.journeys.test_seen_to_work import HEARD
from tests.journeys.test_seen_to_work import policity as command
from tests.living import City, asked, until

PASSWORD = "correct-horse-battery"
_EXTENDS = re.compile(r'{% extends "([^"]+)"')


@cache
def templates() -> dict[str, str]:
    """Every template of ours by its name, with what it says."""
    root = Path(policity.__path__[0])
    return {
        file.as_posix().rpartition("/templates/")[2].removeprefix(f"{root}/project/pages/"): (
            file.read_text("utf-8")
        )
        for file in root.rglob("*.html")
    }


def whole_pages() -> set[str]:
    """The templates that draw a page of their own: they extend another, and none extends them."""
    parents = {name[1] for said in templates().values() if (name := _EXTENDS.search(said))}
    return {
        name
        for name, said in templates().items()
        if name not in parents and (_EXTENDS.search(said) or "<html" in said)
    }


# Pages that no visit leads to, and why.
UNSEEN = {
    "back_office/going.html": "leads on at once; test_accounts.py goes through it",
    "public_site/redirect.html": "leads on at once; test_importing.py goes through it",
    "back_office/drill.html": "a home of its own plays it, in minutes; test_drills.py looks",
    "public_site/takeover.html": "the frame is Wagtail's; test_importing.py looks at our part",
    "public_site/takeovers.html": "the frame is Wagtail's; test_importing.py looks at our part",
}


@dataclass(frozen=True)
class Visit:
    """One page: the template that draws it, where it stands, and what is pressed there first.

    `{name}` in the address is one of the city's own (`stock`). `do` is done after the page was
    opened, and leads to the page that is meant. `own`: for residents, in their language. `but`: the
    rules of axe that it need not keep, with the reason beside it.
    """

    template: str
    address: str
    do: Callable[[Page], None] | None = None
    own: bool = True
    but: tuple[str, ...] = ()


def pressed(*buttons: str) -> Callable[[Page], None]:
    """Presses what these selectors name, one after another."""

    def do(page: Page) -> None:
        for button in buttons:
            page.locator(button).first.click()

    return do


def _asks_for_help(page: Page) -> None:
    page.locator("button[value=help]").click()
    page.locator("main form button[type=submit], main form button:not([name])").last.click()


def _brings_a_map(page: Page) -> None:
    area = json.dumps(AREA).encode()
    file = {"name": "a31a.geojson", "mimeType": "application/geo+json", "buffer": area}
    page.get_by_label("災害の種類").select_option("flood")
    page.get_by_label("地図の名前").fill("石神井川（見本）")
    page.get_by_label("もとの資料").fill("見本の資料")
    page.get_by_label("いつの地図か").fill("2026-04-01")
    for chosen in (None, "A31a_105"):
        # The first time it asks which of what the file says is the depth.
        if chosen:
            page.get_by_label("深さの属性").select_option(chosen)
        page.get_by_label("ファイル").set_input_files(file)  # type: ignore[arg-type]  # a mapping will do
        page.get_by_role("button", name="下書きにして見る").click()


def _brings_a_list(page: Page) -> None:
    page.get_by_label("ファイル").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": table()}
    )
    page.locator("form:has(#table) button[type=submit]").click()


def _brings_measures(page: Page) -> None:
    measures = """施策番号,施策名,分野,指標番号,指標名,種類,単位,向き
9-1,見本 新しい施策,2,1,回数,活動,回,増やす
"""
    page.get_by_label("ファイル").set_input_files(
        {"name": "measures.csv", "mimeType": "text/csv", "buffer": measures.encode()}
    )
    page.locator("form:has(#table) button[type=submit]").click()


def _adds_an_application(page: Page) -> None:
    page.get_by_text("読み取れないとき").click()
    secret = page.locator(".secret").inner_text().replace("-", "")
    page.get_by_label("6桁の番号").fill(
        format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    )
    page.get_by_role("button", name="確かめて、使い始める").click()


def enters(name: str) -> Callable[[Page], None]:
    """Gives somebody's name and password at the way in."""

    def do(page: Page) -> None:
        page.fill("#id_username", name)
        page.fill("#id_password", PASSWORD)
        page.click("main button[type=submit]")

    return do


# For everybody, and for residents, on an ordinary day.
CALM = (
    Visit("public_site/home_calm.html", "/"),
    Visit("public_site/shelters.html", "/shelters/"),
    Visit("public_site/page.html", "/{article}"),
    Visit("public_site/page.html", "/{section}"),
    Visit("alerts/list.html", "/alerts/"),
    Visit("search/search.html", "/search/"),
    Visit("search/search.html", "/search/?q=ごみ"),
    Visit("search/map.html", "/site-map/"),
    Visit("public_site/reading.html", "/reading/"),
    Visit("places/list.html", "/places/"),
    Visit("places/facility.html", "/{facility}"),
    Visit("places/hazards.html", "/places/hazards/"),
    Visit("events/list.html", "/events/"),
    Visit("events/map.html", "/events/map/"),
    Visit("events/month.html", "/{month}"),
    Visit("events/event.html", "/{event}"),
    Visit("events/register.html", "/events/register/{time}/"),
    Visit("events/registered.html", "/events/register/done/"),
    Visit("events/join.html", "/events/me/join/{join}/"),
    Visit("events/mine.html", "/events/me/{events}/"),
    Visit("events/answer.html", "/events/me/{events}/{was_there}/"),
    Visit("events/said.html", "/events/me/nobody/"),
    Visit("charm/spot.html", "/{spot}"),
    Visit("charm/course.html", "/{course}"),
    Visit("charm/calendar.html", "/charm/calendar/"),
    Visit("charm/gallery.html", "/charm/photographs/"),
    Visit("charm/send.html", "/charm/photographs/send/"),
    Visit("charm/mine.html", "/{photographs}"),
    Visit("charm/report.html", "/charm/photographs/report/{photograph}/"),
    Visit("charm/done.html", "/charm/photographs/me/nobody/"),
    Visit("city_plan/plan.html", "/plan/"),
    Visit("city_plan/field.html", "/plan/mihon/fields/2/"),
    Visit("city_plan/measure.html", "/plan/mihon/measures/2-2/"),
    Visit("city_plan/calls.html", "/plan/comments/"),
    Visit("city_plan/call.html", "/plan/comments/{open_call}/"),
    Visit("city_plan/result.html", "/plan/comments/{call}/result/"),
    Visit("city_plan/comment.html", "/plan/comments/send/{open_call}/"),
    Visit("city_plan/my_comment.html", "/{comment_page}"),
    Visit("city_plan/said.html", "/plan/comments/me/nobody/"),
    Visit("residents/register.html", "/register/"),
    Visit("residents/register.html", "/register/", pressed("main form button[type=submit]")),
    Visit("residents/registered.html", "/register/done/"),
    Visit("residents/confirm.html", "/me/confirm/{confirm}/"),
    Visit("residents/settings.html", "/me/{change}/"),
    Visit("residents/leave.html", "/me/leave/{leave}/"),
    Visit("residents/broken.html", "/me/nobody/"),
    Visit("delivery/bad_link.html", "/reply/nobody/"),
)
# The same in Japanese alone.
ONCE = (
    Visit("places/sheet.html", "/{sheet}", own=False),
    Visit("city_plan/report.html", "/{report}", own=False),
    Visit("public_site/error.html", "/errors/404.html", own=False),
    Visit("residents/left.html", "/me/leave/{leave}/", pressed("main form button")),
)
STAFF = (
    Visit("back_office/board.html", "/staff/"),
    Visit("back_office/orders.html", "/staff/orders/"),
    Visit("back_office/order_form.html", "/staff/orders/new/"),
    Visit("back_office/order.html", "/staff/orders/{order}/"),
    Visit("back_office/alarms.html", "/staff/alarms/"),
    Visit("back_office/sites.html", "/staff/sites/"),
    Visit("back_office/close_sites.html", "/staff/sites/close/"),
    Visit("back_office/charm.html", "/staff/charm/"),
    Visit("back_office/spot_form.html", "/staff/charm/spots/new/"),
    Visit("back_office/course_form.html", "/staff/charm/courses/new/"),
    Visit("back_office/photographs.html", "/staff/charm/photographs/"),
    Visit("back_office/photograph.html", "/staff/charm/photographs/{photograph}/"),
    Visit("back_office/plan.html", "/staff/plan/"),
    Visit("back_office/plan_sheet.html", "/staff/plan/sheets/{rated}/"),
    Visit("back_office/plan_indicator.html", "/staff/plan/indicators/{indicator}/{fiscal}/"),
    Visit("back_office/plan_days.html", "/staff/plan/days/"),
    Visit("back_office/plan_table.html", "/staff/plan/table/"),
    Visit("back_office/plan_table_look.html", "/staff/plan/table/", _brings_measures),
    Visit("back_office/plan_metrics.html", "/staff/plan/metrics/"),
    Visit("back_office/plan_metric.html", "/staff/plan/metrics/residents.registered/"),
    Visit("back_office/calls.html", "/staff/plan/comments/"),
    Visit("back_office/call_form.html", "/staff/plan/comments/new/"),
    Visit("back_office/call.html", "/staff/plan/comments/{open_call}/"),
    Visit("back_office/comment_form.html", "/staff/plan/comments/{open_call}/type/"),
    Visit("back_office/comment.html", "/staff/plan/comments/one/{comment}/"),
    Visit("back_office/comment_group.html", "/staff/plan/comments/groups/{group}/"),
    Visit("back_office/links.html", "/staff/links/"),
    Visit("back_office/link.html", "/staff/links/{link}/"),
    Visit("back_office/words.html", "/staff/words/"),
    Visit("back_office/components.html", "/staff/components/"),
    Visit("back_office/events.html", "/staff/events/"),
    Visit("back_office/event_form.html", "/staff/events/new/"),
    Visit("back_office/event.html", "/staff/events/{number}/"),
    Visit("back_office/call_off_event.html", "/staff/events/{number}/off/"),
    Visit("back_office/event_people.html", "/staff/events/times/{time}/"),
    Visit("back_office/calendars.html", "/staff/events/calendars/"),
    Visit("back_office/facilities.html", "/staff/facilities/"),
    Visit("back_office/facility.html", "/staff/facilities/new/"),
    Visit("back_office/facility_list.html", "/staff/facilities/", _brings_a_list),
    Visit("back_office/hazards.html", "/staff/hazards/"),
    Visit("back_office/hazard.html", "/staff/hazards/", _brings_a_map),
    Visit("back_office/chronology.html", "/staff/chronology/"),
    Visit("back_office/note.html", "/staff/chronology/note/"),
    Visit("back_office/hand_over.html", "/staff/hand-over/"),
    Visit("back_office/hand_over_record.html", "/staff/hand-over/{hand_over}/"),
    Visit("back_office/drills.html", "/staff/drills/"),
    Visit("back_office/compose_drill.html", "/staff/drills/messages/new/"),
    Visit("back_office/drill_message.html", "/staff/drills/messages/{drill}/"),
    Visit("back_office/emergency.html", "/staff/emergency/"),
    Visit("back_office/rules.html", "/staff/rules/"),
    Visit("back_office/rule.html", "/staff/rules/heavy_rain/"),
    Visit("back_office/texts.html", "/staff/texts/"),
    Visit("back_office/text.html", "/staff/texts/orders/levels.4/"),
    Visit("back_office/outbox.html", "/staff/outbox/"),
    Visit("back_office/mail.html", "/staff/outbox/", pressed("main th a")),
    Visit("back_office/health.html", "/staff/health/"),
    Visit("back_office/crossings.html", "/staff/crossings/"),
    Visit("back_office/audit.html", "/staff/audit/"),
    Visit("back_office/accounts.html", "/staff/accounts/"),
    Visit("back_office/new_account.html", "/staff/accounts/new/"),
    Visit("back_office/account.html", "/staff/accounts/{somebody}/"),
    Visit("back_office/refused.html", "/staff/nothing/"),
    Visit("back_office/me.html", "/staff/me/"),
    Visit("back_office/set_up.html", "/staff/keys/"),
    Visit("back_office/add_app.html", "/staff/keys/app/"),
    Visit("back_office/recovery_codes.html", "/staff/keys/app/", _adds_an_application),
)
# Before somebody is in.
DOORS = (
    Visit("back_office/sign_in.html", "/staff/sign-in/"),
    Visit("back_office/break_glass.html", "/staff/sign-in/sealed/"),
    Visit("back_office/welcome.html", "/staff/welcome/{welcome}/"),
    Visit("back_office/second_step.html", "/staff/sign-in/", enters("everything")),
    Visit("back_office/no_role.html", "/staff/sign-in/", enters("nothing")),
)
HEADQUARTERS = (Visit("public_site/home_headquarters.html", "/"),)
WARNED = (
    Visit("public_site/home_in_force.html", "/"),
    Visit("alerts/alert.html", "/alerts/{alert}/"),
    Visit("delivery/reply.html", "/reply/{reply}/"),
)
WARNED_ONCE = (
    Visit("delivery/replied.html", "/reply/{reply}/", pressed("button[value=safe]")),
    Visit("delivery/told.html", "/reply/{reply}/", _asks_for_help),
)
WARNED_STAFF = (
    Visit("back_office/reach.html", "/staff/reach/{message}/"),
    Visit("back_office/board.html", "/staff/"),
)
ORDERED = (
    Visit("public_site/home_order.html", "/"),
    Visit("alerts/evacuation.html", "/evacuation/{story}/"),
)
# Pages that a city shows in a state that this one is not in: drawn here, in its place.
DRAWN = (
    Visit("public_site/home_empty.html", "/drawn/public_site/home_empty.html"),
    Visit("residents/no_city.html", "/drawn/residents/no_city.html"),
    Visit("back_office/away.html", "/drawn/back_office/away.html"),
    # Read again every five seconds until the city is there: three sentences, nothing to lose.
    Visit("starting.html", "/drawn/starting.html", but=("meta-refresh",)),
)
VISITS = (
    *CALM, *DRAWN, *ONCE, *STAFF, *DOORS, *HEADQUARTERS,
    *WARNED, *WARNED_ONCE, *WARNED_STAFF, *ORDERED,
)  # fmt: skip

# What the city is given before anybody looks: people, and what they and the staff began.
_STOCK = """
import json
from datetime import timedelta
from django.utils import timezone
from policity.fields.alerts.rules.drill_texts import drill_texts
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import drilling, orders, records
from policity.fields.charm import queries as charm
from policity.fields.charm.models import Contribution, Photograph
from policity.fields.charm.rules.photographs import Licence
from policity.fields.charm.services import files, photographs
from policity.fields.charm.tests.test_photographs import LARGEST, noted
from policity.foundations.accounts import services as accounts
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.services.staff import link_of
from policity.foundations.city_plan import services as city_plan
from policity.foundations.city_plan.models import Call, Comment, Indicator, Sheet
from policity.foundations.city_plan.queries import comments, plan
from policity.foundations.events import services as events
from policity.foundations.events.models import Event, Occurrence, Registration
from policity.foundations.events.rules.asking import Kind, Question, Words
from policity.foundations.places import queries as places
from policity.foundations.residents import queries, services
from policity.foundations.residents.models import Address
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.sharing.services import make
from policity.kit.eras import fiscal_year

now = timezone.now()
officer, keeper = (User.objects.get(username=name) for name in ("bosai", "koho"))
sample = {"password": PASSWORD, "starts": timezone.localdate(now), "is_sample": True}
accounts.create_staff(
    username="everything", display_name="見本 すべて", roles=list(Role), **sample)
accounts.create_staff(username="nothing", display_name="見本 役割なし", roles=[], **sample)
new = accounts.create_staff(
    username="new", display_name="見本 新しい人", roles=[Role.VIEWER], **sample)
new.set_unusable_password()
new.save()

towns = [town.id for town in places.towns()]
who = services.register(town=towns[0], language="ja", email="somebody@example.jp", now=now)
mail = Address.objects.get(resident=who).pk
found = {one.value: queries.link(one, who, mail * (one in (Purpose.CONFIRM, Purpose.JOIN)))
    for one in Purpose}
first, other, *_ = Occurrence.objects.filter(event__takes=True, starts__gt=now).order_by("pk")
services.confirm_mail(resident=who, address=mail, now=now)
# One to come, and one that they were at.
events.sign_up_known(person=who, time=other.pk, name="見本", seats=1, now=now)
found["was_there"] = Registration.objects.get(person=who, occurrence=other).pk
Occurrence.objects.filter(pk=other.pk).update(
    starts=now - timedelta(hours=3), ends=now - timedelta(hours=2))
questions = [
    Question(kind, False, {"ja": Words(
        "見本の質問", ("ひとつめ", "ふたつめ") if kind.chooses else ())}).stored
    for kind in Kind]
Event.objects.filter(pk=other.event_id).update(asks=True, questions=questions)
events.ask_who_came(now=now)
events.sign_up_known(person=who, time=first.pk, name="見本", seats=1, now=now)
events.sign_up(
    time=first.pk, email="guest@example.jp", name="見本", seats=1, language="ja", now=now)
guest = Address.objects.get(value="guest@example.jp")
found["join"] = queries.link(Purpose.JOIN, guest.resident_id, guest.pk)

spot = charm.spots()[0].id
sent = photographs.receive(
    sent=photographs.Sent("朝の公園（見本）", "ja", Licence.SITE, spot=spot),
    shots=[files.read(noted(), largest=LARGEST)] * 2, now=now)
shown, _ = Photograph.objects.filter(contribution=sent).order_by("pk")
photographs.publish(photograph=shown.pk, by=keeper, now=now)

year = fiscal_year(timezone.localdate(now)) - 1
city_plan.open_year(plan=plan("mihon"), fiscal=year, by=None, now=now)
sheet = Sheet.objects.order_by("pk").first()
found |= {"rated": sheet.pk, "fiscal": year,
    "indicator": Indicator.objects.filter(measure=sheet.measure, metric="").first().pk}
# The demo has a call that is answered, and one that is open.
answered, called = Call.objects.order_by("pk").values_list("pk", flat=True)
said = city_plan.receive(call=called, sent=city_plan.Sent("見本の意見"), language="ja", now=now)
together = city_plan.put_together(
    call=called, comments=[Comment.objects.get(call=called, channel="paper").pk], group=None,
    title="見本のまとまり", by=User.objects.get(username="kikaku"), now=now)

draft = orders.Draft(Level.EVACUATE, tuple(towns[:3]), "flood", {}, {})
order = orders.compose(draft=draft, by=officer, now=now)
order = orders.submit(order=order.pk, seen=order.version, by=officer, now=now)
records.write_note(text="見本の記録", at=now, by=officer, now=now)
print("STOCK", json.dumps(found | {
    "call": answered,
    "open_call": called,
    "comment": said,
    "comment_page": comments.own_page(said),
    "group": together.pk,
    "photographs": charm.own_page(sent),
    "photograph": shown.pk,
    "time": first.pk,
    "number": first.event_id,
    "order": order.pk,
    "hand_over": records.hand_over(text="見本の引き継ぎ", summary=[], by=officer, now=now).pk,
    "drill": drilling.compose(text=next(iter(drill_texts())), by=officer, now=now),
    "link": make(address="/shelters/", label="見本", by=keeper, now=now).pk,
    "somebody": officer.pk,
    "welcome": link_of(new),
}))
"""
_HEADQUARTERS = """
from django.utils import timezone
from policity.fields.alerts.services.records import declare_emergency
from policity.foundations.accounts.models import User
declare_emergency(
    why="大雨", by=User.objects.get(username="honbu"), now=timezone.now())
"""
_ORDER = """
from django.utils import timezone
from policity.fields.alerts.models import Order
from policity.fields.alerts.services.orders import issue
from policity.foundations.accounts.models import User
order = Order.objects.get()
issue(
    order=order.pk, seen=order.version, by=User.objects.get(username="honbu"), now=timezone.now())
"""


def _told(city: City, script: str) -> str:
    done = command(city.home, "shell", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stock(city: City) -> dict[str, object]:
    """Gives the demo city people and what they began; the names that stand in addresses."""
    said = _told(city, _STOCK.replace("PASSWORD", repr(PASSWORD)))
    found: dict[str, object] = json.loads(said.partition("STOCK ")[2])
    tree = city.home / "published"
    for name, pattern in (
        ("article", "departments/*/*/"),
        ("section", "departments/*/"),
        ("facility", "places/[0-9]*/"),
        ("month", "events/month/20*/"),
        ("event", "events/[0-9]/"),
        ("spot", "charm/spots/*/"),
        ("course", "charm/courses/*/"),
        ("sheet", "places/sheets/*/"),
        ("report", "plan/mihon/report/*/"),
    ):
        # What waits in the routine lane is drawn a little later.
        until(lambda pattern=pattern: any(tree.glob(pattern)), f"{pattern} is there")
        # The last of the months: nothing that is on there is over by the time of the visit.
        pick = max if name == "month" else min
        folder = pick(tree.glob(pattern))
        found[name] = f"{folder.relative_to(tree)}/"
    return found


def headquarters(city: City) -> None:
    """The city sets up its headquarters, before anything is in force."""
    _told(city, _HEADQUARTERS)
    until(lambda: "災害対策本部" in city.get("/").decode(), "the home says so")


def warned(city: City, samples: Path) -> dict[str, object]:
    """A warning comes in by two telegrams, and is told; the names that stand in addresses."""
    done = command(city.home, "bulletin", "ingest", *(str(samples / name) for name in HEARD))
    assert done.returncode == 0, done.stderr
    until(lambda: _reply_links(city), "somebody is told")
    return {
        "reply": _reply_links(city)[0],
        "alert": min((city.home / "published" / "alerts").glob("[0-9]*/")).name,
        "message": asked(city.home, "SELECT MAX(message_id) FROM delivery_dispatch")[0],
    }


def _reply_links(city: City) -> list[str]:
    found = []
    for file in (city.home / "outbox").glob("*.eml"):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        found += re.findall(r"/reply/([^/]+)/", str(mail.get_content()))
    return found


def ordered(city: City) -> dict[str, object]:
    """What waited for approval is issued; the names that stand in addresses."""
    _told(city, _ORDER)
    stories = city.home / "published" / "evacuation"
    until(lambda: list(stories.glob("[0-9]*/")), "the order has a page")
    until(lambda: "避難指示" in city.get("/").decode(), "the home says so")
    return {"story": min(stories.glob("[0-9]*/")).name}
