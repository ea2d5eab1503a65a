"""What the supervisor started, it ends."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from policity.project import environment, front, serve
from policity.project.children import Child


@pytest.mark.process
def test_a_preparation_that_is_under_way_is_ended_before_the_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = environment.Environment(
        home=tmp_path, demo=False, bind="127.0.0.1", port=8000, hosts=(), url=""
    )
    city = serve._City(where, 0)
    started: list[Child] = []

    def child(name: str, *_: str) -> Child:
        started.append(Child(name, ["sleep", "60"]))
        return started[-1]

    monkeypatch.setattr(serve, "_wakeful", lambda stop: nullcontext(0))
    monkeypatch.setattr(city, "_front", lambda: child("front"))
    monkeypatch.setattr(city, "_preparation", lambda: child("preparation"))
    monkeypatch.setattr(city, "_care", lambda wake: city._stop(15, None))
    city.serve()
    assert [(one.name, one.process) for one in started[:2]] == [
        ("front", None),
        ("preparation", None),
    ]


def test_the_styles_of_the_version_before_are_remembered(tmp_path: Path) -> None:
    where = environment.Environment(
        home=tmp_path, demo=False, bind="127.0.0.1", port=8000, hosts=(), url=""
    )
    (tmp_path / "run").mkdir()
    assert serve._City(where, 0)._styles_before() == []
    assert tuple(serve._City(where, 0)._styles_before()) == front.styles()
    (tmp_path / "run" / "styles").write_text("'sha256-old='")
    assert serve._City(where, 0)._styles_before() == ["'sha256-old='"]


@pytest.mark.process
def test_nothing_runs_beside_the_supervisor_when_it_forks(tmp_path: Path) -> None:
    look = """
import threading
from django.db import connections
from policity.project import environment, home, serve
where = environment.read()
home.make_folders(where.home)
serve._import(where)
print(threading.active_count(), [one.connection for one in connections.all(initialized_only=True)])
"""
    done = subprocess.run(
        [sys.executable, "-c", look],
        env=os.environ | {"POLICITY_HOME": str(tmp_path / "home")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() in (["1", "[]"], ["1", "[None]"])
