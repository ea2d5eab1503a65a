"""A drill's home, what is refused before one is made, and the people in it."""

import errno
import fcntl
import shutil
import sqlite3
import subprocess
import tomllib
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policity.fields.alerts.formats import read
from policity.fields.alerts.rules.bulletin import Change, Status
from policity.project import cluster, drill_play, drills, environment, serve
from policity.project.environment import Environment
from policity.project.tests import plugin

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SCENARIO = {
    "seed": 1,
    "residents": {"without_mail": 12, "languages": {"ja": 80, "en": 20}},
}


def where(folder: Path, *, drill: bool = False) -> Environment:
    url = "" if drill else environment.read().database_url
    return Environment(
        home=folder, demo=False, bind="127.0.0.1", port=8000, hosts=(), url="", drill=drill,
        database_url=url,
    )  # fmt: skip


def run(folder: Path, scenario: str = "heavy-rain", *, drill: bool = False) -> None:
    drills.run(where(folder, drill=drill), scenario=scenario, people=10, now=NOW)


def refused(folder: Path, word: str, **options: object) -> None:
    with pytest.raises(drills.DrillError, match=word) as caught:
        run(folder, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert not list(folder.glob("drills/*/*"))


def test_an_unknown_scenario_is_refused_with_those_there_are(lived_in: Path) -> None:
    refused(lived_in, "heavy-rain", scenario="heavy-snow")


def test_without_a_city_nothing_is_made(lived_in: Path) -> None:
    refused(lived_in, "places load")


def test_a_full_disk_is_seen_before_anything_is_made(
    lived_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(lived_in)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    refused(lived_in, "ディスクがいっぱい")


def test_a_disk_that_fills_up_meanwhile_is_one_line(
    city_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(drills, "_furnish", full)
    with pytest.raises(drills.DrillError, match=r"^ディスクがいっぱい[^\n]*$"):
        run(city_home)
    (name,) = drills.listed(where(city_home))
    assert drills.result(drills.found(where(city_home), name)) is None
    assert drills.running(where(city_home)) is None


def test_a_drill_has_no_drills(lived_in: Path) -> None:
    refused(lived_in, "訓練のホーム", drill=True)


def test_only_one_at_a_time(lived_in: Path) -> None:
    with drills._alone(lived_in / drills.FOLDER):
        refused(lived_in, "ほかの訓練")


@pytest.mark.parametrize("name", ["..", "", "nothing", "../drills"])
def test_what_is_no_drills_home_is_not_opened(lived_in: Path, name: str) -> None:
    with pytest.raises(drills.DrillError):
        drills.found(where(lived_in), name)


@pytest.fixture
def city_home(
    lived_in: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home with the city, a resident, an account and a message."""
    real = (
        "INSERT INTO residents_resident (id, language, wants, registered_at, version)"
        " VALUES (1, 'ja', '', '2026-11-23', 1)",
        "INSERT INTO accounts_user (id, username, display_name, password, is_active,"
        " is_superuser, is_sample, date_joined, first_name, last_name, email, is_staff)"
        " VALUES (9, 'real', '', '', true, false, false, '2026-11-23', '', '', '', false)",
    )
    if plugin.SERVER is not None:
        like = request.getfixturevalue("with_city")
        url = plugin.SERVER.create(plugin.unused(), like=like)
        monkeypatch.setenv("POLICITY_DATABASE_URL", url)
        with cluster.connected(url) as connection:
            for statement in real:
                connection.execute(statement.encode())
        return lived_in
    with closing(sqlite3.connect(lived_in / "policity.sqlite3")) as database, database:
        for table, rows in request.getfixturevalue("city_rows").items():
            marks = ", ".join("?" * len(rows[0]))
            database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)  # noqa: S608
        for statement in real:
            database.execute(statement)
    return lived_in


def count(where: Environment, table: str) -> int:
    query = f"SELECT count(*) FROM {table}"  # noqa: S608
    if where.database_url:
        with cluster.connected(where.database_url) as cluster_connection:
            return int(cluster_connection.execute(query.encode()).fetchone()[0])
    with closing(sqlite3.connect(where.home / "policity.sqlite3")) as connection:
        return int(connection.execute(query).fetchone()[0])


def begin(home: Path, *, by: str = "") -> AbstractContextManager[drills.Begun]:
    return drills.begin(where(home), scenario="heavy-rain", people=10, by=by, now=NOW)


def test_a_drills_home_has_the_city_and_nobody(city_home: Path) -> None:
    with begin(city_home) as begun:
        own = begun.own
        drills._furnish(where(city_home), own)
    mine, theirs = where(own, drill=True), where(city_home)
    for table in drills.TABLES:
        assert count(mine, table) == count(theirs, table) > 0, table
    for table in ("residents_resident", "accounts_user", "delivery_message", "places_opening"):
        assert count(mine, table) == 0, table
    assert (own / environment.DRILL).is_file()
    assert (own / "secret.key").read_text() != (city_home / "secret.key").read_text()
    assert own.parent == city_home / "drills"
    assert drills.listed(where(city_home)) == (own.name,)
    assert drills.result(own) is None


def test_what_is_begun_says_who_and_keeps_others_away(city_home: Path) -> None:
    here = where(city_home)
    assert drills.running(here) is None
    with begin(city_home, by="見本 当直") as begun:
        assert drills.running(here) == begun.own.name
        said = {"scenario": "heavy-rain", "people": 10, "by": "見本 当直", "at": NOW.isoformat()}
        assert drills.record(begun.own) == said | {"stop": None}
        with pytest.raises(drills.DrillError, match="ほかの訓練"), begin(city_home):
            pass
        assert drills.running(here) == begun.own.name
    assert drills.running(here) is None


def test_a_lock_goes_on_with_whoever_inherited_it(city_home: Path) -> None:
    with begin(city_home) as begun:
        heir = subprocess.Popen(["sleep", "60"], pass_fds=(begun.lock,))
    assert drills.running(where(city_home)) == begun.own.name
    heir.kill()
    heir.wait()
    assert drills.running(where(city_home)) is None


def test_a_drill_is_stopped_once_and_only_while_it_runs(city_home: Path) -> None:
    here = where(city_home)
    with begin(city_home) as begun:
        ends = drills._reasons(here, begun.own, serving=False)
        assert ends() == ""
        drills.stop(here, begun.own.name, by="見本 本部長", now=NOW)
        drills.stop(here, begun.own.name, by="見本 当直", now=NOW)
        assert ends() == "見本 本部長が、訓練を止めました。"
        assert drills.record(begun.own)["stop"] == {"by": "見本 本部長", "at": NOW.isoformat()}
    with pytest.raises(drills.DrillError, match="もう終わって"):
        drills.stop(here, begun.own.name, by="見本 当直", now=NOW)


@pytest.mark.parametrize("served", [True, False])
def test_a_drill_of_the_button_goes_on_as_long_as_the_city_is_served(
    lived_in: Path, served: bool
) -> None:
    here = where(lived_in)
    (lived_in / "run" / "serve.lock").touch()
    with (lived_in / "run" / "serve.lock").open("w") as supervisor:
        if served:
            fcntl.flock(supervisor, fcntl.LOCK_EX)
        assert drills.is_served(here) is served
        assert bool(drills._reasons(here, lived_in, serving=True)()) is not served
        assert drills._reasons(here, lived_in, serving=False)() == ""


def test_every_table_that_places_has_is_thought_of() -> None:
    from django.apps import apps

    tables = {model._meta.db_table for model in apps.get_app_config("places").get_models()}
    # Facilities and hazard maps: what an ordinary day needs.
    left = {"places_opening", "places_facility", "places_hazardlayer"}
    assert tables == {*drills.TABLES, *left}


def test_the_same_scenario_makes_the_same_people() -> None:
    towns = ["甲町", "乙町", "丙町"]
    first = drill_play.residents(SCENARIO, 240, towns)
    assert first == drill_play.residents(SCENARIO, 240, towns)
    rows = [line.split(",") for line in first.decode().split()[1:]]
    assert len(rows) == 240
    assert sum(not row[1] for row in rows) == 20
    assert all(row[1].endswith("@example.jp") for row in rows if row[1])
    assert {row[3] for row in rows} == set(towns)
    assert {row[6] for row in rows} == {"ja", "en"}


@pytest.mark.parametrize(
    ("step", "change"),
    [
        ({"code": "10", "name": "レベル２大雨注意報"}, Change.ISSUED),
        ({"code": "43", "name": "レベル４大雨危険警報", "last": ["03", "警報"]}, Change.RAISED),
        ({"code": "00", "name": "解除", "last": ["43", "レベル４大雨危険警報"]}, Change.CANCELLED),
    ],
)
def test_a_telegram_of_ours_is_read_as_jmas(step: dict[str, object], change: Change) -> None:
    data = drill_play.telegram(step, city="<市>", area="1322900", at=NOW)
    bulletin = read(data)
    (event,) = bulletin.events
    assert (event.area, event.change) == ("1322900", change)
    assert bulletin.status is Status.ACTUAL
    assert bulletin.headline.startswith("これは訓練です。")


def test_it_is_never_played_outside_a_drills_home(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["drill_play", "heavy-rain", "10"])
    assert drill_play.main() == 1
    assert "訓練のホームではありません" in capsys.readouterr().err


@pytest.mark.parametrize("drill", [True, False])
def test_the_page_before_all_others_is_marked(lived_in: Path, drill: bool) -> None:
    pages = serve._City(where(lived_in, drill=drill), 0)._pages()
    text = (pages / "starting.html").read_text("utf-8")
    assert ('<aside class="drill"' in text) is drill
    assert ("【訓練】" in text) is drill
    if drill:
        assert text.index("<aside") < text.index("<main")


@pytest.mark.parametrize("name", drills.scenarios())
def test_scenarios_are_whole(name: str) -> None:
    found = tomllib.loads((drills.SCENARIOS / f"{name}.toml").read_text("utf-8"))
    assert found.keys() == {"title", "seed", "limit_seconds", "residents", "step"}
    assert {step["do"] for step in found["step"]} >= {"order", "answers"}
    assert sum(found["residents"]["languages"].values()) == 100
