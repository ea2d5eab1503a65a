"""`policity continuity`: what the two people of the IT section type, and what they are told."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from policity.foundations.continuity import queries
from policity.foundations.continuity.rules.age import TOO_OLD
from policity.foundations.continuity.services.packing import recipients


@pytest.fixture
def city(place, settings, capsys):
    """A home that is copied, with the keys that its people have made."""
    settings.HOME, settings.BACKUP = place.home, str(place.to)
    # Whatever the tests' own data is in.
    settings.SECRET_DATABASE = ""
    call_command("continuity", "keys", str(place.root / "identity"))
    (place.root / "recipients").write_text("# the safe\n" + capsys.readouterr().out)
    settings.BACKUP_RECIPIENTS = str(place.root / "recipients")
    place.keys = recipients(place.root / "recipients")
    place.add(12)
    return place


def run(*words):
    call_command("continuity", *words)


def opened(place, name, *words):
    run(name, "--identity", str(place.root / "identity"), *words)


def refused(*words):
    with pytest.raises(CommandError) as error:
        run(*words)
    assert error.value.returncode == 2
    return str(error.value)


def test_a_private_key_is_for_its_owner_alone(city, capsys):
    key = city.root / "identity"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "AGE-SECRET-KEY-1" in key.read_text()
    assert "AGE-SECRET" not in (city.root / "recipients").read_text()
    assert "もうあります" in refused("keys", str(key))


def test_copied_verified_drilled_and_brought_back(city, capsys):
    run("backup")
    assert "写しを取りました" in capsys.readouterr().out
    opened(city, "verify")
    assert "すべてもどせます" in capsys.readouterr().out
    city.add(3)
    opened(city, "drill", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["rows"] == 12
    assert (said["rows_compared"], said["rows_different"]) == (15, {"thing": 3})
    assert 0 <= said["recovery_point_s"] < 60
    assert 0 <= said["recovery_time_s"] < 60
    # Only its own copy was destroyed.
    left = {path.name for path in (city.home / "run").iterdir()}
    files = queries.files_note(queries.synced(city.home).generation)
    assert left == {queries.FILE, queries.DRILLED, files}
    into = city.root / "elsewhere"
    opened(city, "restore", "--into", str(into))
    assert "policity serve で始められます" in capsys.readouterr().out
    assert (into / "policity.sqlite3").exists()


def test_in_an_empty_home_it_is_brought_back_to_that(city, settings, capsys):
    run("backup")
    settings.HOME = city.root / "new"
    opened(city, "restore", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["rows"] == 12
    assert (city.root / "new" / "policity.sqlite3").exists()


def test_what_is_missing_is_said(city, settings, tmp_path):
    identity = ["--identity", str(city.root / "identity")]
    assert "写しがありません" in refused("drill", *identity)
    assert "写しがありません" in refused("verify", *identity)
    assert "できません" in refused("verify", "--identity", str(tmp_path / "nothing"))
    (tmp_path / "wrong").write_text("hello\n")
    assert "秘密鍵" in refused("verify", "--identity", str(tmp_path / "wrong"))
    (tmp_path / "empty").write_text("# nothing\n")
    assert "秘密鍵" in refused("verify", "--identity", str(tmp_path / "empty"))
    settings.BACKUP_RECIPIENTS = str(tmp_path / "wrong")
    assert "公開鍵" in refused("backup")
    settings.BACKUP_RECIPIENTS = str(tmp_path / "empty")
    assert "公開鍵" in refused("backup")
    settings.BACKUP_RECIPIENTS = ""
    assert "POLICITY_BACKUP_RECIPIENTS" in refused("backup")
    settings.BACKUP = ""
    assert "POLICITY_BACKUP" in refused("verify", *identity)
    settings.BACKUP, settings.BACKUP_RECIPIENTS = "/nonexistent", str(city.root / "recipients")
    assert "できません" in refused("backup")
    assert not Path("/nonexistent").exists()


def status(capsys, *, old):
    if old:
        with pytest.raises(SystemExit) as ended:
            run("status", "--json")
        assert ended.value.code == 1
    else:
        run("status", "--json")
    return json.loads(capsys.readouterr().out)


def test_the_status_says_how_old_and_ends_so_for_monitoring(city, capsys):
    none = {"age_s": None, "old": True, "kept": True, "drill": None}
    where = {"where": str(city.to), "copies": 0, "size": 0, "fault": ""}
    assert status(capsys, old=True) == none | where
    run("backup")
    capsys.readouterr()
    now = (timezone.now() - timedelta(seconds=3)).isoformat()
    file = city.home / "run" / queries.FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"at": now}))
    said = status(capsys, old=False)
    assert 3 <= said["age_s"] < 30
    assert (said["copies"], said["fault"]) == (1, "")
    base = city.to / city.generations()[0] / "base.age"
    assert said["size"] == base.stat().st_size
    assert not queries.behind(now=timezone.now())
    past = (timezone.now() - TOO_OLD - timedelta(seconds=1)).isoformat()
    file.write_text(json.dumps(json.loads(file.read_text()) | {"at": past}))
    assert status(capsys, old=True)["old"]
    assert queries.behind(now=timezone.now())


def test_who_makes_no_copies_is_not_told_that_they_are_old(city, settings):
    assert queries.behind(now=timezone.now())
    settings.BACKUP = ""
    assert not queries.behind(now=timezone.now())


def test_a_copy_that_has_lost_something_is_not_called_good(city, streamer, capsys):
    streamer.step()
    for _ in range(3):
        city.add(1)
        streamer.step()
    opened(city, "verify")
    capsys.readouterr()
    (city.to / city.generations()[0] / "00000002.age").unlink()
    assert "変更2の写しがありません" in refused("verify", "--identity", str(city.root / "identity"))


def test_a_copy_whose_end_is_missing_is_not_called_good(city, streamer, capsys):
    """It looks whole by itself; the city knows that there was more."""
    city.now = timezone.now() - timedelta(hours=1)
    streamer.step()
    city.add(1)
    city.now = timezone.now()
    streamer.step()
    (city.to / city.generations()[0] / "00000001.age").unlink()
    identity = ("--identity", str(city.root / "identity"))
    assert "変更1の写しがありません" in refused("verify", *identity)
    capsys.readouterr()
    opened(city, "drill", "--json")
    said = json.loads(capsys.readouterr().out)
    # What came back is the whole copy alone, an hour old, whatever the city believes.
    assert said["changes"] == 0
    assert said["recovery_point_s"] > 3000
    assert said["rows_different"]


def test_a_drill_needs_only_the_copies(city, capsys):
    run("backup")
    (city.home / "run" / queries.FILE).unlink()
    capsys.readouterr()
    opened(city, "drill", "--json")
    assert json.loads(capsys.readouterr().out)["rows_different"] == {}


def test_the_status_tells_of_the_last_trial_and_of_copies_that_went(city, capsys):
    run("backup")
    opened(city, "drill", "--json")
    drilled = json.loads(capsys.readouterr().out.splitlines()[-1])
    said = status(capsys, old=False)
    for name in ("recovery_point_s", "recovery_time_s", "rows_compared", "rows_different"):
        assert said["drill"][name] == drilled[name]
    assert queries.drilled(city.home)
    # Copied a moment ago, by what the city knows; but somebody took the copies away.
    (city.to / city.generations()[0]).rename(city.root / "taken")
    assert "置き場所にありません" in status(capsys, old=True)["fault"]
    city.to.rename(city.root / "unplugged")
    assert "読めません" in status(capsys, old=True)["fault"]
