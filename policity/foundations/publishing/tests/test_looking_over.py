"""A worker that starts: what the same program drew stands; what differs, or is lost, is drawn."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import policity
from policity.foundations.publishing.services import LookOver, looking_over, rebuild, render_due
from policity.foundations.publishing.services import tree as files
from policity.foundations.publishing.tests import stories
from policity.foundations.work.models import Item

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)


def waiting() -> set[str]:
    return {key.partition("/")[2] for key in Item.objects.values_list("key", flat=True)}


def looked() -> set[str]:
    """What waits after a worker's first look."""
    look = LookOver()
    while look.step():
        pass
    assert look.step() == 0
    return waiting()


@pytest.fixture
def drawn(site):
    """Two stories, and a worker that has seen to them."""
    stories.tell(1, "rain", now=NOW)
    stories.tell(2, "wind", now=NOW)
    rebuild()
    render_due(now=NOW)
    assert len(looked()) == len(files.present())
    render_due(now=NOW)


def test_what_the_same_program_drew_is_not_drawn_again(drawn):
    assert looked() == set()


@pytest.mark.parametrize("ending", ["", ".gz", ".br"])
def test_a_file_that_is_lost_or_damaged_is_drawn_again(drawn, tree, ending):
    home, story = (Path(f"{tree / name / 'index.html'}{ending}") for name in ("", "stories/1"))
    home.write_bytes(b"half of i")
    story.unlink()
    assert looked() == {"", "stories/1/"}
    render_due(now=NOW)
    assert looked() == set()


def test_a_strangers_file_goes(drawn, tree):
    (tree / "stranger.html").write_text("boo")
    assert looked() == {"stranger.html"}
    render_due(now=NOW)
    assert not (tree / "stranger.html").exists()


@pytest.mark.parametrize("name", looking_over.SHOWN)
def test_after_another_setting_everything_is_drawn_again(drawn, settings, name):
    setattr(settings, name, "https://other.example.jp")
    assert len(looked()) == len(files.present())


def test_after_other_code_everything_is_drawn_again(drawn, tmp_path, monkeypatch):
    (tmp_path / "policity").mkdir()
    (tmp_path / "policity" / "base.html").write_text("another")
    monkeypatch.setattr("policity.__path__", [str(tmp_path / "policity")])
    assert len(looked()) == len(files.present())


def test_a_look_that_was_broken_off_is_begun_again(site, monkeypatch):
    stories.tell(1, "rain", now=NOW)

    def killed() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(looking_over, "rebuild", killed)
    with pytest.raises(KeyboardInterrupt):
        LookOver().step()
    monkeypatch.undo()
    assert {"stories/1/", "en/stories/1/"} <= looked()


def test_every_setting_that_pages_show_is_known():
    root = Path(policity.__path__[0])
    drawing = {"declarations", "declarations.py", "design", "formats", "presenters", "templatetags"}
    files = [
        file
        for file in root.rglob("*.py")
        if drawing & set(file.relative_to(root).parts)
        and not {"tests", "back_office"} & set(file.parts)
    ]
    text = "".join(file.read_text() for file in files)
    shown = set(re.findall(r"settings\.([A-Z_]+)", text))
    assert "PUBLIC_URL" in shown
    assert shown <= set(looking_over.SHOWN)
