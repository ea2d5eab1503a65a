"""Keys may lie outside the home: then nothing of them is made in it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pytest_django.fixtures import Settings

from policity.foundations.crossing import services
from policity.kit.sides import Side


@pytest.fixture
def home(settings: Settings, tmp_path: Path) -> Path:
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()
    return Path(settings.HOME)


def test_the_key_is_made_in_the_home_once(home: Path) -> None:
    first, again = (services._key(Side.INTERNET) for _ in range(2))
    assert first.private_bytes_raw() == again.private_bytes_raw()
    assert [file.name for file in home.iterdir()] == ["crossing-internet.key"]
    assert (home / "crossing-internet.key").stat().st_mode & 0o777 == 0o600


def test_one_outside_is_used_instead(home: Path, settings: Settings, tmp_path: Path) -> None:
    mine = Ed25519PrivateKey.generate()
    file = tmp_path / "vault"
    file.write_bytes(mine.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings.CROSSING_KEY_FILE = str(file)
    assert services._key(Side.INTERNET).private_bytes_raw() == mine.private_bytes_raw()
    assert list(home.iterdir()) == []
