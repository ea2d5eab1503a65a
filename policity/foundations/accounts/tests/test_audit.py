"""What is done leaves a trace in its own transaction, and the trace is kept elsewhere as well."""

import json
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

import policity
from policity.foundations.accounts import queries
from policity.foundations.accounts.models import AuditEntry, AuditHead, User
from policity.foundations.accounts.rules import chain
from policity.foundations.accounts.services import audit
from policity.foundations.accounts.services.audit import ship

NOW = datetime(2026, 11, 26, 3, 4, 5, 678901, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(tmp_path, settings):
    (tmp_path / "home" / "run").mkdir(parents=True)
    settings.HOME = tmp_path / "home"
    return tmp_path / "home"


@pytest.fixture
def outside(tmp_path, home, settings):
    settings.AUDIT_HEADS = str(tmp_path / "heads")
    return tmp_path / "heads"


@pytest.fixture
def some(outside, django_capture_on_commit_callbacks):
    """Twelve things that were done, and shipped."""
    user = User.objects.create(username="bosai")
    for number in range(12):
        with django_capture_on_commit_callbacks(execute=True):
            audit.record("order.issued", on=f"alerts.order:{number}", by=user, now=NOW, level=4)


def lines(file):
    return file.read_text().splitlines()


def verify(capsys, *, found):
    if found:
        with pytest.raises(SystemExit) as ended:
            call_command("audit", "verify", "--json")
        assert ended.value.code == 1
    else:
        call_command("audit", "verify", "--json")
    return json.loads(capsys.readouterr().out)


def numbers(said):
    return [fault["number"] for fault in said["faults"]]


def remake(first: int) -> None:
    """What somebody can do who may write the table: every digest from here on anew."""
    before = AuditEntry.objects.filter(number=first - 1).values_list("digest", flat=True).first()
    before = before or chain.BEGINNING
    for row in AuditEntry.objects.filter(number__gte=first).order_by("number"):
        before = row.digest = chain.digest(queries.entry_of(row), before)
        row.save()
    AuditHead.objects.update(digest=before)


def test_an_entry_says_who_did_what_to_what():
    user = User.objects.create(username="bosai")
    audit.record("order.issued", on="alerts.order:7", by=user, now=NOW, level=4, alone=False)
    audit.record("residents.imported", by=None, now=NOW, added=3)
    one, two = AuditEntry.objects.order_by("number")
    assert (one.number, one.by, one.act, one.on, one.at) == (
        1, "bosai", "order.issued", "alerts.order:7", NOW,
    )  # fmt: skip
    assert json.loads(one.detail) == {"level": 4, "alone": False}
    assert (two.number, two.by) == (2, "")
    assert list(queries.faults({})) == []


def test_what_is_not_done_leaves_no_trace():
    audit.record("note.written", by=None, now=NOW)
    with transaction.atomic():
        audit.record("note.written", by=None, now=NOW)
        transaction.set_rollback(True)
    audit.record("note.written", by=None, now=NOW)
    assert list(AuditEntry.objects.values_list("number", flat=True)) == [1, 2]
    assert list(queries.faults({})) == []


def test_an_entry_costs_the_same_each_time(django_assert_num_queries):
    audit.record("note.written", by=None, now=NOW)
    for _ in range(2):
        with django_assert_num_queries(3):
            audit.record("note.written", by=None, now=NOW)


def test_heads_are_kept_outside_in_order(some, outside):
    kept = queries.kept_heads(outside)
    assert kept == dict(AuditEntry.objects.values_list("number", "digest"))
    assert [int(line.split()[0]) for line in lines(outside)] == list(range(1, 13))
    assert lines(outside)[0].endswith("2026-11-26T03:04:05.678901+00:00")
    assert ship() == 0


def test_a_changed_byte_is_found(some, capsys):
    assert verify(capsys, found=False) == {"entries": 12, "heads": 12, "faults": []}
    AuditEntry.objects.filter(number=5).update(on="alerts.order:99")
    assert numbers(verify(capsys, found=True)) == [5]


def test_a_deleted_tail_is_found(some, capsys):
    AuditEntry.objects.filter(number__gt=9).delete()
    AuditHead.objects.update(
        number=9, digest=AuditEntry.objects.values_list("digest", flat=True).get(number=9)
    )
    assert numbers(verify(capsys, found=True)) == [10]


def test_a_recomputed_chain_is_found_also_with_heads_of_its_own(some, capsys, outside, home):
    AuditEntry.objects.filter(number=5).update(by="nobody")
    remake(5)
    assert list(queries.faults({})) == []
    assert numbers(verify(capsys, found=True)) == [5, 6, 7, 8, 9, 10, 11, 12]
    # Whoever may append to the file can add heads, and does not hide the ones that were there.
    (home / "run" / "audit-shipped").write_text("0")
    assert ship() == 12
    assert numbers(verify(capsys, found=True)) == [5, 6, 7, 8, 9, 10, 11, 12]


def test_without_heads_elsewhere_it_says_what_it_cannot_find(home, capsys):
    audit.record("note.written", by=None, now=NOW)
    call_command("audit", "verify")
    said = capsys.readouterr()
    assert "1件の記録は、つながっています" in said.out
    assert "外に置いた控えがない" in said.err
    with pytest.raises(CommandError, match="POLICITY_AUDIT_HEADS"):
        call_command("audit", "ship")
    with pytest.raises(CommandError, match="読めません"):
        call_command("audit", "verify", "--heads", "/nonexistent/heads")


def test_what_could_not_be_shipped_comes_with_the_next(
    home, tmp_path, settings, django_capture_on_commit_callbacks, capsys
):
    settings.AUDIT_HEADS = str(tmp_path / "missing" / "heads")
    with django_capture_on_commit_callbacks(execute=True):
        audit.record("note.written", by=None, now=NOW)
    assert AuditEntry.objects.count() == 1
    with pytest.raises(CommandError, match="送れません"):
        call_command("audit", "ship")
    (tmp_path / "missing").mkdir()
    with django_capture_on_commit_callbacks(execute=True):
        audit.record("note.written", by=None, now=NOW)
    assert len(lines(tmp_path / "missing" / "heads")) == 2


@pytest.mark.parametrize("kind", ["udp", "tcp", "unix"])
def test_entries_go_to_syslog(home, tmp_path, settings, kind):
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    sort = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, sort) as server:
        server.settimeout(5)
        server.bind(str(tmp_path / "log") if kind == "unix" else ("127.0.0.1", 0))
        if kind == "unix":
            settings.SYSLOG = f"unix:{tmp_path / 'log'}"
        else:
            settings.SYSLOG = f"{kind}://127.0.0.1:{server.getsockname()[1]}"
        audit.record("order.issued", on="alerts.order:7", by=None, now=NOW, reason="川の氾濫")
        if kind == "tcp":
            server.listen(1)
        assert ship() == 1
        if kind == "tcp":
            connection, _ = server.accept()
            with connection:
                data = connection.recv(10_000)
            assert data.endswith(b"\n")
        else:
            data = server.recv(10_000)
    found = re.fullmatch(r"<86>1 (\S+) \S+ policity \d+ audit - (\{.*\})", data.decode().strip())
    assert found is not None
    assert found[1] == "2026-11-26T03:04:05.678901+00:00"
    said = json.loads(found[2])
    assert (said["act"], json.loads(said["detail"])) == ("order.issued", {"reason": "川の氾濫"})
    assert said["digest"] == AuditEntry.objects.get().digest


def test_a_syslog_that_is_away_is_said_and_nothing_is_lost(home, tmp_path, settings):
    settings.SYSLOG = f"unix:{tmp_path / 'nobody'}"
    audit.record("note.written", by=None, now=NOW)
    with pytest.raises(OSError, match="No such file"):
        ship()
    assert not (home / "run" / "audit-shipped").read_text()


def test_coming_going_and_failing_leave_a_trace_and_no_password_does():
    user = User.objects.create(username="bosai")
    user.set_password("correct-horse")
    user.save()
    client = Client()
    client.login(username="bosai", password="wrong-horse")
    client.login(username="correct-horse", password="typed in the wrong field")
    client.login(username="bosai", password="correct-horse")
    client.logout()
    rows = list(AuditEntry.objects.order_by("number").values_list("act", "by", "on"))
    me = f"accounts.user:{user.pk}"
    assert rows == [
        ("staff.refused", "", me),
        ("staff.refused", "", ""),
        ("staff.signed_in", "bosai", me),
        ("staff.signed_out", "bosai", me),
    ]
    assert "horse" not in str(list(AuditEntry.objects.values_list()))
    assert AuditEntry.objects.latest("number").at <= timezone.now()


def acts() -> set[str]:
    """Every act that the code records, by its first part where the rest is made up as it runs."""
    found = set()
    for file in Path(policity.__path__[0]).rglob("*.py"):
        if "tests" not in file.parts:
            found.update(re.findall(r'record\(\s*f?"([a-z_]+\.[a-z_]*)', file.read_text()))
    return found


def test_what_is_recorded_is_named_by_what_it_is_about():
    assert len(acts()) > 15
