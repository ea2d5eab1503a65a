"""What a city may set from outside, and what its home remembers."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from policity.kit.sides import Role
from policity.project import environment, serve


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PORT", "POLICITY_URL", "POLICITY_DATABASE_URL", "POLICITY_ROLE"):
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
    file.chmod(0o640)
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
    file.chmod(0o600)
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


def test_a_server_is_copied_by_the_citys_role_or_by_one_that_may_only_copy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert environment.read().backup_database_url == ""
    monkeypatch.setenv("POLICITY_DATABASE_URL", URL)
    assert environment.read().backup_database_url == URL
    file = tmp_path.parent / f"{tmp_path.name}-copies"
    file.write_text("postgresql://copies:hidden@db.example/city\n")
    file.chmod(0o600)
    monkeypatch.setenv("POLICITY_BACKUP_DATABASE_URL_FILE", str(file))
    where = environment.read()
    assert (where.database_url, where.backup_database_url) == (URL, file.read_text().strip())
    assert "hidden" not in repr(where)
    (tmp_path / environment.DRILL).touch()
    assert environment.read().backup_database_url == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLICITY_PROXIES", "10.1.2.3/8"),
        ("POLICITY_PROXIES", "balancer.example"),
        ("POLICITY_SECURITY_CONTACT", "security@city.example"),
        ("POLICITY_SECURITY_CONTACT", "mailto:a@b\nPolicy: https://evil.example"),
        ("POLICITY_SECRET_KEY_FILE", "/nowhere/at/all"),
        ("POLICITY_PUSH_KEY_FILE", "/nowhere/at/all"),
        ("POLICITY_CROSSING_KEY_FILE", "/nowhere/at/all"),
    ],
)
def test_what_would_protect_nobody_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(environment.BadEnvironmentError, match=name):
        environment.read()


@pytest.mark.parametrize(
    ("mode", "text", "taken"),
    [
        (0o600, "k" * 32, True),
        (0o640, "k" * 48 + "\n", True),
        (0o644, "k" * 48, False),
        (0o600, "k" * 31, False),
        (0o600, "", False),
    ],
)
def test_a_key_from_elsewhere_is_a_secret_or_none(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    mode: int,
    text: str,
    taken: bool,
) -> None:
    file = tmp_path_factory.mktemp("vault") / "key"
    file.write_text(text)
    file.chmod(mode)
    monkeypatch.setenv("POLICITY_SECRET_KEY_FILE", str(file))
    if taken:
        assert environment.read().secret_key_file == str(file)
        said = _settings("SECRET_KEY", "SECURITY_CONTACT")
        assert said == f"{text.strip()} "
    else:
        with pytest.raises(environment.BadEnvironmentError, match="POLICITY_SECRET_KEY_FILE"):
            environment.read()


PUSH_KEY = "A" * 42 + "E="
CROSSING_KEY = (
    Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)


@pytest.mark.parametrize(
    ("name", "setting", "text"),
    [
        ("POLICITY_PUSH_KEY_FILE", "PUSH_KEY_FILE", PUSH_KEY),
        ("POLICITY_CROSSING_KEY_FILE", "CROSSING_KEY_FILE", CROSSING_KEY),
    ],
)
@pytest.mark.parametrize(
    ("mode", "given", "taken"),
    [(0o600, "{}", True), (0o644, "{}", False), (0o600, "{:.40}", False), (0o600, "", False)],
)
def test_other_keys_may_lie_outside_and_are_what_they_say(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    setting: str,
    text: str,
    mode: int,
    given: str,
    taken: bool,
) -> None:
    file = tmp_path_factory.mktemp("vault") / "key"
    file.write_text(given.format(text))
    file.chmod(mode)
    monkeypatch.setenv(name, str(file))
    if taken:
        assert _settings(setting) == str(file)
    else:
        with pytest.raises(environment.BadEnvironmentError, match=name):
            environment.read()


@pytest.mark.parametrize("name", ["POLICITY_DATABASE_URL_FILE", "POLICITY_OIDC_SECRET_FILE"])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o602])
def test_a_secret_that_everybody_can_read_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    mode: int,
) -> None:
    file = tmp_path_factory.mktemp("vault") / "secret"
    file.write_text(URL)
    file.chmod(mode)
    monkeypatch.setenv("POLICITY_OIDC_ISSUER", "https://login.city.example")
    monkeypatch.setenv("POLICITY_OIDC_CLIENT", "policity")
    monkeypatch.setenv("POLICITY_OIDC_SECRET_FILE", str(file))
    monkeypatch.setenv(name, str(file))
    if mode & 0o007:
        with pytest.raises(environment.BadEnvironmentError, match=f"{name}: .*chmod") as raised:
            environment.read()
        assert "hidden" not in str(raised.value)
    else:
        environment.read()
    file.chmod(0o600)
    file.write_bytes(b"hidden\xff")
    with pytest.raises(environment.BadEnvironmentError, match=f"{name}: Cannot") as raised:
        environment.read()
    assert "hidden" not in str(raised.value)


COOKIES = (
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
    *(f"{kind}_COOKIE_{what}" for kind in ("SESSION", "CSRF") for what in ("SECURE", "HTTPONLY")),
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_PATH",
)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "https://city.example",
            "__Secure-sessionid __Secure-csrftoken True True True True Lax /staff/",
        ),
        ("http://127.0.0.1:8000", "sessionid csrftoken False True False True Lax /staff/"),
    ],
)
def test_cookies_are_as_strict_as_the_way_allows(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("POLICITY_URL", url)
    assert _settings(*COOKIES) == said


def _settings(*names: str) -> str:
    """What a process that starts now would have."""
    code = (
        "from policity.project.settings import embedded as s\n"
        f"print(*(getattr(s, n) for n in {names!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


@pytest.mark.parametrize(
    ("role", "demo", "expected"),
    [
        ("", "1", Role.ALL),
        ("", "0", Role.INTERNET),
        ("internet", "0", Role.INTERNET),
        ("internal", "0", Role.INTERNAL),
        ("internal", "1", Role.INTERNAL),
        ("all", "1", Role.ALL),
        ("all", "0", None),
        ("inside", "1", None),
    ],
)
def test_which_installation_it_is(
    monkeypatch: pytest.MonkeyPatch, role: str, demo: str, expected: Role | None
) -> None:
    # As in a city, and not as in a test.
    monkeypatch.setattr(environment, "UNSAID", Role.INTERNET)
    monkeypatch.setenv("POLICITY_ROLE", role)
    monkeypatch.setenv("POLICITY_DEMO", demo)
    if expected is None:
        with pytest.raises(environment.BadEnvironmentError, match=r"POLICITY_ROLE: .*internal"):
            environment.read()
    else:
        assert environment.read().role is expected


def test_a_drills_home_has_nothing_internal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / environment.DRILL).touch()
    for role in ("internal", "all"):
        monkeypatch.setenv("POLICITY_ROLE", role)
        monkeypatch.setenv("POLICITY_DEMO", "0")
        assert environment.read().role is Role.INTERNET


TELLING = {"web", "uploads", "worker", "live", "watcher", "sender-urgent", "sender-routine"}


@pytest.mark.parametrize(
    ("role", "children"),
    [
        (Role.INTERNET, TELLING),
        (Role.INTERNAL, {"web", "worker"}),
        (Role.ALL, TELLING),
    ],
)
def test_what_runs_and_what_is_said_first_follow_from_the_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: Role, children: set[str]
) -> None:
    monkeypatch.setenv("POLICITY_ROLE", role.value)
    monkeypatch.setenv("POLICITY_DEMO", "1")
    where = environment.read()
    assert {child.name for child in serve._City(where, 0)._others()} == children
    assert role in serve.ROLES


S3 = {"POLICITY_BACKUP": "s3://city-copies/policity", "AWS_ENDPOINT_URL": "https://s3.example"}
KEY = {"AWS_ACCESS_KEY_ID": "name", "AWS_SECRET_ACCESS_KEY": "hidden%word"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (S3 | KEY).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused(*words: str) -> None:
    with pytest.raises(environment.BadEnvironmentError) as raised:
        environment.read()
    for word in words:
        assert word in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_copies_on_s3_are_named_as_everywhere(said: pytest.MonkeyPatch, tmp_path: Path) -> None:
    where = environment.read()
    assert where.backup_endpoint == "https://s3.example"
    assert where.backup_key[:2] == ("name", "hidden%word")
    assert "hidden" not in repr(where)
    said.setenv("POLICITY_BACKUP_ENDPOINT", "https://own.example")
    said.setenv("AWS_DEFAULT_REGION", "jp-1")
    where = environment.read()
    assert (where.backup_endpoint, where.backup_region) == ("https://own.example", "jp-1")
    (tmp_path / environment.DRILL).touch()
    where = environment.read()
    assert (where.backup, where.backup_endpoint, where.backup_key) == ("", "", ())


@pytest.mark.parametrize("head", ["", "[default]\n"])
def test_the_key_for_copies_may_lie_in_a_file(
    said: pytest.MonkeyPatch, tmp_path: Path, head: str
) -> None:
    file = tmp_path.parent / f"{tmp_path.name}-key"
    file.write_text(f"{head}aws_access_key_id = other\naws_secret_access_key = hidden%20\n")
    file.chmod(0o640)
    said.setenv("POLICITY_BACKUP_KEY_FILE", str(file))
    assert environment.read().backup_key == ("other", "hidden%20", "")
    file.chmod(0o644)
    refused("chmod o-rwx")
    file.chmod(0o600)
    for text in ("hidden", "[default\nhidden", "[other]\naws_access_key_id = hidden", ""):
        file.write_text(text)
        refused("POLICITY_BACKUP_KEY_FILE")
    said.setenv("POLICITY_BACKUP_KEY_FILE", str(tmp_path / "key"))
    refused("POLICITY_BACKUP_KEY_FILE", "home")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("POLICITY_BACKUP", "s3://name:hidden@city/copies", "鍵なし"),
        ("POLICITY_BACKUP", "s3://City/copies", "s3://BUCKET/PREFIX"),
        ("POLICITY_BACKUP", "s3://city/../x", "s3://BUCKET/PREFIX"),
        ("POLICITY_BACKUP", "s3://city/x y", "s3://BUCKET/PREFIX"),
        ("POLICITY_BACKUP", "gs://city/copies", "s3://BUCKET/PREFIX"),
        ("AWS_ENDPOINT_URL", "http://s3.example", "POLICITY_BACKUP_ALLOW_HTTP=1"),
        ("POLICITY_BACKUP_ENDPOINT", "http://10.0.0.5:9000", "暗号化されない"),
        ("POLICITY_BACKUP_ENDPOINT", "https://name:hidden@s3.example", "https://s3.example"),
        ("AWS_ENDPOINT_URL", "", "AWS_REGION"),
        ("AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_what_copies_on_s3_lack_is_said(
    said: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    said.setenv(name, value)
    refused(words)


def test_in_the_clear_copies_go_to_this_machine_alone_or_where_that_is_said(
    said: pytest.MonkeyPatch,
) -> None:
    for local in ("http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"):
        said.setenv("AWS_ENDPOINT_URL", local)
        assert environment.read().backup_endpoint == local
    said.setenv("AWS_ENDPOINT_URL", "http://10.0.0.5:9000")
    said.setenv("POLICITY_BACKUP_ALLOW_HTTP", "1")
    assert environment.read().backup_endpoint == "http://10.0.0.5:9000"


def test_who_copies_into_a_folder_is_not_asked_about_s3(said: pytest.MonkeyPatch) -> None:
    said.setenv("POLICITY_BACKUP", "/mnt/copies")
    said.setenv("AWS_ENDPOINT_URL", "http://s3.example")
    assert environment.read().backup_key == ()
