"""What a city may set from outside, and what its home remembers."""

from pathlib import Path

import pytest

from policity.project import environment


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PORT", "POLICITY_URL", "POLICITY_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POLICITY_HOME", str(tmp_path))


def test_every_command_names_the_address_under_which_the_home_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "8123")
    environment.remember(environment.read())
    monkeypatch.delenv("PORT")
    assert environment.read().url == "http://127.0.0.1:8123"


def test_a_restart_elsewhere_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    environment.remember(environment.read())
    monkeypatch.setenv("PORT", "8124")
    environment.remember(environment.read())
    assert environment.read().url == "http://127.0.0.1:8124"


def test_what_is_set_goes_before_what_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    environment.remember(environment.read())
    monkeypatch.setenv("POLICITY_URL", "https://city.example")
    assert environment.read().url == "https://city.example"


def test_every_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("POLICITY_URL", "city")
    with pytest.raises(environment.BadEnvironmentError, match=r"(?s)PORT.*POLICITY_URL"):
        environment.read()


@pytest.mark.parametrize("inside", ["heads", "run/heads", "../{}/heads"])
def test_heads_of_the_audit_trail_lie_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inside: str
) -> None:
    monkeypatch.setenv("POLICITY_AUDIT_HEADS", str(tmp_path / inside.format(tmp_path.name)))
    with pytest.raises(environment.BadEnvironmentError, match="POLICITY_AUDIT_HEADS"):
        environment.read()


def test_a_drills_home_names_no_mail_server_and_its_own_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("POLICITY_EMAIL_URL", "smtp://mail.example:25")
    monkeypatch.setenv("POLICITY_URL", "https://city.example")
    monkeypatch.setenv("POLICITY_AUDIT_HEADS", "/elsewhere/heads")
    monkeypatch.setenv("POLICITY_SYSLOG", "unix:/dev/log")
    monkeypatch.setenv("POLICITY_DATABASE_URL", "postgresql:///city")
    where = environment.read()
    assert where.database_url
    assert (where.drill, where.email_url) == (False, "smtp://mail.example:25")
    assert (where.audit_heads, where.syslog) == ("/elsewhere/heads", "unix:/dev/log")
    (tmp_path / environment.DRILL).touch()
    where = environment.read()
    # What is done in a drill is not told where the city's own trail is kept.
    assert (where.drill, where.email_url, where.audit_heads, where.syslog) == (True, "", "", "")
    # It is one machine's, wherever the city's data is.
    assert (where.database_url, where.settings) == ("", environment.EMBEDDED)
    assert where.url == "http://127.0.0.1:8000"
    environment.remember(where)
    assert environment.read().url == "http://127.0.0.1:8000"


URL = "postgresql://policity:hidden@db.example/city"


def test_where_the_data_is_chooses_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert environment.read().settings == environment.EMBEDDED
    file = tmp_path.parent / f"{tmp_path.name}-url"
    file.write_text(f"{URL}\n")
    monkeypatch.setenv("POLICITY_DATABASE_URL_FILE", str(file))
    where = environment.read()
    assert (where.database_url, where.settings) == (URL, environment.CLUSTER)
    assert "hidden" not in repr(where)


@pytest.mark.parametrize(
    "url", ["mysql://policity:hidden@db/city", "hidden", "postgresql://policity:hidden@db"]
)
def test_a_database_that_is_none_is_refused_and_its_password_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    file = tmp_path.parent / f"{tmp_path.name}-url"
    file.write_text(url)
    for name, value in (("POLICITY_DATABASE_URL", url), ("POLICITY_DATABASE_URL_FILE", str(file))):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(environment.BadEnvironmentError, match=f"{name}: ") as raised:
                environment.read()
            assert "hidden" not in str(raised.value)


def test_the_file_with_the_database_lies_elsewhere_and_can_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text(URL)
    for file in (tmp_path / "url", tmp_path.parent / "nothing"):
        monkeypatch.setenv("POLICITY_DATABASE_URL_FILE", str(file))
        with pytest.raises(environment.BadEnvironmentError, match="POLICITY_DATABASE_URL_FILE"):
            environment.read()


def test_postgresql_is_copied_by_its_own_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICITY_DATABASE_URL", URL)
    monkeypatch.setenv("POLICITY_BACKUP", "/elsewhere/copies")
    with pytest.raises(environment.BadEnvironmentError, match="POLICITY_BACKUP"):
        environment.read()
