"""The loop: the most urgent first, and no failure ends it."""

import threading

import pytest
from django.db import OperationalError

from policity.foundations.work.management.commands.worker import Worker
from policity.foundations.work.queries import handlers
from policity.foundations.work.rules import Handler, Order


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


def test_it_shows_that_it_lives(work, tmp_path):
    work([("pages", Order.URGENT, [])], 1)
    assert (tmp_path / "run" / "worker.alive").exists()


def test_every_slice_s_handlers_are_found_the_most_urgent_first():
    found = handlers()
    assert [handler.order for handler in found] == sorted(handler.order for handler in found)
    assert {handler.kind for handler in found} >= {"pages"}
