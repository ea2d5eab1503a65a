"""Who the city is to push services: a key in its home, or elsewhere, for sender and page alike."""

from pathlib import Path

from pytest_django.fixtures import Settings

from policity.foundations.delivery.formats.webpush import new_key
from policity.foundations.delivery.services.engines import vapid
from policity.foundations.residents.queries import push_key


def test_it_is_made_in_the_home_once(settings: Settings, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    assert push_key() == ""
    vapid()
    mine = push_key()
    vapid()
    assert mine == push_key() != ""
    assert [file.name for file in tmp_path.iterdir()] == ["vapid.key"]


def test_one_outside_is_used_instead(settings: Settings, tmp_path: Path) -> None:
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()
    vapid()
    theirs = push_key()
    file = tmp_path / "vault"
    file.write_text(new_key() + "\n")
    settings.PUSH_KEY_FILE = str(file)
    (settings.HOME / "vapid.key").unlink()
    vapid()
    assert push_key() not in ("", theirs)
    assert list(settings.HOME.iterdir()) == []
