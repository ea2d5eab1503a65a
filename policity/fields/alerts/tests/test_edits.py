"""Staff change rules and texts: what is refused, what holds from then on, and who may."""

import os

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from policity.fields.alerts import queries
from policity.fields.alerts.models import Action, Edit, Transition
from policity.fields.alerts.models.records import RecordChanged
from policity.fields.alerts.queries import words
from policity.fields.alerts.queries.trials import Trial
from policity.fields.alerts.rules import edits, order_texts, response, texts
from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Refused, Severity, Status
from policity.fields.alerts.rules.edits import Book
from policity.fields.alerts.rules.response import Answer, allowed
from policity.fields.alerts.services import editing, ingest
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.services import audit
from policity.foundations.delivery.models import Dispatch
from policity.foundations.delivery.tests.conftest import NOW
from policity.foundations.publishing import queries as publishing
from policity.kit.languages import LANGUAGES

CODES = tuple(one.code for one in LANGUAGES)
RAIN = "jma/official-samples/15_12_02_161130_VPWW53.xml"
FOG = edits.entries(Book.ALERTS)["alerts.fog.minor"]
EVERYTHING = [
    entry for book in (Book.ALERTS, Book.ORDERS) for entry in edits.entries(book).values()
]
HERE = ("1322900", "130010", "130000")

answers = st.dictionaries(
    st.sampled_from(Phenomenon), st.dictionaries(st.sampled_from(Severity), st.sampled_from(Answer))
)


# Rules.


@given(answers, st.sampled_from(Phenomenon), st.sampled_from(Severity))
def test_what_was_chosen_is_done_and_nothing_else_changes(chosen, phenomenon, severity):
    shipped = response.shipped()
    answer = shipped.answering(chosen).answer(phenomenon, severity, Change.ISSUED, HERE)
    wanted = chosen.get(phenomenon, {}).get(severity)
    if wanted is None or wanted not in allowed(severity):
        assert answer is shipped.answer(phenomenon, severity, Change.ISSUED, HERE)
    else:
        assert answer is wanted


@given(answers, st.sampled_from(Phenomenon), st.sampled_from([Severity.SEVERE, Severity.EXTREME]))
def test_nobody_can_choose_silence_where_life_is_in_danger(chosen, phenomenon, severity):
    rules = response.shipped().answering(chosen)
    assert rules.publishes(phenomenon, severity, Change.ISSUED, HERE)
    assert rules.answer(phenomenon, severity, Change.ISSUED, HERE) in (Answer.SEND, Answer.APPROVE)


@given(answers, st.sampled_from(Phenomenon))
def test_an_advisory_that_was_in_force_before_is_nobodys_news_whatever_was_chosen(chosen, one):
    rules = response.shipped().answering(chosen)
    assert not rules.publishes(one, Severity.MINOR, Change.CONTINUED, HERE)


@pytest.mark.parametrize("answer", Answer)
def test_an_answer_is_a_rule_and_the_rule_that_answer(answer):
    assert Answer.of(answer.rule) is answer


def test_an_answer_is_what_is_done(office, staff, resident, towns, shared_data):
    """A warning waits, and one is only published, as staff chose."""
    resident(towns[0])
    by = staff(Role.COMMANDER)
    for phenomenon, answer in (
        (Phenomenon.HEAVY_RAIN, Answer.APPROVE),
        (Phenomenon.FLOOD, Answer.PUBLISH),
    ):
        chosen = dict.fromkeys(Severity, Answer.SEND) | {Severity.MODERATE: answer}
        editing.edit_rule(phenomenon, chosen, why="試し", seen=0, by=by, now=NOW)
    words.forget()
    done = ingest((shared_data / RAIN).read_bytes(), source="test", now=NOW)
    assert {(t.event.phenomenon, t.action) for t in done.transitions} == {
        ("heavy_rain", Action.AWAITING_APPROVAL),
        ("flood", Action.PUBLISHED),
        ("thunder", Action.RECORDED),
    }
    assert [d.stage for d in Dispatch.objects.all()] == [Dispatch.Stage.AWAITING]


# Texts.


def test_everything_that_ships_can_be_saved_as_it_is():
    for entry in EVERYTHING:
        assert edits.faults(entry, edits.as_shipped(entry)) == {}, entry
        assert edits.difference(entry, edits.as_shipped(entry)) == {}


def test_jmas_own_names_are_not_ours_to_change():
    heads = {entry.key.partition(".")[0] for entry in EVERYTHING if entry.book is Book.ALERTS}
    assert heads == {"alerts", "steps", "sites", "indoors", "calm"}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "文面が空です"),
        ("  \n", "文面が空です"),
        ("あ" * 401, "400字までです（401字あります）"),
        ("<name>です", "もとの文面と同じに"),
        ("{漢字|かんじ", "読みがな"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_in_every_language(code, text, says):
    wanted = edits.as_shipped(FOG)
    wanted[code]["headline"] = text
    found = edits.faults(FOG, wanted)
    assert list(found) == [(code, "headline")]
    assert says in found[code, "headline"]


def test_a_language_that_is_missing_is_refused():
    wanted = edits.as_shipped(FOG)
    del wanted["ko"]
    assert {code for code, _ in edits.faults(FOG, wanted)} == {"ko"}


def test_a_mark_that_words_are_put_into_must_stay():
    lifted = edits.entries(Book.ORDERS)["lifted"]
    wanted = edits.as_shipped(lifted)
    wanted["en"]["title"] = "It is over"
    assert "<name>" in edits.faults(lifted, wanted)["en", "title"]


def test_readings_are_for_easy_japanese_alone():
    wanted = edits.as_shipped(FOG)
    for code in CODES:
        wanted[code]["headline"] = "{霧|きり}が でます。"
    assert {code for code, _ in edits.faults(FOG, wanted)} == set(CODES) - {"ja-easy"}


@hypothesis_settings(deadline=None)
@given(st.sampled_from(EVERYTHING), st.sampled_from(CODES), st.data())
def test_what_was_changed_is_said_and_everything_else_as_before(entry, code, data):
    part = data.draw(st.sampled_from(entry.parts))
    wanted = edits.as_shipped(entry)
    marks = "".join(sorted(set(edits._PLACEHOLDER.findall(wanted[code][part]))))
    wanted[code][part] = f"新しい文{marks}"
    wanted[code]["checked_by"] = "見本"
    assert edits.faults(entry, wanted) == {}
    layer = edits.over([(entry.key, edits.difference(entry, wanted))])
    load, shipped = (
        (texts.load, texts.shipped())
        if entry.book is Book.ALERTS
        else (order_texts.load, order_texts.shipped())
    )
    now = load(layer).words
    assert edits.said(entry, now) == wanted
    for other in CODES:
        same = {k: v for k, v in now[other].items() if not k.startswith(f"{entry.key}.")}
        assert same == {
            k: v for k, v in shipped.words[other].items() if not k.startswith(f"{entry.key}.")
        }


def test_a_changed_text_is_what_people_read_from_then_on(staff, shared_data):
    by = staff(Role.COMMANDER)
    before = publishing.waiting(now=NOW)
    key = "alerts.heavy_rain.moderate"
    entry = edits.entries(Book.ALERTS)[key]
    wanted = edits.as_shipped(entry)
    wanted["en"]["headline"] = "The river by the park may rise."
    editing.edit_text(entry, wanted, why="川の名前", seen=0, by=by, now=NOW)
    words.forget()
    assert publishing.waiting(now=NOW) >= before
    done = ingest((shared_data / RAIN).read_bytes(), source="test", now=NOW)
    told = {t.message.texts["en"]["body"] for t in done.transitions if t.message}
    assert "The river by the park may rise." in told
    # What ships again, and both are on record.
    last = words.newest(Book.ALERTS, key)
    editing.edit_text(entry, edits.as_shipped(entry), why="もどす", seen=last, by=by, now=NOW)
    words.forget()
    assert words.texts().words == texts.shipped().words
    assert [edit.why for edit in words.history(book=Book.ALERTS, subject=key)] == [
        "もどす", "川の名前",
    ]  # fmt: skip


# Who may, and what is on record.


@pytest.mark.parametrize("role", Role)
def test_who_may_change_rules_and_texts(role, staff):
    may = role in (Role.COMMANDER, Role.ADMINISTRATOR)
    by, now = staff(role), NOW
    wanted = edits.as_shipped(FOG)
    wanted["ja"]["headline"] = "川ぞいに霧が出ます。"
    for change in (
        lambda: editing.edit_text(FOG, wanted, why="試し", seen=0, by=by, now=now),
        lambda: editing.edit_rule(
            Phenomenon.FOG,
            dict.fromkeys(Severity, Answer.SEND),
            why="試し",
            seen=0,
            by=by,
            now=now,
        ),
    ):
        if may:
            assert change().by == by
        else:
            with pytest.raises(editing.EditError, match="権限"):
                change()
    assert Edit.objects.count() == (2 if may else 0)


def test_two_who_change_the_same_do_not_undo_each_other(staff):
    one, other = staff(Role.COMMANDER), staff(Role.ADMINISTRATOR)
    chosen = dict.fromkeys(Severity, Answer.SEND)
    first = editing.edit_rule(Phenomenon.FOG, chosen, why="霧", seen=0, by=one, now=NOW)
    with pytest.raises(editing.EditedMeanwhileError, match=str(one)):
        editing.edit_rule(
            Phenomenon.FOG,
            chosen | {Severity.MINOR: Answer.PUBLISH},
            why="霧",
            seen=0,
            by=other,
            now=NOW,
        )
    with pytest.raises(editing.EditError, match="同じ内容"):
        editing.edit_rule(Phenomenon.FOG, chosen, why="霧", seen=first.pk, by=other, now=NOW)


@pytest.mark.parametrize(("why", "says"), [("", "理由"), (" ", "理由"), ("あ" * 301, "301字")])
def test_a_change_needs_a_reason(why, says, staff):
    by = staff(Role.COMMANDER)
    chosen = dict.fromkeys(Severity, Answer.SEND)
    with pytest.raises(editing.EditError, match=says):
        editing.edit_rule(Phenomenon.FOG, chosen, why=why, seen=0, by=by, now=NOW)
    silent = dict.fromkeys(Severity, Answer.RECORD)
    with pytest.raises(editing.EditError, match="命にかかわる"):
        editing.edit_rule(Phenomenon.FOG, silent, why="霧", seen=0, by=by, now=NOW)


def test_a_change_is_kept_as_it_was_made(staff):
    chosen = dict.fromkeys(Severity, Answer.SEND)
    made = editing.edit_rule(
        Phenomenon.FOG, chosen, why="霧", seen=0, by=staff(Role.COMMANDER), now=NOW
    )
    made.data = {}
    with pytest.raises(RecordChanged):
        made.save()
    with pytest.raises(RecordChanged):
        made.delete()


# What each process remembers.


def test_a_process_reads_again_when_another_announces_a_change(staff, settings, tmp_path):
    settings.HOME = tmp_path
    words.forget()
    assert words.current().subjects(Book.RULES) == set()
    chosen = dict.fromkeys(Severity, Answer.SEND)
    by = staff(Role.COMMANDER)
    made = editing.edit_rule(Phenomenon.FOG, chosen, why="霧", seen=0, by=by, now=NOW)
    assert words.newest_announced() == made.pk
    assert words.current().subjects(Book.RULES) == {"fog"}


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\0", "\u2028"])
@pytest.mark.parametrize("part", ["name", "checked_by"])
def test_what_stands_in_one_line_is_one_line(part, sign):
    wanted = edits.as_shipped(FOG)
    wanted["ja"][part] = f"霧{sign}注意"
    assert edits.faults(FOG, wanted) == {("ja", part): "1行で書いてください。改行は使えません。"}
    wanted["ja"][part] = "霧注意"
    assert edits.faults(FOG, wanted) == {}


def test_a_change_is_announced_before_its_pages_are_in_line(staff, monkeypatch):
    """A worker that claims one of them has read the new words, or reads them now."""
    order = []
    monkeypatch.setattr(editing, "rebuild", lambda: order.append("pages"))
    monkeypatch.setattr(editing, "_announce", lambda edit: order.append("file"))
    later = []
    monkeypatch.setattr(transaction, "on_commit", lambda do, **_: later.append(do))
    wanted = edits.as_shipped(FOG)
    wanted["ja"]["headline"] = "川ぞいに霧が出ます。"
    by = staff(Role.COMMANDER)
    editing.edit_text(FOG, wanted, why="霧", seen=0, by=by, now=NOW)
    assert sorted(order) == ["file", "pages"]
    assert later == [audit._ship_soon]


def test_a_reader_that_does_not_see_the_change_yet_asks_again(staff, settings, tmp_path):
    settings.HOME = tmp_path
    words.announcement().parent.mkdir()
    words.announcement().write_text("1000000")
    words.forget()
    assert words.current().subjects(Book.RULES) == set()
    Edit.objects.create(
        book=Book.RULES, subject="fog", data={"minor": "send"}, why="霧", at=NOW,
        by=staff(Role.COMMANDER),
    )  # fmt: skip
    assert words.current().subjects(Book.RULES) == {"fog"}


def test_a_change_that_was_taken_back_is_not_asked_for_for_ever(
    db, settings, tmp_path, django_assert_num_queries
):
    settings.HOME = tmp_path
    words.announcement().parent.mkdir()
    words.announcement().write_text("1000000")
    long_ago = words.announcement().stat().st_mtime - 61
    os.utime(words.announcement(), (long_ago, long_ago))
    words.forget()
    with django_assert_num_queries(1):
        words.current(), words.current()


def test_a_home_that_was_put_back_is_read_though_nothing_was_announced(staff, settings, tmp_path):
    settings.HOME = tmp_path
    chosen = dict.fromkeys(Severity, Answer.SEND)
    editing.edit_rule(Phenomenon.FOG, chosen, why="霧", seen=0, by=staff(Role.COMMANDER), now=NOW)
    words.forget()
    assert words.current().subjects(Book.RULES) == {"fog"}


def test_asking_for_the_words_costs_no_query(db, django_assert_num_queries):
    words.current()
    with django_assert_num_queries(0):
        for _ in range(100):
            words.texts(), words.responses(), words.order_texts()


def test_what_a_later_version_no_longer_knows_stops_nothing(staff):
    by = staff(Role.COMMANDER)
    for book, subject, data in (
        (Book.RULES, "meteor", {"minor": "send"}),
        (Book.RULES, "fog", {"huge": "send", "minor": "shout"}),
        (Book.ALERTS, "alerts.meteor.any", {"en": {"name": "x"}, "fr": {"name": "y"}}),
        (Book.ORDERS, "levels.9", {"en": {"name": "x"}}),
    ):
        Edit.objects.create(book=book, subject=subject, data=data, why="x", at=NOW, by=by)
    words.forget()
    assert words.texts().words == texts.shipped().words
    assert words.order_texts().words == order_texts.shipped().words
    assert (
        words.responses().answer(Phenomenon.FOG, Severity.MINOR, Change.ISSUED, HERE)
        is Answer.RECORD
    )


# On trial.


def test_a_rule_is_tried_on_what_came_and_nothing_happens(
    office, staff, resident, towns, shared_data
):
    for town in towns[:3]:
        resident(town)
    done = ingest((shared_data / RAIN).read_bytes(), source="test", now=NOW)
    told = next(t for t in done.transitions if t.severity_to == "moderate")
    phenomenon = Phenomenon(told.event.phenomenon)
    counts = (Dispatch.objects.count(), Transition.objects.count(), Edit.objects.count())
    chosen = {str(severity): str(Answer.APPROVE) for severity in Severity}
    rules = words.current().changed(Book.RULES, phenomenon, chosen).responses
    (tried, *_) = Trial(rules).past(phenomenon)
    assert (tried.answer, tried.action, tried.persons) == (Answer.APPROVE, Action.SENT, 3)
    assert (tried.name, tried.at) == (told.name, told.at)
    assert counts == (
        Dispatch.objects.count(), Transition.objects.count(), Edit.objects.count(),
    )  # fmt: skip
    assert (
        words.responses().answer(phenomenon, Severity.MODERATE, Change.ISSUED, HERE) is Answer.SEND
    )


def test_a_file_is_tried_and_not_taken_in(city, resident, towns, shared_data):
    resident(towns[0])
    data = (shared_data / RAIN).read_bytes()
    status, tried = Trial(words.responses()).of_file(data)
    assert status is Status.ACTUAL
    assert {(one.severity, one.answer, one.persons) for one in tried} >= {
        (Severity.MODERATE, Answer.SEND, 1)
    }
    assert not Transition.objects.exists()
    assert queries.in_force() == ()
    with pytest.raises(Refused):
        Trial(words.responses()).of_file(b"no telegram")


def test_trying_costs_the_same_for_one_step_and_for_many(
    staff, shared_data, django_assert_max_num_queries
):
    data = (shared_data / RAIN).read_bytes()
    ingest(data, source="test", now=NOW)
    phenomenon = Phenomenon.HEAVY_RAIN
    with django_assert_max_num_queries(12):
        Trial(words.responses()).past(phenomenon)
