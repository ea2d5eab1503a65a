"""Comments: what is taken, put together, answered, withheld, published, and forgotten."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.accounts.models import AuditEntry
from policity.foundations.city_plan import services
from policity.foundations.city_plan.models import Call, Comment, CommentGroup, Measure
from policity.foundations.city_plan.queries import comments as queries
from policity.foundations.city_plan.rules.commenting import (
    Channel,
    Numbers,
    Outcome,
    Reason,
    Stage,
    against_publishing,
    names,
    readable,
    tidy,
)
from policity.foundations.city_plan.services import CallDraft, PlanRefused, Sent, fading
from policity.foundations.city_plan.tests.calls import (
    ADDRESS,
    ANSWER,
    DAY,
    FIRST,
    LAST,
    NAME,
    TEXTS,
    answered,
    call,
    grouped,
    keeper,
    paper,
    published,
    web,
)
from policity.foundations.city_plan.tests.conftest import NOW


@given(st.text())
def test_what_is_readable_stays_and_the_rest_goes_once(text):
    once = readable(tidy(text))
    assert readable(once) == once
    assert not set(once) & set("\r\0\x1b\u202e\u2066")
    assert readable("\u3000あ\n\t絵文字🎉") == "\u3000あ\n\t絵文字🎉"


@given(st.text("あい 見本・-12３"), st.text("あい 見本・-12３"), st.text("あい 見本・-12３"))
def test_a_name_is_found_wherever_it_stands_and_however_it_is_spaced(before, name, after):
    found = names([f"{before}{name}{after}"], [name])
    assert found in ((name,), ())
    bare = "".join(name.split()).replace("・", "").replace("-", "")
    assert bool(found) == (len(bare) >= 2)


@pytest.mark.parametrize(
    ("text", "name", "is_there"),
    [
        ("見本名字花子さんの意見", "見本 名字花子", True),
        ("ＭＩＨＯＮさん", "mihon", True),
        ("見本町9-8-7に住む人", "見本町 ９－８－７", True),
        ("花が咲く", "花", False),
        ("英語でも", "見本 花子", False),
    ],
)
def test_a_name_is_known_in_any_writing(text, name, is_there):
    assert bool(names([text], [name])) is is_there


counts = st.integers(0, 5)


@given(counts, counts, counts, st.lists(st.text(min_size=1), max_size=3))
def test_nothing_is_published_before_all_of_it_is_answered(grouped, withheld, waiting, unanswered):
    by_channel = {Channel.WEB: grouped + withheld, Channel.MAIL: 0, Channel.PAPER: waiting}
    found = Numbers(by_channel, grouped, withheld, waiting)
    assert found.all == found.grouped + found.withheld + found.waiting
    faults = against_publishing(Stage.CLOSED, found, unanswered)
    assert len(faults) == len(unanswered) + bool(waiting)
    for stage in set(Stage) - {Stage.CLOSED}:
        assert against_publishing(stage, found, []) != []


def test_a_call_begins_and_ends_by_the_clock(plan):
    first, last = NOW.date() + DAY, NOW.date() + 2 * DAY
    number = call(plan, first=first, last=last)

    def stage() -> str:
        return Call.objects.get(pk=number).stage

    assert stage() == Stage.COMING
    assert services.turn(now=NOW) == 0
    with pytest.raises(services.CommentRefused):
        web(number)
    assert services.turn(now=NOW + DAY) == 1
    assert stage() == Stage.OPEN
    assert services.turn(now=NOW + 2 * DAY) == 0
    # Midnight is the city's: 15:00 UTC.
    assert services.turn(now=NOW.replace(hour=14) + 2 * DAY) == 0
    assert services.turn(now=NOW.replace(hour=15) + 2 * DAY) == 1
    assert stage() == Stage.CLOSED
    assert services.turn(now=NOW + 9 * DAY) == 0


def test_a_call_that_the_worker_has_not_closed_yet_takes_nothing_after_its_last_day(plan):
    number = call(plan)
    sent = Sent("まだ間に合いますか")
    for later, taken in ((timedelta(days=7), True), (timedelta(days=8), False)):
        now = NOW + later
        if taken:
            assert services.receive(call=number, sent=sent, language="ja", now=now)
        else:
            with pytest.raises(services.CommentRefused):
                services.receive(call=number, sent=sent, language="ja", now=now)


@pytest.mark.parametrize(
    ("year", "first", "last", "fault"),
    [(2025, LAST, FIRST, "あとに"), (2031, FIRST, LAST, "令和13年度はありません")],
)
def test_a_call_that_cannot_be_is_refused(plan, year, first, last, fault):
    with pytest.raises(PlanRefused, match=fault):
        services.draft_call(
            draft=CallDraft(plan.pk, year, TEXTS, first, last), by=keeper(), now=NOW
        )
    with pytest.raises(PlanRefused, match="計画"):
        services.draft_call(draft=CallDraft(0, None, TEXTS, FIRST, LAST), by=keeper(), now=NOW)


def test_a_call_is_closed_and_extended_with_a_reason_that_the_trail_keeps(plan):
    number, by = call(plan), keeper()
    with pytest.raises(PlanRefused, match="理由"):
        services.close(call=number, reason=" ", by=by, now=NOW)
    with pytest.raises(PlanRefused, match="いまの終わりの日よりあと"):
        services.extend(call=number, last_day=LAST, reason="延ばす", by=by, now=NOW)
    services.extend(call=number, last_day=LAST + DAY, reason="雪のため", by=by, now=NOW)
    services.close(call=number, reason="まちがい", by=by, now=NOW)
    with pytest.raises(services.CommentRefused):
        web(number)
    services.extend(call=number, last_day=LAST, reason="もどす", by=by, now=NOW)
    assert web(number)
    acts = AuditEntry.objects.filter(act__startswith="comments.").order_by("number")
    assert [one.act.partition(".")[2] for one in acts] == [
        "made", "opened", "extended", "closed", "extended",
    ]  # fmt: skip
    assert "雪のため" in acts[2].detail


def test_two_people_who_change_a_call_at_once_are_told(plan):
    number = services.draft_call(
        draft=CallDraft(plan.pk, None, TEXTS, FIRST, LAST), by=keeper(), now=NOW
    ).pk
    draft = CallDraft(plan.pk, 2024, TEXTS, FIRST, LAST + DAY)
    services.change_call(call=number, draft=draft, seen=0, by=keeper(), now=NOW)
    with pytest.raises(services.MovedOn):
        services.change_call(call=number, draft=draft, seen=0, by=keeper(), now=NOW)
    services.announce(call=number, by=keeper(), now=NOW)
    # Of what has a page only the words can be changed.
    again = CallDraft(plan.pk, None, {"ja": {"title": "直した", "body": ""}}, FIRST, LAST)
    services.change_call(call=number, draft=again, seen=2, by=keeper(), now=NOW)
    row = Call.objects.get()
    assert (row.year, row.last_day, row.texts["ja"]["title"]) == (2024, LAST + DAY, "直した")


def test_no_more_than_a_city_can_read_come_by_web(plan, monkeypatch):
    number = call(plan)
    monkeypatch.setattr("policity.foundations.city_plan.services.commenting.MOST", 1)
    web(number)
    with pytest.raises(services.CommentRefused, match="たくさん"):
        web(number)
    assert paper(number)


def test_what_came_on_paper_has_its_day_and_who_typed_it(plan):
    number = call(plan)
    row = Comment.objects.get(pk=paper(number, channel=Channel.MAIL))
    assert (row.channel, row.by, row.received) == ("mail", keeper(), NOW.date())
    sent = Sent("x")
    for day in (NOW.date() + DAY, FIRST - DAY):
        with pytest.raises(PlanRefused, match="届いた日"):
            services.type_in(
                call=number, sent=sent, channel=Channel.PAPER, received=day, by=keeper(), now=NOW
            )
    with pytest.raises(PlanRefused, match="メールか紙"):
        services.type_in(
            call=number, sent=sent, channel=Channel.WEB, received=FIRST, by=keeper(), now=NOW
        )


def test_numbers_add_up_whatever_is_done(plan):
    number, by = call(plan), keeper()
    some = [web(number), web(number), paper(number), paper(number, channel=Channel.MAIL)]
    group = grouped(number, some[:2])
    services.withhold(comment=some[0], reason=Reason.PERSONAL, note="", by=by, now=NOW)
    found = queries.numbers(number)
    assert (found.grouped, found.withheld, found.waiting, found.all) == (1, 1, 2, 4)
    assert found.by_channel == {Channel.WEB: 2, Channel.MAIL: 1, Channel.PAPER: 1}
    with pytest.raises(PlanRefused, match="公開しないことにした"):
        services.put_together(call=number, comments=some, group=group, title="", by=by, now=NOW)
    services.release(comment=some[0], by=by, now=NOW)
    services.put_together(call=number, comments=some, group=group, title="", by=by, now=NOW)
    assert services.take_out(call=number, comments=some[2:], by=by, now=NOW) == 2
    found = queries.numbers(number)
    assert (found.grouped, found.withheld, found.waiting) == (2, 0, 2)


def test_groups_are_of_one_call(plan):
    one, other = call(plan), call(plan)
    group, strange = grouped(one, [web(one)]), web(other)
    for comments, chosen, title, fault in (
        ([strange], None, "x", "一つ以上"),
        ([], None, "x", "一つ以上"),
        ([web(other)], group, "", "選びなおして"),
        ([web(other)], None, " ", "名前を書くか"),
    ):
        with pytest.raises(PlanRefused, match=fault):
            services.put_together(
                call=one if comments == [strange] or not comments else other,
                comments=comments, group=chosen, title=title, by=keeper(), now=NOW,
            )  # fmt: skip


def test_the_database_keeps_what_is_withheld_out_of_groups(plan):
    number = call(plan)
    group = grouped(number, [web(number)])
    with pytest.raises(IntegrityError), transaction.atomic():
        Comment.objects.update(withheld="abuse", group=CommentGroup.objects.get(pk=group))


def test_an_answer_says_all_of_it(plan):
    number = call(plan)
    group = grouped(number, [web(number, name=NAME, address=ADDRESS)])
    for part, fault in (("summary", "概要"), ("answer", "考え方"), ("change", "何を変えたか")):
        with pytest.raises(PlanRefused, match=fault):
            answered(group, texts={"ja": ANSWER["ja"] | {part: ""}})
    answered(group, texts={"ja": ANSWER["ja"] | {"answer": ""}}, outcome=None)
    with pytest.raises(services.MovedOn):
        answered(group)
    answered(group, seen=1)
    assert queries.groups(number)[0].outcome is Outcome.REFLECTED


@pytest.mark.parametrize("text", [f"{NAME}さんが言うとおり", "見本町９－８－７", "見本名字花子"])
@pytest.mark.parametrize("part", ["title", "summary", "answer", "change"])
def test_a_name_in_an_answer_is_refused_until_somebody_has_looked(plan, part, text):
    number = call(plan)
    group = grouped(number, [web(number, name=NAME, address=ADDRESS)])
    for code in ("ja", "en"):
        texts = {**ANSWER, code: ANSWER["ja"] | {part: text}}
        with pytest.raises(services.NamesSomebody):
            answered(group, texts=texts)
    answered(group, texts=texts, is_checked=True)


def test_a_name_that_comes_later_holds_up_what_was_written_before(plan):
    number, by = call(plan), keeper()
    group = grouped(number, [web(number)])
    answered(group, texts={"ja": ANSWER["ja"] | {"answer": f"{NAME}のとおり"}})
    services.put_together(
        call=number, comments=[web(number, name=NAME)], group=group, title="", by=by, now=NOW
    )
    services.close(call=number, reason="試す", by=by, now=NOW)
    with pytest.raises(PlanRefused, match="名前か住所"):
        services.publish_answers(call=number, by=by, now=NOW)


def test_what_is_published_can_be_taken_back_and_not_changed_unseen(plan):
    number, by = published(plan), keeper()
    comment, group = Comment.objects.first().pk, CommentGroup.objects.get().pk
    for verb in (
        lambda: services.withhold(comment=comment, reason=Reason.ABUSE, note="", by=by, now=NOW),
        lambda: services.release(comment=comment, by=by, now=NOW),
        lambda: services.place(comment=comment, measure=None, by=by, now=NOW),
        lambda: services.take_out(call=number, comments=[comment], by=by, now=NOW),
        lambda: answered(group, seen=1),
        lambda: services.extend(call=number, last_day=LAST + 9 * DAY, reason="x", by=by, now=NOW),
    ):
        with pytest.raises(PlanRefused):
            verb()
    services.take_answers_back(call=number, reason="書きまちがい", by=by, now=NOW)
    answered(group, seen=1)
    services.publish_answers(call=number, by=by, now=NOW)
    assert AuditEntry.objects.filter(act="comments.withdrawn").count() == 1


def test_nothing_is_published_while_something_waits(plan):
    number, by = call(plan), keeper()
    group = grouped(number, [web(number)])
    web(number)
    with pytest.raises(PlanRefused, match="受け付けが終わって"):
        services.publish_answers(call=number, by=by, now=NOW)
    services.close(call=number, reason="試す", by=by, now=NOW)
    with pytest.raises(PlanRefused, match="1件あります。\n「英語でも」"):
        services.publish_answers(call=number, by=by, now=NOW)
    answered(group)
    services.put_together(
        call=number, comments=list(Comment.objects.values_list("pk", flat=True)), group=group,
        title="", by=by, now=NOW,
    )  # fmt: skip
    services.publish_answers(call=number, by=by, now=NOW)


def test_a_call_without_comments_is_published_as_one(plan):
    number = call(plan)
    services.close(call=number, reason="試す", by=keeper(), now=NOW)
    services.publish_answers(call=number, by=keeper(), now=NOW)
    (found,) = queries.results({number})
    assert (found.numbers.all, found.groups) == (0, ())


def test_a_comment_is_about_a_measure_of_its_own_plan(filled):
    number = call(filled)
    measure = Measure.objects.first().pk
    sent = Sent("施策について", measure=measure)
    made = services.receive(call=number, sent=sent, language="en", now=NOW)
    assert queries.comment(made).measure == measure
    services.place(comment=made, measure=2**40, by=keeper(), now=NOW)
    assert queries.comment(made).measure is None
    listed = queries.measures(filled.pk, 2025)
    assert [name for name, _ in listed] == ["防災", "魅力"]


def test_who_sent_something_is_forgotten_in_time_and_what_they_said_stays(plan):
    published(plan)
    assert fading.due(before=NOW) == 0
    later = NOW + DAY
    assert fading.due(before=later) == 3
    assert fading.fade(before=later, now=later) == 3
    assert fading.due(before=later) == 0
    rows = Comment.objects.order_by("pk")
    assert {(row.name, row.address) for row in rows} == {("", "")}
    # What was withheld may name somebody in its own words.
    assert [bool(row.text) for row in rows] == [True, True, False]
    assert queries.numbers(rows[0].call_id).all == 3
