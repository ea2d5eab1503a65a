"""Who asks too often is told to wait, in their language; nobody else is."""

from importlib.resources import files
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import ResolverMatch, get_resolver
from lxml import html

from policity.kit.languages import LANGUAGES
from policity.kit.limits import parse
from policity.project import middleware

FEW = """
[register]
route = '(^|/)register/$'
methods = ["POST"]
counts = "address"
at_once = 2
every_seconds = 90
[reply]
route = '(^|/)(reply|me)/'
methods = ["POST"]
counts = "link"
at_once = 2
every_seconds = 30
[search]
route = '(^|/)search/(suggest/)?$'
methods = ["GET", "HEAD"]
counts = "address"
at_once = 2
every_seconds = 90
"""


@pytest.fixture(autouse=True)
def _few(monkeypatch, city):
    monkeypatch.setattr(middleware, "parse", lambda text: parse(FEW))


def register(client: Client, address: str, path: str = "/register/"):
    return client.post(path, {}, headers={"X-Forwarded-For": address})


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_who_registers_again_and_again_waits(client, language):
    path = f"{language.prefix}register/"
    assert [register(client, "203.0.113.9", path).status_code for _ in range(2)] == [200, 200]
    answer = register(client, "203.0.113.9", path)
    assert answer.status_code == 429
    assert 80 < int(answer["Retry-After"]) <= 90
    assert answer["Cache-Control"] == "no-store"
    page: Any = html.document_fromstring(answer.content)
    assert page.get("lang") == language.html
    assert "119" in page.text_content()
    assert len(page.xpath("//section")) == 1
    # Others, and who only looks, do not wait.
    assert register(client, "203.0.113.10", path).status_code == 200
    assert client.get(path, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200


def test_what_a_client_says_of_itself_does_not_help(client):
    said = [f"198.51.100.{number}, 203.0.113.9" for number in range(3)]
    assert [register(client, one).status_code for one in said] == [200, 200, 429]


def test_one_household_is_one_however_many_addresses_it_has(client):
    said = [f"2001:db8:1:2::{number}" for number in range(1, 4)]
    assert [register(client, one).status_code for one in said] == [200, 200, 429]


def test_where_the_front_says_no_address_nobody_is_locked_out(client):
    assert {register(client, "").status_code for _ in range(5)} == {200}


def test_a_link_is_counted_wherever_it_is_used(client):
    def answer(link: str, address: str) -> int:
        path = f"/reply/{link}/"
        said = client.post(path, headers={"X-Forwarded-For": address})
        return int(said.status_code)

    assert [answer("one", f"203.0.113.{number}") for number in range(3)] == [404, 404, 429]
    assert answer("another", "203.0.113.1") == 404


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_who_searches_again_and_again_waits_and_reads_why(client, language):
    def ask(path: str, address: str = "203.0.113.9"):
        return client.get(language.prefix + path, headers={"X-Forwarded-For": address})

    assert [ask("search/?q=x").status_code, ask("search/suggest/?q=x").status_code] == [200, 200]
    answer = ask("search/?q=x")
    assert answer.status_code == 429
    page: Any = html.document_fromstring(answer.content)
    assert page.get("lang") == language.html
    # Nothing was sent, and nobody is in danger.
    assert "119" not in page.text_content()
    assert ask("search/?q=x", "203.0.113.10").status_code == 200


def test_nobody_fills_the_trail_at_the_desks_doors():
    limits = parse((files("policity.project") / "facts/limits.toml").read_text("utf-8"))
    doors = {
        "sign-in/passkey/",
        "sign-in/ask/",
        "sign-in/sealed/",
        "welcome/<str:number>/<str:token>/",
    }
    desk = {str(one.pattern) for one in get_resolver("policity.back_office.urls").url_patterns}
    assert doors <= desk
    for door in doors:
        assert any(limit.covers("POST", f"staff/{door}") for limit in limits), door
    # A password is counted by name, and by what the accounts' own facts say.
    assert not any(limit.covers("POST", "staff/sign-in/") for limit in limits)


@pytest.mark.parametrize(("link", "third"), [(12, 429), (["a"], 429), (None, None)])
def test_an_address_whose_link_is_no_text_is_answered(rf, link, third):
    request = rf.post("/x/", headers={"X-Forwarded-For": "203.0.113.9"})
    request.resolver_match = ResolverMatch(lambda: None, (), {}, route="reply/<link>/")
    limits = middleware.Limits(lambda request: HttpResponse())
    said = [limits.process_view(request, None, None, {"link": link}) for _ in range(3)]
    assert [one and one.status_code for one in said] == [None, None, third]
