"""Attacks on every address, form and file that there is; what is added later joins by itself.

Every view of the URL configuration is visited: by strangers, by staff without a role, by each role;
with numbers too large, names that climb out of folders, and every field of every form filled with
markup, formulas and line breaks. Nobody gets in, nothing breaks, nothing comes back as markup.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.color import no_style
from django.db import connection
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone
from lxml import html
from wagtail.models import Page

import policity
from policity.back_office.tests.test_orders_web import create, made
from policity.fields.alerts.models import Order
from policity.fields.alerts.services.records import hand_over, write_note
from policity.fields.charm.tests.test_photographs import media
from policity.foundations.accounts.models import Department, Role, RoleGrant, User
from policity.foundations.accounts.tests.factors import sign_in
from policity.foundations.city_plan import services as city_plan
from policity.foundations.city_plan.formats.facts import read_frame
from policity.foundations.city_plan.models import Plan
from policity.foundations.city_plan.tests.conftest import FRAME
from policity.foundations.city_plan.tests.conftest import table as measures
from policity.foundations.events import services as events
from policity.foundations.events.models import Answer, Occurrence, Registration
from policity.foundations.events.rules.asking import Kind, Question, Words
from policity.foundations.places.models import Town
from policity.foundations.residents import services as residents
from policity.foundations.residents.models import Address
from policity.foundations.residents.queries import link
from policity.foundations.residents.rules.links import Purpose
from policity.public_site.tests.content import article, begun, department

__all__ = ["media"]

pytestmark = pytest.mark.usefixtures("city")

HUGE = str(2**64)
# What a text in an address may be: out of the folder, out of the line, out of the markup.
CLIMBING = ["../../secret.key", "..%2f..%2fsecret.key", "x%00y", "x\r\nSet-Cookie: a=b", "あ" * 300]
MARKUP = '=HYPERLINK("https://evil.example")"><b data-planted="1">\''
LINES = "x\r\nX-Planted: 1"
# Fields that a form does not have, and that rows do.
MASS = {
    "is_superuser": "1", "is_staff": "1", "is_active": "1", "by": "1", "by_id": "1", "id": "1",
    "version": "99", "stage": "issued", "approved_at": "2026-01-01", "role": "administrator",
}  # fmt: skip

# What stands in an address besides numbers, so that there is something at its end.
THERE = {"phenomenon": "heavy_rain", "book": "orders", "key": "levels.4", "outlet": "x"}

# What a form of residents' needs besides, to be taken.
WELL = {
    "/plan/comments/send/1/": {"measure": "", "name": "=1+1", "address": "=1+1"},
    "/charm/photographs/send/": {"spot": "", "taken": "", "licence": "site", "made": "1"},
}

# Answered to whoever asks, and why.
OPEN = {
    "readyz": "monitoring: says what is missing, of nobody",
    "metrics": "monitoring: numbers of nobody; no front passes it on to the world",
    "back_office:sign_in": "the way in",
    "back_office:by_passkey": "the way in by a passkey",
    "back_office:ask_passkey": "a challenge for a passkey, of nobody",
    "back_office:second_step": "the way in, after the password",
    "back_office:to_provider": "the way in by the city's own sign-in",
    "back_office:from_provider": "back from there",
    "back_office:welcome": "the link is the permission, once",
    "back_office:break_glass": "the envelope's code is the permission",
    # Whoever has given a password and has no key yet; a stranger is sent to the way in.
    "back_office:set_up": "a first key",
    "back_office:ask_new_passkey": "a first key",
    "back_office:add_passkey": "a first key",
    "back_office:add_app": "a first key",
    "short_link": "to a published page; a number a day, of nobody",
    "send/": "photographs for staff to look at; counted, and no more than staff can see through",
    "report/<int:number>/": "a word to staff about a published photograph; counted",
    "send/<int:number>/": "a comment on a plan, for staff; counted, and no more than 5,000 a call",
    "search/": "what is published; who asks for what is kept nowhere",
    "search/suggest/": "titles of what is published",
}


def views(found: Any = None, before: str = "", space: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every view: its name, its route, its pattern."""
    for one in (found or get_resolver()).url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from views(one, route, f"{one.namespace}:" if one.namespace else space)
        else:
            assert isinstance(one, URLPattern)
            yield f"{space}{one.name or one.pattern}", route, one


VIEWS = sorted(views(), key=lambda view: view[0])
# Wagtail's own views stand behind one door of ours (public_site/views.entered), which has its tests
# in public_site/tests/test_content_access.py. Here each is tried by whoever may not come in, and by
# an editor of one department; ours are tried in every way.
EDITING = [view for view in VIEWS if view[1].startswith("staff/content/")]
STAFF = [
    view
    for view in VIEWS
    if view[1].startswith("staff/") and view[0] not in OPEN and view not in EDITING
]


# An empty form, or the number of nothing, which no page of Wagtail's sends to itself: it says 500
# instead of what is wrong, and does nothing.
BREAKS = {
    "wagtailadmin_choose_page_external_link",
    "wagtailadmin_pages:copy",
    "wagtailadmin_pages:edit",
    "wagtaildocs_chooser:chosen",
    "wagtailimages_chooser:chosen",
    "wagtailsnippetchoosers_accounts_department:chosen",
    "wagtailsnippetchoosers_public_site_reading:chosen",
}


def editing(route: str, number: str = "1") -> str:
    """The address of one of Wagtail's views: with numbers, and words that name nothing."""
    plain = route.replace("^.*/$", "nothing/")
    plain = re.sub(r"\(\?P<\w+>[^()]*\\d[^()]*\)", number, plain)
    plain = re.sub(r"\(\?P?<[^>]+>[^()]*\)", "x", plain)
    plain = re.sub(r"[\^$\\]", "", plain)
    plain = re.sub(r"<int:\w+>", number, plain)
    return "/" + re.sub(r"<(\w+:)?\w+>", "x", plain)


@pytest.mark.parametrize("method", ["get", "post"])
def test_wagtails_views_are_for_who_writes_pages(client: Client, everybody, method):
    assert len(EDITING) > 100
    for _, route, _ in EDITING:
        answer = getattr(client, method)(editing(route))
        if "/api/" in route:
            # What its scripts ask for: no page, so that there is no way on.
            assert answer.status_code in (302, 403), route
        elif method == "get" or answer.status_code == 302:
            # What is none of its addresses goes there by way of Wagtail's own door.
            doors = ("/staff/sign-in/", "/staff/content/login/?next=/staff/content/nothing/")
            assert answer["Location"].startswith(doors), route
        else:
            assert "職員のサインイン" in answer.content.decode(), route
    barred = set(Role) - {Role.EDITOR, Role.PUBLISHER, Role.ADMINISTRATOR}
    for role in sorted(barred):
        client.force_login(everybody[role])
        for _, route, _ in EDITING:
            assert getattr(client, method)(editing(route)).status_code == 403, (role, route)


def test_no_view_of_wagtails_breaks_or_gives_an_editor_of_one_department_more(client: Client):
    begun()
    section, other = department(), department("zei", "税務課")
    page = article(other, slug="juminzei", title="住民税")
    user = create(Role.EDITOR, "one-department")
    user.grants.update(departments=["kodomo"])
    client.force_login(user)
    client.raise_request_exception = False
    broken = set()
    before = list(Page.objects.order_by("pk").values_list("pk", "title", "draft_title", "live"))
    for name, route, _ in EDITING:
        for number in (str(page.pk), str(section.pk), "0", HUGE):
            if "int:" not in route and number != "0":
                continue
            for method in ("get", "post"):
                answer = getattr(client, method)(editing(route, number))
                broken |= {name} if answer.status_code >= 500 else set()
    assert broken == BREAKS
    assert before == list(
        Page.objects.order_by("pk").values_list("pk", "title", "draft_title", "live")
    )


def addresses(route: str, number: str, word: str) -> str:
    """A route with each place in it filled."""
    slug = re.sub(r"[^\w-]", "", word) or "x"

    def fill(found: re.Match[str]) -> str:
        if found[1] == "number:":
            return number
        if word == "x" and found[2] in THERE:
            return THERE[found[2]]
        return slug if found[1] == "slug:" else word

    return "/" + re.sub(r"<(\w+:)?(\w+)>", fill, route)


def test_every_view_is_open_linked_or_for_staff():
    """A new one has to say what it is."""
    for name, route, _ in VIEWS:
        linked = bool(re.match(r"^(\^|\(|<)?.*(register|me|reply)", route))
        assert name in OPEN or route.startswith("staff/") or linked, route


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
def test_a_stranger_gets_nothing(client: Client, method):
    for name, route, _ in STAFF:
        answer = getattr(client, method)(addresses(route, "1", "x"))
        allowed = (302, 405, 200 if method == "post" else 405)
        assert answer.status_code in allowed, (name, answer.status_code)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/staff/sign-in/"), name
        if answer.status_code == 200:
            # What was typed waits in the sign-in page, and nothing else is said.
            assert "職員のサインイン" in answer.content.decode(), name


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_has_no_role_gets_nothing_whatever_flags_the_account_has(client: Client, method):
    nobody = User.objects.create(
        username="nobody", is_superuser=True, is_staff=True, is_active=True
    )
    for name, route, _ in STAFF:
        # Signed in each time: an address on the way may sign out.
        client.force_login(nobody)
        answer = getattr(client, method)(addresses(route, "1", "x"))
        assert answer.status_code in (403, 405), (name, answer.status_code)


@pytest.fixture
def everybody() -> dict[Role, User]:
    return {role: create(role, f"someone-{role}") for role in Role}


@pytest.fixture
def lived(everybody) -> int:
    """Something of each kind is there, each the first of its kind, so that pages show something."""
    # PostgreSQL goes on counting where a test that was rolled back ended.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(apps.get_models())):
            cursor.execute(statement)
    officer = everybody[Role.DUTY_OFFICER]
    now = timezone.now()
    write_note(text="見回り", at=now, by=officer, now=now)
    event_for(everybody[Role.EDITOR], now=now)
    hand_over(text="引き継ぎ", summary=[], by=officer, now=now)
    plan_for(now=now)
    call_for(everybody[Role.PLANNER], now=now)
    return int(made(officer, [Town.objects.here()[0].pk]).pk)


@pytest.mark.parametrize("role", Role)
def test_no_address_breaks_anything(client: Client, everybody, lived, role):
    client.force_login(everybody[role])
    for _, route, _ in STAFF:
        tried = {
            addresses(route, number, word)
            for number in ("0", "1", HUGE)
            for word in ("x", *CLIMBING)
        }
        for path in sorted(tried):
            for method in ("get", "post"):
                if method == "post" and "sign-out" in route:
                    continue
                answer = getattr(client, method)(path)
                assert answer.status_code < 500 or "live" in route, path
                assert "X-Planted" not in answer
                assert str(answer.headers.get("Location", "/")).isprintable()


def event_for(editor: User, *, now: datetime) -> None:
    """An event that takes registrations, somebody in its line, and a calendar, each number one."""
    starts = now + timedelta(days=3)
    draft = events.Draft(
        texts={"ja": {"title": "見本の会"}}, starts=starts, ends=starts, takes=True, capacity=1
    )
    row = events.draft(event=draft, by=editor, now=now)
    events.publish(number=row.pk, by=editor, now=now)
    time = row.times.get().pk
    events.add_by_staff(time=time, name="見本", phone="", seats=1, by=editor, now=now)
    events.add_source(name="見本の団体", address="", by=editor, now=now)


def asked_after(*, now: datetime) -> str:
    """Somebody was at the event (`event_for`) and is asked a question; the page of their answer."""
    question = Question(Kind.TEXT, required=False, words={"ja": Words("見本の質問")})
    who = residents.register(
        town=Town.objects.here()[0].pk, language="ja", email="came@example.jp", now=now
    )
    time = Occurrence.objects.get()
    residents.confirm_mail(resident=who, address=Address.objects.get(resident=who).pk, now=now)
    events.sign_up_known(person=who, time=time.pk, name="見本", seats=1, now=now)
    Occurrence.objects.update(asked_at=now, asked=[question.stored])
    mine = Registration.objects.get(person=who)
    Registration.objects.filter(pk=mine.pk).update(seated=True)
    return f"/events/me/{link(Purpose.EVENTS, who)}/{mine.pk}/"


def plan_for(*, now: datetime) -> None:
    """A plan with two measures and their sheets of a year."""
    for slug, name in (("bosai", "防災課"), ("koho", "広報課")):
        Department.objects.create(slug=slug, name=name)
    plan = city_plan.draw(frame=read_frame(FRAME), by=None, now=now)
    city_plan.take_over(plan=plan, data=measures(), by=None, now=now)
    city_plan.open_year(plan=plan, fiscal=2025, by=None, now=now)


def call_for(keeper: User, *, now: datetime) -> int:
    """A call for comments, with one that waits and one in a group; the number of the call."""
    drawn = Plan.objects.first() or city_plan.draw(frame=read_frame(FRAME), by=None, now=now)
    today = timezone.localdate(now)
    draft = city_plan.CallDraft(
        drawn.pk,
        None,
        {"ja": {"title": "見本の募集", "body": ""}},
        today,
        today + timedelta(days=9),
    )
    number = city_plan.draft_call(draft=draft, by=keeper, now=now).pk
    city_plan.announce(call=number, by=keeper, now=now)
    first, _ = (
        city_plan.receive(call=number, sent=city_plan.Sent("見本の意見"), language="ja", now=now)
        for _ in range(2)
    )
    city_plan.put_together(
        call=number, comments=[first], group=None, title="見本のまとまり", by=keeper, now=now
    )
    return number


def forms(page: Any) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Every form of a page that changes something: where it goes, and its fields as they stand."""
    for form in page.xpath("//form[translate(@method, 'POST', 'post') = 'post']"):
        action = str(form.get("action") or "")
        if "sign-out" in action:
            continue
        yield action, {name: [str(value)] for name, value in form.form_values()}


def texts(page: Any, action: str) -> list[str]:
    """The names of what can be typed into a form."""
    return [
        str(field.get("name"))
        for form in page.xpath("//form")
        if str(form.get("action") or "") == action
        for field in form.xpath(
            ".//textarea[@name] | .//input[@name][not(@type) or @type='text' or @type='search']"
        )
    ]


def planted(client: Client, role: Role, lived: int, payload: str) -> int:
    """Fill every text of every form that this role sees, and press each button. Says how many."""
    count = 0
    for _, route, _ in STAFF:
        path = addresses(route, str(lived), "x")
        answer = client.get(path)
        if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
            continue
        page = html.document_fromstring(answer.content)
        seen = set()
        for action, values in forms(page):
            # Of a hundred sites with the same buttons one is enough.
            if (alike := re.sub(r"\d+", "#", action)) in seen:
                continue
            seen.add(alike)
            names = texts(page, action)
            filled = values | {name: [payload] for name in names} | MASS
            pressed = client.post(action or path, filled)
            assert pressed.status_code < 500, (path, action)
            assert "X-Planted" not in pressed
            location = pressed.headers.get("Location", "/")
            assert location.startswith(("/", "?")), location
            assert not location.startswith("//"), location
            count += bool(names)
            no_markup(pressed.content)
    return count


def no_markup(content: bytes) -> None:
    if not content or b"planted" not in content:
        return
    page = html.document_fromstring(content)
    assert page.xpath("//*[@data-planted]") == []


# Who reads, among them, everything that anybody types.
READERS = (Role.COMMANDER, Role.ADMINISTRATOR, Role.EDITOR, Role.PLANNER)
# Who types anything: what others have, these have too.
TYPISTS = (*READERS, Role.PUBLISHER)


@pytest.mark.parametrize("payload", [MARKUP, LINES], ids=["markup and formula", "lines"])
@pytest.mark.parametrize("role", TYPISTS)
def test_what_is_typed_anywhere_never_comes_back_as_anything_else(
    client: Client, everybody, lived, role, payload
):
    powers, grants = (
        User.objects.values_list("pk", "is_superuser", "is_staff"),
        RoleGrant.objects.values_list("user", "role"),
    )
    before = set(powers.all()), set(grants.all())
    client.force_login(everybody[role])
    assert planted(client, role, lived, payload) > 1
    # What a form does not ask for, it does not take.
    assert set(powers.all()) == before[0]
    assert set(grants.all()) == before[1] or role is Role.ADMINISTRATOR
    assert not Order.objects.filter(stage=Order.Stage.ISSUED).exists() or role is Role.COMMANDER
    read_by_all(client, everybody, lived)


def read_by_all(client: Client, everybody: dict[Role, User], lived: int) -> None:
    """Every page of the desk, and every table that leaves it, by whoever may."""
    for reader in READERS:
        client.force_login(everybody[reader])
        for _, route, _ in STAFF:
            answer = client.get(addresses(route, str(lived), "x"))
            kind = answer.headers.get("Content-Type", "")
            if answer.status_code == 200 and "html" in kind:
                no_markup(answer.content)
            if answer.status_code == 200 and "csv" in kind:
                no_formula(answer.getvalue())


@pytest.mark.parametrize("payload", [MARKUP, LINES], ids=["markup and formula", "lines"])
def test_what_residents_type_never_comes_back_as_anything_else(
    client: Client, everybody, lived, payload, media
):
    sent = set()
    answers = asked_after(now=timezone.now())
    for path in (
        "/register/", f"/events/register/{lived}/", f"/plan/comments/send/{lived}/",
        "/charm/photographs/send/", answers,
    ):  # fmt: skip
        page = html.document_fromstring(client.get(path).content)
        for action, values in forms(page):
            filled: dict[str, Any] = values | {name: [payload] for name in texts(page, action)}
            for more in ({}, {"email": "a@example.jp"}, {"score": "5"}, WELL.get(path, {})):
                answer = client.post(action or path, filled | MASS | more)
                assert answer.status_code < 500, path
                assert "X-Planted" not in answer
                no_markup(answer.content)
                if answer.status_code == 302:
                    sent.add(path)
                    no_markup(client.get(answer.headers["Location"]).content)
    # Some of it was taken: the desk has something to read.
    assert {"/plan/comments/send/1/", f"/events/register/{lived}/", answers} <= sent
    assert Answer.objects.get().answers == [payload.strip()]
    read_by_all(client, everybody, lived)


def no_formula(data: bytes) -> None:
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))):
        for cell in row:
            assert not re.match(r"[=+\-@\t\r](?!\d*$)", cell), cell


@pytest.mark.parametrize(
    "to", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_else(client: Client, everybody, to):
    from policity.back_office.tests.test_access import PASSWORD

    data = {"username": "someone-viewer", "password": PASSWORD, "next": to}
    assert client.post(f"/staff/sign-in/?next={to}", data)["Location"] == "/staff/keys/"
    came = sign_in(client, everybody[Role.EDITOR], PASSWORD, next=to)
    assert came["Location"] == "/staff/"


def test_who_may_come_without_a_token_is_a_short_list():
    """CSRF: a view without the check has to have a reason here."""
    exempt = {name for name, _, pattern in VIEWS if getattr(pattern.callback, "csrf_exempt", False)}
    linked = {
        # Nothing rests on a cookie there: the link is the permission, and who registers has none.
        name
        for name, route, _ in VIEWS
        if re.search(r"(register|me|reply)", route)
    }
    # Whoever sends a photograph or a comment, or says what is wrong with one, has no cookie either.
    linked |= {"send/", "report/<int:number>/", "send/<int:number>/"}
    # Wagtail's own list of pages for its menu: it is read, and changes nothing.
    linked |= {name for name, route, _ in EDITING if route.startswith("staff/content/api/")}
    assert exempt <= linked


@pytest.mark.parametrize("word", CLIMBING)
def test_residents_pages_break_at_nothing(client: Client, word):
    for name, route, _ in [view for view in VIEWS if view not in STAFF + EDITING]:
        plain = re.sub(r"\(\?P<[^>]+>[^()]*\)|\^|\$|\\Z", "", route)
        for method in ("get", "post"):
            answer = getattr(client, method)(addresses(plain, HUGE, word))
            assert answer.status_code < 500 or name == "readyz", (name, method)
            assert "X-Planted" not in answer


# Who takes a file, up to how much, and what becomes of it. What is not here takes none.
TAKES_FILES = {
    "back_office:components": "shows how a field for a file looks: its form is sent nowhere",
    "back_office:new_course": "a way (GPX), up to 900 kB (charm/formats/gpx.py): without a "
    "document type, at most 20,000 points; its line is kept, the file is not",
    "back_office:calendars": "a calendar, up to 1 MB (formats/reading.py): read in a process "
    "with a limit, not kept",
    "back_office:type_comment": "a mail (.eml), up to 900 kB (city_plan/formats/mails.py): its "
    "text is shown in the form, the file is not kept",
    "back_office:facilities": "a list of facilities, up to 1 MB (formats/facilities.py): read as "
    "CSV, shown, and sent back signed; not kept",
    "back_office:hazards": "areas of a hazard map, up to 20 MB (formats/hazards.py): GeoJSON or a "
    "shapefile in a zip, unpacked in memory up to 100 MB; its areas are kept, the file is not",
    "back_office:plan_table": "a table of measures, CSV or XLSX up to 5 MB, unpacked up to ten "
    "times that (city_plan/formats/cells.py): looked at, and sent back signed; not kept",
    "back_office:rule": "a telegram, up to 8 MiB (formats/guard.py): read as XML, tried, not kept",
}
# Markup and programs that a browser or a server might follow, under the names that they like.
ACTIVE = {
    "telegram.xml": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">'
    b'<b data-planted="1"/><script>planted()</script></html>',
    "x.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="planted()"/>',
    "x.html": b'<!doctype html><b data-planted="1"></b><script>planted()</script>',
    "../../../published/x.html": b"<b data-planted=1>planted</b>",
    'x"><b data-planted=1>.xml': b"planted",
    "x.xml": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "x.py": b"#!/bin/sh\necho planted",
    "x.xml.gz": b"\x1f\x8b\x08\x00planted",
    "large.xml": b"<a>" + b"x" * (8 * 2**20) + b"</a>",
}


def lying(*places: Path) -> set[Path]:
    """Every file below these folders."""
    return {file for place in places for file in place.rglob("*") if file.is_file()}


@pytest.fixture
def kept_in(settings, tmp_path: Path) -> tuple[Path, Path]:
    """Where files are kept that are uploaded, and where they lie while they are read."""
    for name in ("media", "meanwhile"):
        (tmp_path / name).mkdir()
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "meanwhile")
    return tmp_path / "media", tmp_path / "meanwhile"


def test_who_takes_a_file_is_a_short_list(client: Client, everybody, lived):
    found = set()
    for role in Role:
        client.force_login(everybody[role])
        for name, route, _ in STAFF:
            answer = client.get(addresses(route, str(lived), "x"))
            if answer.status_code == 200 and "html" in answer.headers.get("Content-Type", ""):
                page: Any = html.document_fromstring(answer.content)
                found |= {name for _ in page.xpath("//input[@type='file']")}
    assert found == set(TAKES_FILES)
    # Nor does any read one that no page asks for.
    package = Path(policity.__path__[0])
    reads = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if not {"tests", "migrations"} & set(file.parts)
        and re.search(
            r"\brequest\.FILES\b|\b(?:File|Image)Field\b|request\.body\b", file.read_text()
        )
    }
    assert reads == {
        "back_office/forms/__init__.py",
        "back_office/forms/charm.py",
        "back_office/forms/comments.py",
        "back_office/forms/events.py",
        "back_office/forms/facilities.py",
        "back_office/forms/hazards.py",
        "back_office/forms/plan.py",
        "back_office/views/calendars.py",
        "back_office/views/facilities.py",
        "back_office/views/hazards.py",
        "back_office/views/plan_figures.py",
        "back_office/views/charm.py",
        "back_office/views/comments.py",
        "back_office/views/rules.py",
        # An older site for Wagtail's part, up to 200 MB: tests in test_importing.py there.
        "public_site/forms.py",
        "public_site/views/importing.py",
        # Photographs of residents: in memory alone, kept as pixels (charm/tests/test_web.py).
        "fields/charm/views.py",
        # The door of Wagtail's own pages, where pictures and files are uploaded: their limits have
        # tests in public_site/tests/test_content_access.py.
    }


@pytest.mark.parametrize("name", ACTIVE)
def test_a_file_is_not_kept_not_followed_and_not_shown(client: Client, everybody, kept_in, name):
    client.force_login(everybody[Role.ADMINISTRATOR])
    [route] = [route for view, route, _ in STAFF if view == "back_office:rule"]
    path = addresses(route, "1", "x")
    page: Any = html.document_fromstring(client.get(path).content)
    [values] = [values for _, values in forms(page) if "do" in values or "seen" in values]
    filled = values | {"do": "try", "telegram_file": SimpleUploadedFile(name, ACTIVE[name])}
    answer = client.post(path, filled)
    assert answer.status_code == 400
    said = answer.content.decode()
    assert "電文として読めません" in said
    assert ("larger than" in said) == (name == "large.xml")
    no_markup(answer.content)
    assert b"root:" not in answer.content
    assert lying(*kept_in) == set()


@pytest.mark.parametrize("role", Role)
def test_nobody_else_keeps_what_is_sent_along(client: Client, everybody, lived, kept_in, role):
    """A file of a size at which it is not held in memory, to every address that there is."""
    data = b"<b data-planted='1'>planted</b>" * 100_000
    client.force_login(everybody[role])
    for name, route, _ in [view for view in VIEWS if view not in EDITING]:
        if "sign-out" in route:
            continue
        route = re.sub(r"\(\?P<[^>]+>[^()]*\)|\^|\$|\\Z", "", route)
        file = SimpleUploadedFile("x.html", data, content_type="text/html")
        answer = client.post(addresses(route, str(lived), "x"), {"telegram_file": file, "f": file})
        assert answer.status_code < 500 or name == "readyz" or "live" in route, route
        no_markup(answer.content if not answer.streaming else b"")
    assert lying(*kept_in) == set()


def test_what_is_uploaded_has_no_address_but_small_pictures_for_who_writes_pages(
    client: Client, everybody, kept_in
):
    media, _ = kept_in
    for name in ("x.html", "original_images/x.jpg", "documents/x.pdf", "images/x.jpg"):
        (media / name).parent.mkdir(exist_ok=True)
        (media / name).write_bytes(b"planted")
        with pytest.raises(Resolver404):
            resolve(f"/media/{name}")
        for role in Role:
            client.force_login(everybody[role])
            answer = client.get(f"/staff/content/media/{name}")
            writes = role in (Role.EDITOR, Role.PUBLISHER, Role.ADMINISTRATOR)
            shown = writes and name == "images/x.jpg"
            assert answer.status_code == (200 if shown else 404 if writes else 403), (role, name)


# Whoever opens a connection outwards, and why no stranger chooses where to.
REACHES_OUT = {
    "kit/fetching.py": "feeds: the administrator's addresses; looked up once, public "
    "addresses only, connected to by that very address, redirects within the host",
    "back_office/channels.py": "the mail server: named in the environment",
    "foundations/continuity/channels/bucket.py": "copies: the S3 store named in the environment, "
    "encrypted before they leave; http:// only to this machine, or where that is said",
    "foundations/accounts/sources.py": "the city's own sign-in: named in the environment",
    "foundations/continuity/services/certificates.py": "the city's own address: named in the "
    "environment",
    "foundations/accounts/services/audit.py": "syslog: named in the environment",
    "foundations/delivery/channels/smtp.py": "the mail server: named in the environment",
    "foundations/delivery/channels/webpush.py": "browsers' push services: looked up once, public "
    "addresses only, connected to by that very address, no redirects",
}
# These talk to this machine alone, or look a name up and connect to nothing.
STAYS_HERE = {"project/releases.py", "project/serve.py", "kit/network.py"}
CONNECTS = re.compile(
    r"^(?:import|from) (?:socket|ssl|smtplib|http\.client|urllib\.request|pyreqwest|requests|httpx"
    r"|obstore|aiohttp|ftplib|telnetlib|xmlrpc|django\.core\.mail)\b|SysLogHandler",
    re.MULTILINE,
)


def test_who_opens_a_connection_outwards_is_a_short_list():
    """SSRF: a new one has to say here why no stranger chooses where it leads."""
    package = Path(policity.__path__[0])
    found = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if "tests" not in file.parts and CONNECTS.search(file.read_text())
    }
    assert found - STAYS_HERE == set(REACHES_OUT)
