"""What a machine can ask is described (/api/openapi.json), and is answered as described.

Every address that answers machines is in the document, or in LEFT_OUT with its reason. What is in
it is asked whatever the document allows and what it does not (schemathesis), the same each time.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import pytest
import requests
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from policity.back_office.tests import conftest as reaching
from policity.back_office.tests.test_orders_web import PASSWORD
from policity.fields.alerts.rules.bulletin import Phenomenon
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.rules.response import FrontState
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.services import create_staff
from policity.foundations.city_plan.models import Call
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.events.models import Occurrence
from policity.foundations.places.rules.openings import Openness, Use
from policity.foundations.places.rules.sites import HAZARDS, Kind
from policity.foundations.publishing.queries import families
from policity.foundations.residents.models import Resident
from policity.foundations.residents.queries import link
from policity.foundations.residents.rules.links import Purpose
from policity.kit.severity import Severity
from policity.project import front
from policity.project.declarations import description
from policity.project.wsgi import application
from policity.public_site.tests.states import STATES, stand
from policity.public_site.tests.test_pages import FAMILIES
from tests.living import City, demo, until
from tests.test_attacks import EDITING, VIEWS, addresses, call_for, event_for

DOCUMENT = description()
SCHEMA = schemathesis.openapi.from_dict(description())
SCHEMA.app = application
# The same for a city that runs.
OUTSIDE = schemathesis.openapi.from_dict(description())
# What a machine is answered at, and is not told of; and why.
LEFT_OUT = {
    "metrics": "for whom the city has named: no front passes it on to the world",
    "back_office:live": "the board's own script: pieces of its page",
    "back_office:ask_passkey": "the way in's own script",
    "back_office:ask_new_passkey": "the keys' own script",
    "back_office:link_code": "a picture on a page",
    "back_office:link_poster": "a poster to print",
    "back_office:photograph_picture": "a picture on a page",
}
# Published for eyes, or for the pages themselves.
DRAWN = re.compile(r"/assets/|/cards/|/sw\.js$|.*\.(?:html|png|jpe?g|webp|avif|pdf|br|gz)$")
told = reaching.told
# The front answers these, and nothing behind it.
AT_THE_FRONT = {"/healthz"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def resolves(path: str) -> bool:
    """Whether a view is behind a path of the document. Otherwise it is a file, or the front."""
    some = {"language": "en", "link": "x", "table": "links", "file": "x"}
    try:
        return bool(resolve(re.sub(r"{(\w+)}", lambda found: some.get(found[1], "1"), path)))
    except Resolver404:
        return False


BY_VIEW = sorted(path for path in DOCUMENT["paths"] if resolves(path))
STAFF = [
    item["get"]["operationId"] for path, item in DOCUMENT["paths"].items() if "/staff/" in path
]


def operations(paths: list[str], schema: BaseSchema = SCHEMA) -> list[Any]:
    """Each operation of these paths, named as a test is."""
    return [
        pytest.param(schema[path][method], id=f"{method} {path}")
        for path in paths
        for method in ("get", "post")
        if method in DOCUMENT["paths"][path]
    ]


# The document.


def test_the_document_is_openapi_and_names_the_city_and_every_language(settings):
    settings.PUBLIC_URL = "https://city.example/"
    SCHEMA.validate()
    said = description()
    assert said["servers"] == [{"url": "https://city.example"}]
    assert not re.search(r'"x-', str(said))
    assert "/alerts/feed.atom" in said["paths"]
    feed = said["paths"]["/{language}/alerts/feed.atom"]
    assert feed["parameters"][0]["schema"]["enum"] == ["easy", "en", "zh-hans", "ko"]


def told_in_words(part: Any) -> Iterator[str]:
    """Every text in a document that is for people."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part):
        if name in ("summary", "description") and isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            yield from told_in_words(value)


def test_everything_is_said_in_japanese_and_in_english():
    for text in told_in_words(DOCUMENT):
        assert re.search("[ぁ-んァ-ヶ一-龠]", text), text
        assert re.search(r"[A-Za-z]{2}", text.split("/", 1)[-1]), text


def test_every_operation_says_how_it_may_fail():
    for path, item in DOCUMENT["paths"].items():
        for one in (item[method] for method in ("get", "post") if method in item):
            assert path == "/healthz" or {code for code in one["responses"] if code >= "4"}, path


def test_words_that_are_listed_are_those_that_there_are():
    known = DOCUMENT["components"]["schemas"]
    alert, order, site = (known[name]["properties"] for name in ("Alert", "Order", "Site"))
    for listed, there in (
        (known["State"]["properties"]["state"], FrontState),
        (alert["phenomenon"], Phenomenon),
        (alert["severity"], Severity),
        (order["level"], Level),
        (site["kind"], Kind),
        (site["state"], Openness),
        (site["use"], Use),
        (site["hazards"]["items"], HAZARDS),
    ):
        assert listed["enum"] == list(there)


# Nothing is missing, and nothing is there that is not.


@pytest.fixture
def everyone(city: None) -> User:
    """Somebody with every role; and something of each kind is there."""
    user = create_staff(
        username="everyone", password=PASSWORD, display_name="見本", roles=list(Role),
        starts=timezone.localdate(),
    )  # fmt: skip
    event_for(user, now=timezone.now())
    call_for(user, now=timezone.now())
    return user


def test_every_view_that_answers_machines_is_in_the_document(client, everyone, told):
    message = str(told(reaching.EVERY_STATE))
    client.force_login(everyone)
    found = set()
    for name, route, _ in VIEWS:
        if (name, route) in [view[:2] for view in EDITING] or "sign-out" in route:
            continue
        # A name that ends as a file does answers no people, whatever there is to show.
        machines = bool(re.search(r"\.\w+$", route))
        path = addresses(route, message, "x")
        answer = client.get(path)
        if answer.status_code == 405:
            answer = client.post(path)
        kind = answer.headers.get("Content-Type", "text/html")
        machines |= answer.status_code == 200 and not kind.startswith("text/html")
        described = any(SCHEMA.find_operation_by_path(how, path) for how in ("GET", "POST"))
        assert not machines or described != (name in LEFT_OUT), name
        found |= {name}
    assert set(LEFT_OUT) <= found


def machine_files(addresses: Iterable[str]) -> list[str]:
    return [one for one in addresses if not one.endswith("/") and not DRAWN.match(one)]


def described(address: str) -> APIOperation:
    """The operation for a published file. One that nobody has described fails the test."""
    asked = "/.well-known/security.txt" if address == "/security.txt" else address
    found = SCHEMA.find_operation_by_path("GET", asked)
    assert found is not None, f"{address} is not in policity/project/facts/openapi.toml"
    return found


def test_every_file_that_machines_read_is_as_described(settings, everyone):
    settings.SECURITY_CONTACT = "mailto:security@city.example"
    seen = set()
    for family in families().values():
        for address, rendered in family.render(machine_files(family.addresses())):
            assert rendered is not None
            holds(described(address), address, rendered.body)
            seen.add(described(address).path)
    # Cities that have more to tell are in test_a_city_answers_as_described and below.
    assert {"/state.json", "/.well-known/security.txt", "/events/{event}/event.ics"} <= seen


@pytest.mark.parametrize("state", STATES)
def test_whatever_is_in_force_is_told_as_described(monkeypatch, state):
    stand(monkeypatch, state)
    for family in FAMILIES:
        for address, rendered in family.render(machine_files(family.addresses())):
            holds(described(address), address, rendered.body)


def holds(operation: APIOperation, address: str, body: bytes) -> None:
    """A file, as the front would answer with it, is what its operation says."""
    kind = front.CONTENT_TYPES[address.rsplit(".", 1)[1]]
    request = requests.Request("GET", f"http://city.example{address}").prepare()
    answer = Response(200, {"content-type": [kind]}, body, request, 0, True)
    operation.Case().validate_response(answer, checks=CHECKS)


# What is asked, and what is answered.

# What few examples come upon.
BREAKING = ["\0", "a\0b", "あ" * 5000, "../../secret.key", "%", "٣", "\u202e", "{x|", "' OR 1=1 --"]
# The first and the last day that there are, as often as all others.
schemathesis.openapi.format(
    "date", st.one_of(st.sampled_from([date.min, date.max]), st.dates()).map(str)
)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """As Django's own client does it: the data is in a transaction, which a request would end."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def cookies_of(client: Client) -> dict[str, str]:
    return {name: cookie.value for name, cookie in client.cookies.items()}


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("operation", operations(BY_VIEW))
def test_the_application_answers_as_described_whatever_it_is_asked(
    client: Client,
    everyone: User,
    told: Callable[..., int],
    operation: APIOperation,
):
    client.force_login(everyone)
    staff = operation.path.startswith("/staff/")
    cookies = {name: one.value for name, one in client.cookies.items()} if staff else {}
    message = told({State.HANDED: 3, State.FAILED: 1})
    known = {
        "message": message,
        "time": Occurrence.objects.latest("pk").pk,
        "call": Call.objects.latest("pk").pk,
        "link": link(Purpose.LEAVE, Resident.objects.latest("pk").pk),
    }
    named = {one.name for one in operation.path_parameters}
    asked = operation.as_strategy()
    if there := {name: value for name, value in known.items() if name in named}:
        asked |= operation.as_strategy(path_parameters=there)
    if list(operation.iter_parameters()):
        asked |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    statuses = set()

    @settings(
        max_examples=15, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(asked)
    def ask(case: Case) -> None:
        statuses.add(fits(case, case.call(cookies=cookies)))

    ask()
    somewhere = {"language": "en", "table": "links"} | known
    for word in BREAKING:
        query = {one.name: word for one in operation.query}
        case = operation.Case(path_parameters=somewhere, query=query)
        if query:
            fits(case, case.call(cookies=cookies))
    # Readiness alone is missed here: nothing else of the city runs.
    assert (200 in statuses) != (operation.path == "/readyz"), statuses


@pytest.mark.usefixtures("one_connection", "city")
def test_strangers_are_shown_the_way_in():
    for operation in map(SCHEMA.find_operation_by_id, STAFF):
        case = operation.Case(
            path_parameters={"message": 1, "time": 1, "call": 1, "table": "links"}
        )
        assert fits(case, case.call()) == 302


def fits(case: Case, answer: Response) -> int:
    """Its status, once everything about it is as described."""
    # It may say that it is not ready.
    left_out = [not_a_server_error] if case.operation.path == "/readyz" else []
    case.validate_response(answer, checks=CHECKS, excluded_checks=left_out)
    assert b"Traceback" not in answer.content
    return answer.status_code


# A whole city, with its front.


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


@pytest.mark.process
def test_a_city_answers_as_described(running: City) -> None:
    """Every file for machines is described, every path is there, and the front says what it is."""
    root = f"http://127.0.0.1:{running.port}"
    schema = schemathesis.openapi.from_url(f"{root}/api/openapi.json")
    assert [server["url"] for server in schema.raw_schema["servers"]] == [root]
    assert schema.raw_schema["paths"] == DOCUMENT["paths"]
    # There is no alert, and nobody was named; both are among the files above.
    missing = {"/alerts/{alert}.cap", "/.well-known/security.txt"} | AT_THE_FRONT
    there = {path for path in DOCUMENT["paths"] if not resolves(path)}
    # What only an ordinary day's lists lead to is written after the city is ready.
    until(lambda: there - set(published(running)) == missing, "every file is written")
    for path, files in published(running).items():
        for address in files:
            answer = Response.from_any(requests.get(root + address, timeout=5))
            assert fits(SCHEMA[path]["get"].Case(), answer) == 200
    for path in ("/healthz", "/readyz"):
        case = OUTSIDE[path]["get"].Case()
        assert fits(case, case.call(root)) == 200


def published(city: City) -> dict[str, list[str]]:
    """The city's files for machines, by the path that describes them."""
    root, found = city.home / "published", defaultdict(list)
    files = (file for file in root.rglob("*") if file.is_file())
    for address in machine_files(f"/{file.relative_to(root)}" for file in files):
        found[described(address).path].append(address)
    return found


@pytest.mark.process
@pytest.mark.parametrize("operation", operations(sorted(DOCUMENT["paths"]), OUTSIDE))
def test_the_front_answers_as_described_whatever_it_is_asked(
    running: City, operation: APIOperation
) -> None:
    root = f"http://127.0.0.1:{running.port}"
    asked = operation.as_strategy()
    if list(operation.iter_parameters()):
        asked |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=5, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(asked)
    def ask(case: Case) -> None:
        fits(case, case.call(root))

    ask()
