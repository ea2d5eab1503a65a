"""The loop: the most urgent first, and no failure ends it."""

import threading
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from policity.foundations.work import channels
from policity.foundations.work.channels import Ear
from policity.foundations.work.management.commands.worker import AWAY, Worker
from policity.foundations.work.queries import handlers
from policity.foundations.work.rules import LONGEST_WAIT, Handler, Order

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def work(tmp_path, settings, db):
    """Runs handlers until `steps` of them have run; gives the order in which they did."""
    settings.HOME = tmp_path

    def run(plan, steps):
        """`plan`: for each (name, order) what its runs give, one after the other, then 0."""
        seen, stop = [], threading.Event()

        def handler(name, order, results):
            left = list(results)

            def batch(now):
                seen.append(name)
                if len(seen) >= steps:
                    stop.set()
                result = left.pop(0) if left else 0
                if isinstance(result, Exception):
                    raise result
                return result

            return Handler(name, order, batch)

        made = tuple(handler(name, order, results) for name, order, results in plan)
        worker = Worker(made, stop)
        worker.run()
        return seen

    return run


def test_urgent_work_comes_first_and_again_after_everything(work):
    plan = [
        ("pages", Order.URGENT, [5, 5]),
        ("mail", Order.URGENT, [7]),
        ("others", Order.ROUTINE, [3]),
        ("idle", Order.IDLE, [1]),
    ]
    first = ["pages", "mail"]
    assert work(plan, 14) == [
        *first,  # both had work
        *first,  # pages had more
        *first,  # nothing urgent is left
        "others",
        *first,
        "others",
        "idle",
        *first,
        "others",
    ]


def test_a_handler_that_fails_rests_and_the_others_go_on(work):
    plan = [
        ("locked", Order.URGENT, [OperationalError("database is locked")]),
        ("others", Order.ROUTINE, [1, 1, 1]),
    ]
    assert work(plan, 5) == ["locked", "others", "others", "others", "others"]


def test_a_handler_that_failed_comes_back(work):
    plan = [("locked", Order.URGENT, [OperationalError("database is locked"), 2])]
    assert work(plan, 2) == ["locked", "locked"]


@pytest.mark.parametrize(
    ("error", "longest"),
    [(OperationalError("disk I/O error"), AWAY), (ValueError("a defect"), LONGEST_WAIT)],
)
def test_however_long_the_database_was_away_all_goes_on_seconds_after_it_is_back(
    tmp_path, settings, db, error, longest
):
    settings.HOME = tmp_path

    def fail(now):
        raise error

    handler = Handler("spool", Order.URGENT, fail)
    worker = Worker((handler,), threading.Event())
    waits = []
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(30):
            worker._one(handler)
            wait = worker.resting[handler] - timezone.now()
            waits.append(wait)
            clock.shift(wait)
    assert longest / 2 <= max(waits) <= longest


def test_whoever_has_a_file_open_that_was_replaced_begins_anew(tmp_path, monkeypatch):
    file = tmp_path / "database"
    file.write_text("one")
    monkeypatch.setitem(connection.settings_dict, "NAME", file)
    ear = Ear.__new__(Ear)
    ear._own, ear._file = None, channels._file()
    ear.still()
    file.rename(tmp_path / "beside")
    with pytest.raises(OperationalError):
        ear.still()
    file.write_text("another")
    with pytest.raises(OperationalError):
        ear.still()
    (tmp_path / "beside").rename(file)
    ear.still()


def test_it_shows_that_it_lives(work, tmp_path):
    work([("pages", Order.URGENT, [])], 1)
    assert (tmp_path / "run" / "worker.alive").exists()


def test_every_slice_s_handlers_are_found_the_most_urgent_first():
    found = handlers()
    assert [handler.order for handler in found] == sorted(handler.order for handler in found)
    assert {handler.kind for handler in found} >= {"pages"}
