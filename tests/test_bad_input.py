"""Ten thousand signs in every field of every form that staff have.

It is said what is too long, and all that was typed stands there still; or it is kept, whole. What
is added later joins by itself.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import CharField, JSONField, TextField
from django.db.models.functions import Cast, Length
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.tests.test_queue import dispatch
from policity.fields.charm import services as charm
from policity.fields.charm.tests.conftest import spot
from policity.foundations.accounts.models import Role
from policity.foundations.delivery.models import Alarm
from policity.foundations.places.models import Site
from policity.foundations.places.rules.facilities import Facility
from policity.foundations.places.rules.hours import Hours, Span
from policity.foundations.places.services import write_facility
from tests.test_attacks import STAFF, addresses, everybody, lived  # noqa: F401

pytestmark = pytest.mark.usefixtures("city")

LONG = "長" * 10_000
# The button that rules and texts have beside the one that only tries them.
SAVE = {"do": ["save"]}
BUTTON = "(.//button[@name and @name != 'do'])[1]"
TEXTS = (
    ".//textarea/@name | .//input[not(@type) or @type='text' or @type='url' or @type='email']/@name"
)
# Lines on a map, which choose towns by a button of their own and are kept nowhere.
CHOOSES = {"area"}
# Languages have the same fields: one that is not Japanese stands for all.
ALIKE = re.compile(r"(^|[_.])(en|zh-hans|ko)($|[_.])")


@pytest.fixture
def written(lived, everybody) -> int:  # noqa: F811
    """More of each kind, so that there is something to change; the number of each."""
    editor, now = everybody[Role.EDITOR], timezone.now()
    charm.draft_spot(spot=spot(), by=editor, now=now)
    stops = "地点 35.74 139.53 入口\n地点 35.741 139.531 出口"
    course = charm.CourseDraft(texts={"ja": {"title": "森の道", "summary": "歩く"}}, stops=stops)
    charm.draft_course(course=course, by=editor, now=now)
    hours = Hours(week=((Span(540, 1020),),) * 7)
    hall = Facility(source_id="", kind="library", name="見本図書館", hours=hours)
    write_facility(number=None, written=hall, by=editor, now=now)
    Alarm.objects.create(message_id=dispatch(), person=1, language="ja", raised_at=now)
    return int(lived)


def fields_of(client: Client, number: int) -> Iterator[tuple[str, dict[str, list[str]], list[str]]]:
    """Every form with texts that somebody sees: where it goes, how it stands, and its texts."""
    seen, site = set(), Site.objects.here()[0].pk
    for _, route, _ in STAFF:
        path = addresses(route, str(site if ":site>" in route else number), "x")
        answer = client.get(path)
        if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
            continue
        page: Any = html.document_fromstring(answer.content)
        for form in page.xpath("//form[@method='post']"):
            action = str(form.get("action") or path)
            names = [str(name) for name in form.xpath(TEXTS) if name not in CHOOSES]
            if names and (alike := re.sub(r"\d+", "#", action)) not in seen:
                seen.add(alike)
                # The first of the buttons that say what is done, as Enter would press it.
                pressed = [(one.get("name"), one.get("value")) for one in form.xpath(BUTTON)]
                values = [*form.form_values(), *pressed]
                yield action, {name: [str(value)] for name, value in values}, names


def kept(answer: HttpResponse, names: list[str]) -> list[str]:
    """Which of these texts stand in the page as they were typed."""
    page: Any = html.document_fromstring(answer.content)
    found = {
        str(one.get("name"))
        for one in page.xpath("//input[@name] | //textarea[@name]")
        if str(one.get("value") or one.text or "").strip() == LONG
    }
    return [name for name in names if name in found]


def faults(answer: HttpResponse) -> list[str]:
    """What a page says is wrong."""
    page: Any = html.document_fromstring(answer.content)
    said = page.xpath("//*[contains(@class, 'fault') or @role='alert']")
    return [text for one in said if (text := " ".join(one.text_content().split()))]


def too_long() -> list[str]:
    """Columns with more in them than they hold: PostgreSQL would have broken off."""
    return [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, CharField) and field.max_length
        if model._base_manager.annotate(how_long=Length(field.name))
        .filter(how_long__gt=field.max_length)
        .exists()
    ]


def stored() -> bool:
    """Whether it was written down, whole."""
    return any(
        model._base_manager.annotate(as_text=Cast(field.name, TextField()))
        .filter(as_text__contains=LONG)
        .exists()
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, TextField | JSONField)
    )


@pytest.mark.parametrize("role", [Role.EDITOR, Role.ADMINISTRATOR, Role.COMMANDER])
def test_ten_thousand_signs_are_refused_beside_what_was_typed_or_kept_whole(
    client: Client,
    everybody,  # noqa: F811
    written,
    role,
):
    client.force_login(everybody[role])
    wrong: list[tuple[Any, ...]] = []
    count = 0
    for action, values, names in list(fields_of(client, written)):
        alone = [[name] for name in names if not ALIKE.search(name)]
        # All at once, as far as a form may be that large (2.5 MB).
        many = [names[at : at + 50] for at in range(0, len(names), 50)]
        for some in [*many, *(alone if len(names) > 1 else [])]:
            count += 1
            answer = client.post(action, values | {name: [LONG] for name in some} | SAVE)
            if answer.status_code == 302:
                answer = client.get(answer["Location"])
                if not stored():
                    wrong.append((action, some, "lost"))
                continue
            said = answer.content.decode()
            if answer.status_code not in (200, 400) or kept(answer, some) != some:
                wrong.append((action, some, answer.status_code))
            elif not faults(answer):
                wrong.append((action, some, "nothing is said"))
            # Django's own words name no field.
            elif "この値は" in said or any(LONG[:100] in fault for fault in faults(answer)):
                wrong.append((action, some, faults(answer)))
    assert wrong == []
    assert count > 10
    assert too_long() == []
