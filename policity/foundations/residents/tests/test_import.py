"""Taking over a list: all of it or nothing, again without harm, and nobody named in a log."""

import csv
import io
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from policity.foundations.places.models import Town
from policity.foundations.residents import queries, services
from policity.foundations.residents.formats import COLUMNS, MAY, BadList
from policity.foundations.residents.models import Address, Label, Place, Resident
from policity.foundations.residents.rules import choices
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.services import OtherImportError, importing
from policity.foundations.residents.services.registering import Dead
from policity.foundations.residents.signals import link_wanted
from policity.kit.severity import Severity

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
PUSH = json.dumps(
    {"endpoint": "https://push.example/1", "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22}}
)
EVERYBODY = Audience("evacuation", Severity.EXTREME)

pytestmark = pytest.mark.usefixtures("city")


def line(number=1, **cells):
    given = {
        "external_id": f"p{number}",
        "email": f"p{number}@example.jp",
        "town": "泉町三丁目",
        "language": "ja",
    }
    return given | cells


def written(*lines, header=COLUMNS, end="\r\n"):
    file = io.StringIO(newline="")
    rows = csv.DictWriter(file, header, lineterminator=end, extrasaction="ignore")
    rows.writeheader()
    rows.writerows(lines)
    return file.getvalue()


def take(*lines, header=COLUMNS, **options):
    return services.import_list(written(*lines, header=header).encode(), now=NOW, **options)


def counted(done):
    return done.added, done.changed, done.unchanged


def everything():
    """All that is kept of people, as it is stored."""
    tables = (Resident, Place, Address)
    return [list(table.objects.order_by("pk").values_list()) for table in tables]


def heard():
    return queries.find(EVERYBODY).persons.tolist()


FULL = line(
    1, push=PUSH, lat="35.739803", lon="139.554274", language="ko",
    kinds="weather:3;evacuation:4", quiet_from="22:00", quiet_to="6:30",
)  # fmt: skip


def test_a_line_becomes_a_resident():
    assert counted(take(FULL)) == (1, 0, 0)
    who = queries.registration(Resident.objects.get(external_id="p1").pk)
    assert who.language == "ko"
    assert who.wants == {"weather": Severity.MODERATE, "evacuation": Severity.SEVERE}
    assert who.quiet == choices.Quiet(22 * 60, 6 * 60 + 30)
    assert [place.town.name for place in who.places] == ["泉町三丁目"]
    assert (who.mail, who.mail_confirmed_at, who.push) == ("p1@example.jp", NOW, True)
    row = Place.objects.get()
    assert (row.label, row.lat, row.lon) == (Label.HOME, 35.739803, 139.554274)
    assert queries.find(Audience("evacuation", Severity.MODERATE)).persons.tolist() == []
    assert queries.find(Audience("evacuation", Severity.SEVERE)).persons.tolist() == [who.id]


def test_a_line_that_says_little_takes_the_citys_defaults():
    take(line(email=""))
    assert Resident.objects.get().wants == ""
    assert not Address.objects.exists()
    found = queries.preview(EVERYBODY)
    assert (found.persons, found.without_point, found.unreachable) == (1, 1, 1)
    [there] = [one for one in found.towns if one.persons]
    assert (there.mail, there.push, there.unreachable) == (0, 0, 1)


def test_twice_is_once():
    lines = [FULL, line(2), line(3, email=""), line(4, kinds="weather:5", town="泉町一丁目")]
    assert counted(take(*lines)) == (4, 0, 0)
    before, version = everything(), queries.version()
    assert counted(take(*lines)) == (0, 0, 4)
    assert (everything(), queries.version()) == (before, version)


@pytest.mark.parametrize(
    "cells",
    [
        {"email": "other@example.jp"}, {"email": ""}, {"push": ""}, {"town": "泉町一丁目"},
        {"lat": "35.74", "lon": "139.55"}, {"lat": "", "lon": ""}, {"language": "en"},
        {"kinds": ""}, {"kinds": "weather:5"}, {"quiet_from": "", "quiet_to": ""},
        {"quiet_to": "7:00"},
    ],
)  # fmt: skip
def test_a_changed_line_changes_that_person_only(cells):
    take(FULL, line(2))
    numbers = dict(Resident.objects.values_list("external_id", "pk"))
    other = [row for row in everything()[1] if row[1] == numbers["p2"]]
    heard()
    assert counted(take(FULL | cells, line(2))) == (0, 1, 1)
    assert dict(Resident.objects.values_list("external_id", "pk")) == numbers
    assert [row for row in everything()[1] if row[1] == numbers["p2"]] == other
    assert counted(take(FULL | cells, line(2))) == (0, 0, 2)
    # What is kept in memory hears of it, as if it were read anew.
    found = heard()
    queries.forget()
    assert heard() == found


WHOLE = (*COLUMNS, *MAY)


def test_a_list_may_say_years_of_birth_and_households():
    lines = [
        line(1, born="昭和25", household="H-1"),
        line(2, born="1952", household="H-1"),
        line(3, household="H-2"),
        line(4),
    ]
    assert counted(take(*lines, header=WHOLE)) == (4, 0, 0)
    assert counted(take(*lines, header=WHOLE[::-1])) == (0, 0, 4)
    people = Resident.objects.order_by("external_id").values_list("born", "household")
    (one, home), (two, same), (nobody, other), nothing = people
    assert (one, two, nobody, nothing) == (1950, 1952, None, (None, None))
    assert home == same != other
    assert queries.preview(EVERYBODY).homes.households == 2
    moved = [*lines[:2], line(3, household="H-1"), line(4, born="令和2")]
    assert counted(take(*moved, header=WHOLE)) == (0, 2, 2)
    assert queries.preview(EVERYBODY).homes.households == 1
    assert Resident.objects.get(external_id="p4").born == 2020


def test_a_list_without_those_columns_leaves_them_alone():
    take(line(1, born="1950", household="H-1"), header=WHOLE)
    before = Resident.objects.values_list("born", "household").get()
    assert counted(take(line(1))) == (0, 0, 1)
    assert counted(take(line(1, language="en"))) == (0, 1, 0)
    assert Resident.objects.values_list("born", "household").get() == before
    services.retire([Dead(Resident.objects.get().pk, "mail", "", "550")], now=NOW)
    assert counted(take(line(1, language="en"))) == (0, 1, 0)
    assert Resident.objects.values_list("born", "household").get() == before
    # With the column, an empty cell says that nothing is known.
    assert counted(take(line(1, language="en"), header=WHOLE)) == (0, 1, 0)
    assert Resident.objects.values_list("born", "household").get() == (None, None)


@pytest.mark.parametrize("born", ["25", "2050", "1800", "昭和65"])
def test_an_impossible_year_of_birth_is_named(born):
    done = take(line(1), line(2, born=born), header=WHOLE)
    assert [(one.line, born in one.reason) for one in done.refused] == [(3, True)]
    assert not Resident.objects.exists()


def test_who_is_not_in_the_list_stays():
    take(line(1), line(2))
    take(line(2))
    assert len(heard()) == 2


def test_what_somebody_added_to_their_home_stays_and_the_list_stays_quiet_about_it():
    take(line(1))
    number = Resident.objects.get().pk
    school = Town.objects.here().get(name="泉町一丁目").pk
    services.add_place(resident=number, town=school, label=Label.SCHOOL, now=NOW)
    assert counted(take(line(1))) == (0, 0, 1)
    moved = line(1, town="泉町二丁目")
    assert counted(take(moved)) == (0, 1, 0)
    assert counted(take(moved)) == (0, 0, 1)
    assert set(Place.objects.values_list("town__name", flat=True)) == {"泉町一丁目", "泉町二丁目"}


def test_what_the_list_says_holds_again_after_an_address_was_dead():
    take(line(1))
    number = Resident.objects.get().pk
    assert services.retire([Dead(number, "mail", "", "550")], now=NOW) == 1
    assert counted(take(line(1))) == (0, 1, 0)
    assert Address.objects.usable().get().value == "p1@example.jp"


def test_nobody_is_asked_to_confirm():
    asked = []
    link_wanted.connect(lambda **said: asked.append(said), weak=False, dispatch_uid="import")
    try:
        take(line(1), FULL)
    finally:
        link_wanted.disconnect(dispatch_uid="import")
    assert asked == []


BAD = [
    ({"external_id": ""}, "external_id"),
    ({"external_id": "x" * 101}, "external_id"),
    ({"external_id": "a\x00b"}, "external_id"),
    ({"email": "nobody"}, "メールアドレス"),
    ({"push": "{}"}, "通知"),
    ({"push": PUSH.replace("https", "http")}, "https"),
    ({"town": "無い町"}, "無い町"),
    ({"town": ""}, "町"),
    ({"lat": "35.7"}, "両方"),
    ({"lat": "139.5", "lon": "35.7"}, "日本の中"),
    ({"lat": "north", "lon": "139.5"}, "数では"),
    ({"lat": "nan", "lon": "nan"}, "日本の中"),
    ({"language": "fr"}, "fr"),
    ({"language": ""}, "言語"),
    ({"kinds": "rain:3"}, "rain"),
    ({"kinds": "weather:9"}, "weather:9"),
    ({"kinds": ";"}, "種類"),
    ({"quiet_from": "22:00"}, "両方"),
    ({"quiet_from": "25:00", "quiet_to": "6:00"}, "25:00"),
]


@pytest.mark.parametrize(("cells", "reason"), BAD, ids=[str(cells)[:40] for cells, _ in BAD])
def test_one_refused_line_and_nothing_is_taken(cells, reason):
    done = take(line(1), line(2) | cells, line(3))
    assert counted(done) == (0, 0, 0)
    assert [refused.line for refused in done.refused] == [3]
    assert reason in done.refused[0].reason
    assert not Resident.objects.exists()
    assert queries.version() == 0


def test_refused_lines_can_be_skipped():
    done = take(line(1), line(2, town="x"), line(3), skip_refused=True)
    assert counted(done) == (2, 0, 0)
    assert [refused.line for refused in done.refused] == [3]
    assert set(Resident.objects.values_list("external_id", flat=True)) == {"p1", "p3"}


def test_the_second_line_of_one_person_is_refused():
    done = take(line(1), line(2), line(1, email="x@example.jp"), skip_refused=True)
    assert [(refused.line, "2行目" in refused.reason) for refused in done.refused] == [(4, True)]
    assert Address.objects.filter(value="p1@example.jp").exists()


@pytest.mark.parametrize("town", ["泉町三丁目", "泉町3丁目", "泉町３丁目", " 泉町　３ ", "13229-3"])
def test_a_town_by_name_code_or_in_another_spelling(town):
    Town.objects.filter(name="泉町三丁目").update(code="13229-3")
    assert counted(take(line(town=town))) == (1, 0, 0)
    assert Place.objects.get().town.name == "泉町三丁目"


def test_a_town_that_is_gone_is_no_town():
    Town.objects.filter(name="泉町三丁目").update(closed_at=NOW)
    assert len(take(line()).refused) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_list_as_other_systems_write_it(encoding, end):
    data = written(line(1), line(2), line(3, town="x"), end=end).encode(encoding)
    done = services.import_list(data, skip_refused=True, now=NOW)
    assert counted(done) == (2, 0, 0)
    assert [refused.line for refused in done.refused] == [4]


def test_columns_in_any_order():
    data = written(FULL, header=tuple(reversed(COLUMNS))).encode()
    assert counted(services.import_list(data, now=NOW)) == (1, 0, 0)
    assert counted(take(FULL)) == (0, 0, 1)


def test_lines_are_counted_as_editors_count_them():
    """A quoted cell may hold several lines; empty lines are none."""
    spread = line(1, push=PUSH.replace(", ", ",\n "))
    text = written(spread, line(2, town="x"))
    head, rest = text.split("\r\n", 1)
    done = services.import_list(f"{head}\r\n\r\n{rest}\r\n\r\n".encode(), now=NOW)
    assert [refused.line for refused in done.refused] == [6]


@pytest.mark.parametrize("missing", COLUMNS)
def test_a_list_without_a_column_is_none(missing):
    header = [name for name in COLUMNS if name != missing]
    with pytest.raises(BadList, match=missing):
        services.import_list(written(line(), header=header).encode(), now=NOW)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "足りない列"),
        (b"\x80\x81\xff\xff", "."),
        ("あ".encode("utf-16"), "."),
        (",".join([*COLUMNS, "name"]).encode(), "name"),
        (",".join([*COLUMNS, "town"]).encode(), "."),
        (b'"external_id"x,email\n', "CSV"),
        (b'"external_id', "CSV"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(data, said):
    with pytest.raises(BadList, match=said):
        services.import_list(data, now=NOW)
    assert not Resident.objects.exists()


@pytest.mark.parametrize("end", ['"p2"x,a@example.jp,,,,,,,,\r\n', 'p2,"', f'p2,"{"x" * 140_000}"'])
def test_where_it_is_no_csv_any_more_reading_ends(end):
    done = services.import_list((written(line(1)) + end).encode(), now=NOW)
    assert counted(done) == (0, 0, 0)
    assert [refused.line for refused in done.refused] == [3]
    assert not Resident.objects.exists()


def test_a_line_of_too_few_cells_is_refused():
    done = services.import_list((written(line(1)) + "p2,a@example.jp\r\n").encode(), now=NOW)
    assert [(refused.line, "2" in refused.reason) for refused in done.refused] == [(3, True)]


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 2)
    monkeypatch.setattr(importing, "PAUSE", 0)


def fail(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("where", ["jump", "_rewrite", "_publish", "next_version"])
def test_killed_half_way_nothing_is_visible_and_the_next_one_cleans_up(monkeypatch, where):
    take(line(1, kinds="weather:3"), line(2))
    before, known = everything(), heard()
    lines = [line(1, kinds="weather:5"), *(line(n) for n in range(2, 8))]
    with monkeypatch.context() as patch:
        patch.setattr(importing, where, fail)
        with pytest.raises(KeyboardInterrupt):
            take(*lines)
    assert Resident.objects.count() == 7
    made = Resident.objects.filter(version__lte=queries.version())
    assert list(made.order_by("pk").values_list()) == before[0]
    assert heard() == known
    assert queries.totals() == queries.Totals(residents=2, mail=2, push=0)
    queries.forget()
    assert heard() == known
    # Whoever registers meanwhile is somebody new: the other may never be.
    town = Town.objects.here()[0].pk
    fresh = services.register(town=town, language="ja", email="p5@example.jp", now=NOW)
    assert heard() == [*known, fresh]
    assert counted(take(*lines)) == (5, 1, 1)
    assert len(heard()) == 7
    assert Address.objects.count() == Place.objects.count() == 8
    assert counted(take(*lines)) == (0, 0, 7)


@pytest.mark.usefixtures("small_steps")
def test_killed_while_staging_the_next_one_cleans_up(monkeypatch):
    stage, calls = importing._stage, []

    def twice(*given, **options):
        calls.append(given)
        return fail() if len(calls) > 2 else stage(*given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(importing, "_stage", twice)
        with pytest.raises(KeyboardInterrupt):
            take(*(line(n) for n in range(7)))
    assert (Resident.objects.count(), heard()) == (4, [])
    assert counted(take(line(1))) == (1, 0, 0)
    assert Resident.objects.count() == len(heard()) == Place.objects.count() == 1


@pytest.mark.usefixtures("small_steps")
def test_of_two_at_once_one_says_that_it_took_nothing(monkeypatch):
    """The other one begins, and sweeps, while this one is at work."""
    stage, calls = importing._stage, []

    def interrupted(*given, **options):
        stage(*given, **options)
        calls.append(given)
        if len(calls) == 1:
            assert counted(take(line(8), line(9))) == (2, 0, 0)

    monkeypatch.setattr(importing, "_stage", interrupted)
    with pytest.raises(OtherImportError):
        take(*(line(n) for n in range(5)))
    visible = Resident.objects.filter(version__lte=queries.version())
    assert set(visible.values_list("external_id", flat=True)) == {"p8", "p9"}
    assert counted(take(*(line(n) for n in range(5)))) == (5, 0, 0)
    assert len(heard()) == 7


def test_more_changes_than_can_be_written_at_once(monkeypatch, small_steps):
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    take(*(line(n) for n in range(5)))
    numbers = heard()
    lines = [line(n, language="en", town="泉町一丁目") for n in range(7)]
    assert counted(take(*lines)) == (2, 5, 0)
    assert set(Resident.objects.filter(pk__in=heard()).values_list("language", flat=True)) == {"en"}
    assert heard()[:5] == numbers
    assert counted(take(*lines)) == (0, 0, 7)


def test_somebody_who_left_comes_back_with_the_list():
    take(line(1), line(2))
    number = Resident.objects.get(external_id="p1").pk
    services.leave(resident=number, now=NOW)
    assert counted(take(line(1), line(2))) == (1, 0, 1)
    assert number not in heard()


def spent(*lines):
    with CaptureQueriesContext(connection) as seen:
        take(*lines)
    return len(seen)


def test_the_number_of_queries_does_not_grow_with_the_lines():
    take(line(0))
    few, many = range(1, 4), range(10, 310)
    cost = {
        "new": (spent(*map(line, few)), spent(*map(line, many))),
        "same": (spent(*map(line, few)), spent(*map(line, many))),
        "changed": tuple(
            spent(*(line(n, town="泉町一丁目", email=f"q{n}@example.jp") for n in some))
            for some in (few, many)
        ),
    }  # fmt: skip
    assert all(one == other for one, other in cost.values()), cost
    assert max(cost["new"]) < 40


def command(tmp_path, *lines, **options):
    file = tmp_path / "list.csv"
    file.write_text(written(*lines), newline="")
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("residents", "import", file, stdout=out, stderr=err, **options)
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_says_what_it_did(tmp_path):
    code, out, err = command(tmp_path, line(1), line(2))
    assert (code, err) == (0, "")
    assert "新しい 2" in out
    code, out, err = command(tmp_path, line(1), line(2, language="fr"))
    assert code == 1
    assert "3行目" in err
    assert "--skip-refused" in err
    code, out, _ = command(tmp_path, line(1), line(2, language="x"), skip_refused=True, json=True)
    told = json.loads(out)
    assert (code, told["unchanged"], told["refused"][0]["line"]) == (1, 1, 3)


@pytest.mark.parametrize("text", [None, "name,email\n"])
def test_the_command_says_what_it_could_not_read(tmp_path, text):
    file = tmp_path / "list.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CommandError) as refused:
        call_command("residents", "import", file)
    assert refused.value.returncode == 2


def test_the_command_says_how_far_it_is_when_it_takes_long(tmp_path, monkeypatch, small_steps):
    module = "policity.foundations.residents.management.commands.residents.PATIENCE_SECONDS"
    monkeypatch.setattr(module, 0)
    _, _, err = command(tmp_path, *(line(n) for n in range(5)))
    assert [row.rsplit(" ", 3)[1:] for row in err.splitlines()] == [
        ["2", "/", "5"], ["4", "/", "5"], ["5", "/", "5"],
    ]  # fmt: skip


def test_nobody_is_named_in_a_log_or_beyond_what_the_file_holds(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    secret = line(1, email="secret@example.jp", push=PUSH, lat="35.7391", lon="139.5512")
    command(tmp_path, secret)
    with caplog.at_level(logging.DEBUG):
        _, out, err = command(tmp_path, line(2, email="not an address"), secret | {"lat": "x"})
        command(tmp_path, secret | {"language": "ko"})
    held = ("secret@example.jp", "push.example", "35.7391", "139.5512", "p1")
    records = [record for record in caplog.records if not record.name.startswith("django.db")]
    assert not [word for word in held for record in records if word in record.getMessage()]
    # Neither the address that stands in the line nor what the database knows of that person.
    assert not [word for word in (*held[:4], "not an address") if word in out + err]


def test_a_resident_is_never_shown_in_words():
    take(FULL)
    rows = [row for table in (Resident, Place, Address) for row in table.objects.all()]
    shown = [repr(row) + str(row) for row in rows]
    assert not [one for one in shown if "example" in one or "35.7" in one]


def test_registered_at_is_when_the_list_first_brought_them():
    take(line(1))
    services.import_list(written(line(1, language="en")).encode(), now=NOW + timedelta(days=9))
    assert Resident.objects.get().registered_at == NOW
