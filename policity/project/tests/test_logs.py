"""One JSON line each, with a request id, about nobody in particular."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from policity.project import logs
from policity.project.middleware import request_log

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Any:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=logs.RENDER, foreign_pre_chain=logs.SHARED)
    )
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def _ask(path: str, answer: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    return request_log(answer)(RequestFactory().get(path, REMOTE_ADDR="192.0.2.7"))


def test_a_request_is_one_line_without_who_asked(lines: Lines) -> None:
    response = _ask("/staff/secret-path/?q=tanaka", lambda request: HttpResponse(status=204))
    (line,) = lines()
    assert line["event"] == "request"
    assert (line["method"], line["status"]) == ("GET", 204)
    assert line["request_id"] == response["X-Request-ID"]
    for personal in ("192.0.2.7", "tanaka", "secret-path"):
        assert personal not in json.dumps(line)


def test_what_is_logged_on_the_way_carries_the_request_id(lines: Lines) -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        structlog.get_logger("a.room").info("stored", pages=3)
        return HttpResponse()

    response = _ask("/staff/", answer)
    assert {line["request_id"] for line in lines()} == {response["X-Request-ID"]}


@pytest.mark.parametrize("field", sorted(logs.PERSONAL))
def test_a_person_never_reaches_a_line(lines: Lines, field: str) -> None:
    structlog.get_logger("a.room").info("signed_in", **{field: "田中"}, role="editor")
    (line,) = lines()
    assert line["role"] == "editor"
    assert "田中" not in json.dumps(line, ensure_ascii=False)


def test_the_standard_library_speaks_json_too(lines: Lines) -> None:
    try:
        raise ValueError("五")
    except ValueError:
        logging.getLogger("somewhere").exception("went wrong: %s", 5)
    (line,) = lines()
    assert (line["event"], line["level"]) == ("went wrong: 5", "error")
    assert "ValueError: 五" in line["exception"]


def test_django_repeats_no_request() -> None:
    only = logs.OnlyFailures()
    quiet = logging.makeLogRecord({"msg": "Not Found: /staff/tanaka"})
    loud = logging.makeLogRecord({"msg": "x", "exc_info": (ValueError, ValueError(), None)})
    assert not only.filter(quiet)
    assert only.filter(loud)


def test_a_name_that_is_not_ours_leaves_the_requests_line_alone(
    client: Client, lines: Lines
) -> None:
    assert client.get("/staff/", headers={"host": "evil.example"}).status_code == 400
    assert [line["event"] for line in lines()] == ["request"]
