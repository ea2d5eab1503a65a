"""`policity doctor`: what it looks at beyond the page, and how it ends."""

import json
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import call_command

from policity.back_office.tests.test_health import silence, well  # noqa: F401  # a fixture
from policity.foundations.continuity import queries, tasks
from policity.foundations.continuity.services.certificates import look_at_certificate
from policity.project import home
from policity.project.management.commands import doctor

NOW = datetime.now(UTC)


@pytest.fixture
def installed(well, settings, monkeypatch):  # noqa: F811
    """As docs/operations.md has it."""
    settings.DEMO, settings.AUDIT_HEADS = False, "/elsewhere/heads"
    settings.BACKUP_RECIPIENTS = str(well / "recipients")
    call_command(
        "continuity", "keys", str(well / "identity"), stdout=(well / "recipients").open("w")
    )
    (well / "copies").mkdir()
    (well / "secret.key").touch(mode=0o600)
    well.chmod(0o750)
    monkeypatch.setattr(home, "found_set", lambda _: home.migration_set())
    monkeypatch.setattr(doctor, "look_at_certificate", lambda *_, **__: None)
    return well


def ended(capsys, *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        call_command("doctor", *words)
    return int(end.value.code or 0), capsys.readouterr().out


def test_all_is_well(installed, capsys):
    code, text = ended(capsys, "--json")
    said = json.loads(text)
    assert [one for one in said["checks"] if one["state"] != "good"] == []
    assert (code, said["state"]) == (0, "good")


WRONG = {
    "rights": (lambda place, _: place.chmod(0o755), 2),
    "version": (lambda _, patch: patch.setattr(home, "found_set", lambda _: 1), 2),
    "recipients": (lambda place, _: (place / "recipients").write_text("x"), 2),
    "store": (lambda place, _: (place / "copies").rmdir(), 2),
    "worker": (lambda place, _: silence(place, "worker"), 2),
    "live": (lambda place, _: silence(place, "live"), 1),
}


@pytest.mark.parametrize("key", WRONG)
def test_what_is_wrong_ends_it_so(installed, capsys, monkeypatch, key):
    spoil, code = WRONG[key]
    spoil(installed, monkeypatch)
    found, text = ended(capsys, "--json")
    assert found == code
    assert [one["key"] for one in json.loads(text)["checks"] if one["state"] != "good"] == [key]


def test_an_s3_store_is_asked_as_whoever_copies_asks_it(installed, settings, capsys):
    settings.BACKUP, settings.SECRET_BACKUP_KEY = "s3://city/copies", ("name", "planted")
    settings.BACKUP_ENDPOINT, settings.BACKUP_REGION = "http://127.0.0.1:9", ""
    code, text = ended(capsys)
    assert code == 2
    assert "[異常] 写しの置き場所：読めません（S3 の置き場所：届きません" in text
    assert "planted" not in text


def test_a_key_that_others_read(installed, capsys):
    (installed / "secret.key").chmod(0o640)
    code, text = ended(capsys)
    assert code == 2
    assert "[異常] ファイルの権限" in text
    assert "今すること" in text


@pytest.mark.parametrize(("name", "value"), [("DEMO", True), ("AUDIT_HEADS", "")])
def test_what_should_be_set(installed, settings, capsys, name, value):
    setattr(settings, name, value)
    assert ended(capsys)[0] == 1


def test_a_home_that_is_not_there(installed, settings, capsys):
    settings.HOME = installed / "nothing"
    assert ended(capsys)[0] == 2


def certificate(folder: Path, until: datetime) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=90)).not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ) + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return file


@pytest.mark.parametrize(
    ("days", "trusted"), [(40, True), (-1, True), (40, False)], ids=["good", "expired", "stranger"]
)
def test_a_real_certificate_is_looked_at(tmp_path, days, trusted):
    (tmp_path / "run").mkdir()
    until = NOW.replace(microsecond=0) + timedelta(days=days)
    file = certificate(tmp_path, until)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    trusting = ssl.create_default_context(cafile=str(file) if trusted else None)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            one, _ = server.accept()
            try:
                serving.wrap_socket(one, server_side=True).close()
            except OSError:
                one.close()  # whoever asked did not trust us

        server_thread = threading.Thread(target=serve)
        server_thread.start()
        url = f"https://localhost:{server.getsockname()[1]}"
        look_at_certificate(tmp_path, url, now=NOW, trusting=trusting)
        server_thread.join()
    found = queries.certificate(tmp_path)
    assert found is not None
    if days > 0 and trusted:
        assert (found.until, found.fault) == (until, "")
    else:
        assert found.until is None
        assert "信用しない" in found.fault


def test_what_cannot_be_reached_says_nothing_of_a_certificate(tmp_path):
    (tmp_path / "run").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    look_at_certificate(tmp_path, f"https://127.0.0.1:{port}", now=NOW)
    assert queries.certificate(tmp_path) is None


def test_the_worker_looks_at_the_certificate_once_a_day(tmp_path, settings, monkeypatch):
    settings.HOME, settings.PUBLIC_URL = tmp_path, "https://city.example"
    asked = []
    monkeypatch.setattr(tasks, "_looked", None)
    monkeypatch.setattr(tasks, "look_at_certificate", lambda *said, now: asked.append((*said, now)))
    noon = datetime(2026, 11, 28, 3, tzinfo=UTC)
    moments = [noon + timedelta(hours=hours) for hours in (0, 1, 24)]
    assert [tasks.look(now) for now in moments] == [0, 0, 0]
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(5)
    assert asked == [(tmp_path, "https://city.example", now) for now in (moments[0], moments[2])]
