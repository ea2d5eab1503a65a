"""Real telegrams against our own state, for the city that ships and for others."""

from datetime import UTC, datetime, timedelta

import pytest

from policity.fields.alerts import queries
from policity.fields.alerts.formats import read
from policity.fields.alerts.models import Action, Event, Outcome, Telegram, Transition
from policity.fields.alerts.rules.response import shipped as responses
from policity.fields.alerts.services import expire, ingest, steps
from policity.foundations.delivery.models import Message
from policity.foundations.work.models import Item

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def take(shared_data):
    """Take in an official sample; without `now`, at the telegram's own time."""

    def take(name, place="", now=None, change=lambda data: data):
        folder = "shirasagi" if name.startswith("70_") else "official-samples"
        data = change((shared_data / "jma" / folder / name).read_bytes())
        return ingest(data, source="test", now=now or read(data).reported_at, place=place)

    return take


def told(result):
    return [
        (t.event.phenomenon, t.change, t.level_from, t.level_to, t.action)
        for t in result.transitions
    ]


def test_one_announcement_in_two_telegrams_is_one_event_each(take):
    first = take("15_12_02_161130_VPWW53.xml")
    second = take("15_12_02_161130_VPWW54.xml")
    assert sorted(told(first) + told(second)) == [
        ("flood", "issued", None, 3, "sent"),
        ("heavy_rain", "issued", None, 3, "sent"),
        ("thunder", "continued", None, None, "recorded"),
    ]
    assert Message.objects.count() == 2
    assert [e.phenomenon for e in queries.in_force()] == ["heavy_rain", "flood", "thunder"]
    assert queries.front_state(queries.in_force()) == "warning"


def test_the_same_telegrams_again_are_nothing(take):
    for name in ("15_12_02_161130_VPWW53.xml", "15_12_02_161130_VPWW54.xml"):
        take(name)
    again = take("15_12_02_161130_VPWW53.xml")
    assert again.again
    assert told(again) == []
    rewritten = take("15_12_02_161130_VPWW54.xml", change=lambda d: d.replace(b"\n", b"\n\n"))
    assert not rewritten.again
    assert told(rewritten) == []
    assert Message.objects.count() == 2


def test_what_changes_marks_the_pages_that_show_it(take):
    Item.objects.all().delete()
    take("15_12_02_161130_VPWW53.xml")
    assert Item.objects.exists()


def test_a_drill_is_recorded_and_never_shown(take):
    def drill(data):
        return data.replace("<Status>通常".encode(), "<Status>訓練".encode())

    Item.objects.all().delete()
    result = take("15_12_02_161130_VPWW53.xml", change=drill)
    assert {t.action for t in result.transitions} == {Action.RECORDED}
    assert queries.in_force() == ()
    assert queries.histories() == {}
    assert queries.event_ids() == ()
    assert not Message.objects.exists()
    assert not Item.objects.exists()


def test_a_drill_neither_hides_nor_ends_what_is_real(take):
    take("15_12_02_161130_VPWW53.xml")
    real = queries.in_force()

    def drill(data):
        data = data.replace("<Status>通常".encode(), "<Status>試験".encode())
        return data.replace(b"<Status>\xe7\x99\xba\xe8\xa1\xa8<", "<Status>解除<".encode())

    take("15_12_02_161130_VPWW54.xml", change=drill)
    assert queries.in_force() == real


def test_a_typhoon_over_nara_rises_falls_and_ends(take):
    """The five telegrams of September 2011 for 大和郡山市."""
    seen = []
    for n, date in enumerate(("130412", "130412", "160628", "160628", "130412"), 1):
        seen += told(take(f"15_08_0{n}_{date}_VPWW53.xml", place="2920300"))
    assert [step[1:] for step in seen if step[0] == "heavy_rain"] == [
        ("continued", None, 2, "recorded"),
        ("raised", 2, 5, "published"),
        ("lowered", 5, 2, "published"),
        ("cancelled", 2, None, "published"),
    ]
    assert not Event.objects.in_force().exists()


def test_an_earthquake_is_one_event_from_flash_to_final_report(take):
    place = "0220400"
    quick = take("32-35_08_01_100915_VXSE51.xml", place=place)
    assert Event.objects.count() == len(quick.transitions)
    take("32-35_08_06_240613_VXSE52.xml", place=place)
    take("32-35_08_07_240613_VXSE53.xml", place=place)
    assert Event.objects.filter(phenomenon="earthquake").count() == 1


def test_an_earthquake_far_away_is_recorded_and_not_in_force(take):
    result = take("32-39_05_01_100831_VXSE53.xml")
    assert [t.action for t in result.transitions] == ["recorded"]
    assert queries.in_force() == ()


def test_an_epicentre_does_not_lower_what_was_felt(take):
    take("70_32-39_11_120615_01shindosokuhou3.xml", place="220")
    felt = Event.objects.get()

    def same_earthquake(data):
        data = data.replace(b"2012-02-14T21:42:00", b"2011-03-11T14:50:00")
        return data.replace(b"20120214214013", felt.subject.encode())

    take("33_12_01_240613_VXSE52.xml", place="220", change=same_earthquake)
    felt.refresh_from_db()
    assert felt.severity == "extreme"
    assert felt.ended_at is None


def test_a_withdrawn_flash_report_takes_its_event_back(take):
    take("70_32-39_11_120615_01shindosokuhou3.xml", place="220")
    assert [e.phenomenon for e in queries.in_force()] == ["earthquake"]
    result = take("70_32-39_11_120615_99shindosokuhou3.xml", place="220")
    assert [(t.change, t.action, t.withdrawal) for t in result.transitions] == [
        ("cancelled", "published", True)
    ]
    assert queries.in_force() == ()
    assert "取り消し" in Message.objects.first().texts["ja"]["title"]
    assert Event.objects.get().withdrawn


def test_what_nobody_calls_off_ends_by_itself(take):
    take("70_32-39_11_120615_01shindosokuhou3.xml", place="220")
    at = Event.objects.get().valid_until
    assert at is not None
    assert expire(now=at - timedelta(seconds=1)) == ()
    assert [t.action for t in expire(now=at)] == ["recorded"]
    assert queries.in_force() == ()


def test_what_is_over_is_recorded_and_not_told(take):
    result = take("70_32-39_11_120615_01shindosokuhou3.xml", place="220", now=NOW)
    assert [t.action for t in result.transitions] == ["recorded"]
    assert queries.in_force() == ()
    assert not Message.objects.exists()


def test_the_same_telegram_speaks_to_each_place_once(take):
    name = "15_08_01_130412_VPWW53.xml"
    first = take(name, place="2920300")
    second = take(name, place="2920100")
    assert first.transitions
    assert second.transitions
    assert take(name, place="2920100").again
    assert Telegram.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"", Outcome.REFUSED),
        (b"<Report", Outcome.REFUSED),
        (b'<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', Outcome.REFUSED),
    ],
)
def test_bad_bytes_are_kept_with_the_reason_and_change_nothing(data, outcome):
    result = ingest(data, source="test", now=NOW)
    assert result.telegram.outcome == outcome
    assert result.telegram.reason
    assert not Transition.objects.exists()


def test_ingest_takes_a_fixed_number_of_queries(take, django_assert_max_num_queries):
    with django_assert_max_num_queries(60):
        take("15_12_02_161130_VPWW54.xml")


def test_message_and_state_commit_together(take, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(steps, "mark_stale", fails)
    with pytest.raises(RuntimeError):
        take("15_12_02_161130_VPWW53.xml")
    assert not Event.objects.exists()
    assert not Message.objects.exists()
    assert not Telegram.objects.filter(outcome=Outcome.READ).exists()


CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identity}</identifier>
<sender>{sender}</sender><sent>{sent}</sent><status>Actual</status>
<msgType>{kind}</msgType><scope>Public</scope>{references}
<info><language>ja-JP</language><category>Met</category><event>{event}</event>
<urgency>Immediate</urgency><severity>{severity}</severity><certainty>Observed</certainty>{code}
<area><areaDesc>川ぞい</areaDesc><polygon>{polygon}</polygon></area></info></alert>"""
HERE = "35.72,139.53 35.74,139.53 35.74,139.56 35.72,139.56 35.72,139.53"
CROSSING = "35.72,139.53 35.74,139.56 35.74,139.53 35.72,139.56 35.72,139.53"
ELSEWHERE = "43.0,141.3 43.1,141.3 43.1,141.4 43.0,141.3"


def cap(
    identity,
    minute,
    kind="Alert",
    severity="Severe",
    polygon=HERE,
    references="",
    sender="bosai@example.jp",
    event="洪水 Flood",
    code="",
    year=2026,
):
    sent = f"{year}-11-23T18:{minute:02}:00+09:00"
    if references:
        references = f"<references>{sender},{references},{sent}</references>"
    text = CAP.format(
        identity=identity,
        sent=sent,
        kind=kind,
        severity=severity,
        polygon=polygon,
        references=references,
        sender=sender,
        event=event,
        code=code,
    )
    return ingest(text.encode(), source="test", now=NOW + timedelta(minutes=minute))


def test_a_cap_alert_is_ours_where_its_polygon_touches_the_city(city):
    assert [step[:2] for step in told(cap("a", 1))] == [("flood", "issued")]
    assert told(cap("b", 2, polygon=ELSEWHERE)) == []


def test_a_polygon_that_crosses_itself_warns_too_many_rather_than_nobody(city):
    assert [step[:2] for step in told(cap("a", 1, polygon=CROSSING))] == [("flood", "issued")]


def test_a_chain_of_cap_alerts_is_one_event_and_one_cancel_ends_it(city):
    cap("a", 1)
    raised = cap("b", 2, kind="Update", severity="Extreme", references="a")
    assert [step[1] for step in told(raised)] == ["raised"]
    assert told(cap("c", 3, kind="Update", severity="Extreme", references="b")) == []
    assert Event.objects.count() == 1
    assert [step[1] for step in told(cap("d", 4, kind="Cancel", references="c"))] == ["cancelled"]
    assert queries.in_force() == ()


def test_two_rivers_of_one_sender_are_two_events(city):
    cap("a", 1, severity="Extreme")
    cap("b", 2, severity="Minor")
    assert [e.severity for e in queries.in_force()] == ["extreme", "minor"]
    cap("c", 3, kind="Cancel", references="b")
    assert [e.severity for e in queries.in_force()] == ["extreme"]


def test_nobody_cancels_what_another_sent(city):
    cap("a", 1)
    cap("b", 2, kind="Cancel", references="a", sender="other@example.jp")
    assert len(queries.in_force()) == 1


def test_a_cap_alert_that_names_no_end_does_not_stand_for_ever(city):
    cap("a", 1)
    until = Event.objects.get().valid_until
    assert until is not None
    expire(now=until)
    assert queries.in_force() == ()


def test_a_weekly_test_that_says_actual_is_a_test(city):
    code = "<eventCode><valueName>SAME</valueName><value>RWT</value></eventCode>"
    assert told(cap("a", 1, code=code))[0][4] == "recorded"
    assert queries.in_force() == ()


def test_what_is_dated_in_the_future_is_heard_and_silences_nothing(city):
    cap("a", 1, severity="Minor", year=2099)
    assert queries.in_force()[0].reported_at == NOW + timedelta(minutes=1)
    raised = cap("b", 2, kind="Update", severity="Extreme", references="a")
    assert [step[1] for step in told(raised)] == ["raised"]
    assert cap("c", 3, year=9999).telegram.outcome == Outcome.REFUSED


def test_the_front_says_the_worst_of_all(city):
    cap("a", 1, severity="Extreme")
    cap("b", 2, severity="Moderate")
    assert queries.front_state(queries.in_force()) == "danger"


def test_signs_of_ours_in_a_foreign_text_are_only_signs(city):
    cap("a", 1, event="Flood {A} | B")
    assert queries.in_force()[0].name == "Flood ｛A｝ ｜ B"
    assert Message.objects.count() == 1


def test_jmas_silence_does_not_end_what_another_sender_says(city, take):
    cap("a", 1)
    take("15_12_02_161130_VPWW53.xml", now=NOW + timedelta(minutes=2))
    assert sorted(e.subject for e in queries.in_force() if e.phenomenon == "flood") == [
        "",
        "bosai@example.jp,a",
    ]


def test_taking_back_twice_undoes_two_telegrams(take):
    names = ("15_08_01_130412_VPWW53.xml", "15_08_02_130412_VPWW53.xml")
    for name in names:
        take(name, place="2920300")

    def withdrawal(minute):
        def change(data):
            data = data.replace("<InfoType>発表".encode(), "<InfoType>取消".encode())
            at = f"2011-09-04T00:{minute}:00".encode()
            return data.replace(b"2011-09-04T00:10:00", at)

        return change

    first = take(names[1], place="2920300", change=withdrawal(20))
    assert ("lowered", 5, 2) in [(c, f, t) for _, c, f, t, _ in told(first)]
    take(names[1], place="2920300", change=withdrawal(30))
    assert queries.in_force() == ()


RIVER = "16_02_02_220728_VXKOii.xml"  # 六角川, level 3
SAGA = "410000"


def river(take, hour, info_type="発表", level="30", name="氾濫警戒情報"):
    def change(data):
        text = data.decode()
        text = text.replace("2021-08-13T15:10:00", f"2021-08-13T{hour:02}:10:00")
        text = text.replace("<InfoType>発表", f"<InfoType>{info_type}")
        return text.replace("<Code>30</Code>", f"<Code>{level}</Code>").encode()

    return take(RIVER, place=SAGA, change=change)


def test_taking_back_one_telegram_of_a_river_leaves_the_one_before(take):
    first = river(take, 15)
    assert [s[3] for s in told(first)] == [3]
    assert [s[1] for s in told(river(take, 16, level="40"))] == ["raised"]
    river(take, 17, info_type="取消", level="40")
    assert [e.level for e in queries.in_force()] == [3]
    text = Message.objects.order_by("-pk")[0].texts["ja"]
    assert "取り消し" not in text["title"]
    assert text["body"]


def test_a_river_in_another_year_is_another_event(take):
    river(take, 15)
    Event.objects.update(ended_at=NOW)
    river(take, 16)
    assert Event.objects.count() == 2


def test_one_withdrawal_reaches_each_place(take):
    name = "15_08_01_130412_VPWW53.xml"

    def withdrawal(data):
        return data.replace("<InfoType>発表".encode(), "<InfoType>取消".encode())

    for place in ("2920300", "2920100"):
        take(name, place=place)
    for place in ("2920300", "2920100"):
        assert take(name, place=place, change=withdrawal).transitions
    assert queries.in_force() == ()


def test_what_ended_last_comes_first_and_what_nobody_was_told_of_is_left_out(city):
    cap("told", 1)
    cap("first-to-end", 2)
    cap("over-before-it-came", 3, year=2020)
    cap("b", 4, kind="Cancel", references="first-to-end")
    cap("a", 5, kind="Cancel", references="told")
    past = [history.event.subject for history in queries.recent(10)]
    assert past == ["bosai@example.jp,told", "bosai@example.jp,first-to-end"]


SAME_TEST = "<eventCode><valueName>SAME</valueName><value>RWT</value></eventCode>"


def test_staff_see_the_tests_that_go_on_newest_first(city):
    cap("real", 1)
    cap("b", 2, code=SAME_TEST)
    cap("c", 3, code=SAME_TEST)
    cap("d", 4, code=SAME_TEST)
    cap("e", 5, kind="Cancel", references="c", code=SAME_TEST)
    assert [(drill.changed_at, drill.status) for drill in queries.drills()] == [
        (NOW + timedelta(minutes=4), "test"),
        (NOW + timedelta(minutes=2), "test"),
    ]


def test_what_was_never_told_is_called_off_unheard(city):
    cap("a", 1, severity="Minor", event="Smoke")
    ended = told(cap("b", 2, kind="Cancel", references="a"))
    assert ended == [("other", "cancelled", None, None, "recorded")]
    assert not Message.objects.exists()


def test_a_tests_cancel_ends_the_test_without_repeating_its_code(city):
    cap("test", 1, code=SAME_TEST)
    cap("real", 2)
    cap("c", 3, kind="Cancel", references="test")
    assert [e.subject for e in Event.objects.in_force()] == ["bosai@example.jp,real"]


def test_a_tests_cancel_ends_nothing_real(city):
    cap("a", 1)
    cap("b", 2, kind="Cancel", references="a", code=SAME_TEST)
    assert len(queries.in_force()) == 1


def test_an_end_nobody_was_told_the_beginning_of(take):
    take("15_12_02_161130_VPWW53.xml")
    heard = Message.objects.count()

    def over(data):
        data = data.replace("<Status>継続".encode(), "<Status>解除".encode())
        return data.replace(b"2016-02-12T14:22", b"2016-02-12T15:22")

    result = take("15_12_02_161130_VPWW53.xml", change=over)
    assert ("thunder", "cancelled", None, None, "recorded") in told(result)
    assert Message.objects.count() == heard


def test_what_ran_out_begins_anew(city):
    cap("a", 1)
    Event.objects.update(valid_until=NOW + timedelta(minutes=2))
    again = cap("b", 3, kind="Update", severity="Extreme", references="a")
    assert told(again) == [("flood", "continued", None, None, "sent")]
    assert [event.started_at for event in queries.in_force()] == [NOW + timedelta(minutes=3)]


def test_a_telegram_about_others_ends_nothing_here(take):
    take("15_08_01_130412_VPWW53.xml", place="2920300")
    before = queries.in_force()
    assert before
    assert told(take("15_12_02_161130_VPWW53.xml", place="2920300")) == []
    assert queries.in_force() == before


FLASH, NO_FLASH = (f"70_32-39_11_120615_{n}shindosokuhou3.xml" for n in ("01", "99"))


def second_flash(data):
    data = data.replace(b"2011-03-11T14:48:00", b"2011-03-11T14:49:00")
    return data.replace(b"<MaxInt>6+</MaxInt>", b"<MaxInt>5-</MaxInt>")


def test_taking_back_an_earthquake_takes_back_all_its_flash_reports(take):
    take(FLASH, place="220")
    assert [s[1] for s in told(take(FLASH, place="220", change=second_flash))] == ["lowered"]

    def later(data):
        return data.replace(b"2011-03-11T14:48:00", b"2011-03-11T14:50:00")

    take(NO_FLASH, place="220", change=later)
    assert queries.in_force() == ()
    assert Event.objects.get().withdrawn


def test_a_drills_withdrawal_takes_back_nothing_real(take):
    def drill(data):
        return data.replace("<Status>通常".encode(), "<Status>訓練".encode())

    take(FLASH, place="220")
    take(NO_FLASH, place="220", change=drill)
    assert len(queries.in_force()) == 1
    take(NO_FLASH, place="220")
    assert queries.in_force() == ()


def test_a_withdrawal_does_not_reach_what_was_said_after_it(take):
    river(take, 15)
    assert told(river(take, 14, info_type="取消")) == []
    assert [event.level for event in queries.in_force()] == [3]


def test_a_drills_correction_corrects_nothing_real(take):
    def elsewhere(data):
        data = data.replace("<InfoType>発表".encode(), "<InfoType>訂正".encode())
        return data.replace(b"<Code>220</Code>", b"<Code>999</Code>")

    def drill(data):
        return elsewhere(data).replace("<Status>通常".encode(), "<Status>訓練".encode())

    take(FLASH, place="220")
    assert told(take(FLASH, place="220", change=drill)) == []
    assert len(queries.in_force()) == 1
    corrected = take(FLASH, place="220", change=elsewhere)
    assert told(corrected) == [("earthquake", "cancelled", None, None, "published")]
    assert corrected.transitions[0].withdrawal
    assert queries.in_force() == ()


def test_the_pages_of_what_changed_or_was_said_again_are_stale(city, monkeypatch):
    marked = []
    monkeypatch.setattr(steps, "mark_stale", lambda keys, *, now: marked.append(set(keys)))
    cap("a", 1)
    stale = {queries.IN_FORCE, queries.RECENT, queries.event_key(Event.objects.get().pk)}
    cap("b", 2, kind="Update", references="a")
    cap("other", 3, polygon=ELSEWHERE)
    cap("test", 4, code=SAME_TEST)
    cap("c", 5, kind="Cancel", references="b")
    assert marked == [stale] * 3


def test_what_is_said_again_stands_for_longer(city):
    cap("a", 1)
    cap("b", 30, kind="Update", references="a")
    (event,) = queries.in_force()
    assert event.reported_at == NOW + timedelta(minutes=30)
    assert event.valid_until - event.reported_at == responses().cap_lasts
    assert event.changed_at == NOW + timedelta(minutes=1)


def test_a_message_says_when_its_telegram_was_issued(take):
    issued = datetime(2016, 2, 12, 5, 22, tzinfo=UTC)
    heard = issued + timedelta(minutes=10)
    take("15_12_02_161130_VPWW53.xml", now=heard)
    message = Message.objects.all()[0]
    assert (message.told_at, message.created_at) == (issued, heard)


def test_a_late_withdrawal_ends_nothing_that_was_said_since(take):
    river(take, 15)
    river(take, 17, level="40")
    assert told(river(take, 16, info_type="取消")) == []
    assert [e.level for e in queries.in_force()] == [4]


def test_a_late_cap_cancel_ends_no_newer_update(city):
    cap("a", 1)
    cap("b", 5, kind="Update", severity="Extreme", references="a")
    assert told(cap("c", 3, kind="Cancel", references="a")) == []
    assert [e.severity for e in queries.in_force()] == ["extreme"]
