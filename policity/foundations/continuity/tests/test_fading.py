"""What is known of persons is kept as long as the city says, and goes by itself."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from policity.foundations.accounts.models import AuditEntry
from policity.foundations.continuity import queries, tasks
from policity.foundations.continuity.rules import retention
from policity.foundations.continuity.services import fading

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
GOOD = '[ledger]\ndays = 400\nwhat = "a"\nwhy = "b"\n' + "".join(
    f'[{kind}]\ndays = 30\nwhat = "a"\nwhy = "b"\n'
    for kind in (
        "calls",
        "events",
        "declined_photographs",
        "photographs",
        "comments",
        "outbox",
        "upgrades",
    )
)


@pytest.fixture
def home(tmp_path, settings, monkeypatch):
    settings.HOME = tmp_path
    monkeypatch.setattr(tasks, "_today", {})
    for folder in ("run", "outbox", "upgrades"):
        (tmp_path / folder).mkdir()
    return tmp_path


def kept(path, *, days: float):
    path.write_text("personal")
    os.utime(path, ((NOW - timedelta(days=days)).timestamp(),) * 2)
    return path


def test_each_kind_that_fades_has_a_time_a_word_and_a_reason():
    assert (
        set(retention.periods())
        == set(retention.KINDS)
        == {one.kind for one in fading.all_fadings()}
    )
    for period in retention.periods().values():
        assert period.keeps >= timedelta(days=retention.SHORTEST_DAYS)
        assert period.what
        assert period.why


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("[calls]", "[cals]"),
        GOOD.replace("days = 400", "days = 6"),
        GOOD.replace("days = 400", "days = 0"),
        GOOD.replace("days = 400", "days = -1"),
        GOOD.replace("days = 400", "days = true"),
        GOOD.replace("days = 400", 'days = "400"'),
        GOOD.replace("days = 400\n", ""),
        GOOD + '[sessions]\ndays = 30\nwhat = "a"\nwhy = "b"\n',
    ],
)
def test_a_setting_that_would_keep_nothing_or_everything_is_refused(text):
    assert retention.parse(GOOD)["ledger"].keeps == timedelta(days=400)
    with pytest.raises(ValueError, match=r"retention\.toml|\[ledger\] days"):
        retention.parse(text)


@pytest.mark.django_db
def test_files_go_at_their_time_and_the_day_is_noted(home):
    old = [kept(home / "outbox" / "a.eml", days=31), kept(home / "upgrades" / "b", days=91)]
    young = [kept(home / "outbox" / "c.eml", days=29), kept(home / "upgrades" / "d", days=89)]
    other = kept(home / "secret.key", days=9999)
    assert fading.to_fade(now=NOW) == {
        "ledger": 0, "calls": 0, "events": 0, "declined_photographs": 0, "photographs": 0,
        "comments": 0, "outbox": 1, "upgrades": 1,
    }  # fmt: skip
    assert [tasks.fade(NOW) for _ in range(4)] == [1, 1, 0, 0]
    assert [path.exists() for path in (*old, *young, other)] == [False, False, True, True, True]
    assert queries.faded(home) == queries.Faded(NOW, {"outbox": 1, "upgrades": 1})
    entry = AuditEntry.objects.get(act="data.faded")
    assert (entry.by, json.loads(entry.detail)) == ("", {"outbox": 1, "upgrades": 1})


@pytest.mark.django_db
def test_once_a_day_and_again_the_next(home):
    assert tasks.fade(NOW) == 0
    kept(home / "outbox" / "a.eml", days=31)
    assert tasks.fade(NOW + timedelta(hours=5)) == 0
    assert (home / "outbox" / "a.eml").exists()
    # Midnight is the city's.
    assert tasks.fade(datetime(2026, 11, 26, 15, tzinfo=UTC)) == 1
    assert not AuditEntry.objects.filter(act="data.faded").exists()


@pytest.mark.django_db
def test_the_command_says_what_is_due_and_takes_it_away_when_told(home, capsys, monkeypatch):
    monkeypatch.setattr(
        "policity.foundations.continuity.management.commands.retention.timezone.now", lambda: NOW
    )
    path = kept(home / "outbox" / "a.eml", days=31)
    call_command("retention")
    said = capsys.readouterr().out
    assert said.count("日（") == 8
    assert "過ぎたもの：1" in said
    assert path.exists()
    call_command("retention", "--now")
    assert "消しました：1" in capsys.readouterr().out
    assert not path.exists()
