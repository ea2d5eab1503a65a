"""The `policity` command says what it knows, and what is wrong with what it was given."""

import sys

import pytest

from policity.project import cli, home


def _run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["policity", *words])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return int(exit_.value.code or 0)


def test_an_unknown_command_is_answered_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(home, "prepare", lambda where: pytest.fail("prepared a home for nothing"))
    assert _run(monkeypatch, "buletin") == 2
    said = capsys.readouterr().err
    assert "'buletin'" in said
    for name in ("bulletin", "places", "publish", "serve"):
        assert f"policity {name}\n" in said + "\n"
    assert "makemigrations" not in said


def test_asked_for_help_it_lists_its_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "--help") == 0
    assert "policity serve" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("PORT", "70000"), ("POLICITY_DEMO", "maybe"), ("POLICITY_URL", "here")],
)
def test_a_bad_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert _run(monkeypatch, "places", "load") == 2
    assert f"{name}: " in capsys.readouterr().err


def test_words_reach_the_management_command(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(home, "prepare", lambda where: ran.append(["prepared"]))
    monkeypatch.setattr("django.core.management.execute_from_command_line", ran.append)
    monkeypatch.setattr(sys, "argv", ["policity", "places", "load", "folder", "--flag"])
    cli.main()
    assert ran == [["prepared"], ["policity", "places", "load", "folder", "--flag"]]


def test_who_asks_how_a_command_is_used_gets_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(home, "prepare", lambda where: pytest.fail("prepared a home for nothing"))
    monkeypatch.setattr("django.core.management.execute_from_command_line", ran.append)
    monkeypatch.setattr(sys, "argv", ["policity", "residents", "import", "--help"])
    cli.main()
    assert ran == [["policity", "residents", "import", "--help"]]
