"""Events at a desk: who may, what is written, the line, the sheet, calling off."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import AuditEntry, Department, Role, RoleGrant, User
from policity.foundations.events import services
from policity.foundations.events.formats.reading import Reading
from policity.foundations.events.models import Answer, Event, Occurrence, Registration, Source
from policity.foundations.events.queries import to_come
from policity.foundations.events.tests.test_importing import calendar, entry
from policity.foundations.places.models import Site
from policity.foundations.places.rules.facilities import Facility
from policity.foundations.places.services import write_facility

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def editor(client: Client) -> User:
    user: User = create(Role.EDITOR, "editor")
    client.force_login(user)
    return user


def typed(**other: str) -> dict[str, str]:
    day = timezone.localdate() + timedelta(days=10)
    return {
        "title_ja": "リース作り", "body_ja": "木の実も使います。", "place_ja": "中庭",
        "day": day.isoformat(), "begins": "10:00", "ends": "12:00", "every": "once",
        "takes": "1", "capacity": "2", "most": "1", "waits": "1", "closes": "0", "reminds": "24",
        "seen": "0",
    } | other  # fmt: skip


def text(answer) -> str:
    page: Any = html.document_fromstring(answer.content)
    return " ".join(page.text_content().split())


@pytest.fixture
def published(client, editor) -> Occurrence:
    client.post("/staff/events/new/", typed())
    event = Event.objects.get()
    client.post(f"/staff/events/{event.pk}/publish/")
    return event.times.get()


PAGES = (
    "", "new/", "{event}/", "{event}/edit/", "{event}/off/", "{event}/off/{time}/",
    "times/{time}/", "times/{time}/people.csv", "times/{time}/answers.csv", "calendars/",
)  # fmt: skip


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("page", PAGES)
def test_the_editors_keep_events_and_nobody_else_sees_who_comes(client, published, role, page):
    client.force_login(create(role, "asker"))
    path = "/staff/events/" + page.format(event=published.event_id, time=published.pk)
    assert client.get(path).status_code == (200 if role is Role.EDITOR else 403)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EDITOR])
def test_nobody_else_presses_anything(client, published, editor, role):
    services.add_by_staff(
        time=published.pk, name="見本", phone="", seats=1, by=editor, now=timezone.now()
    )
    person = Registration.objects.get().pk
    client.force_login(create(role, "asker"))
    event, time = f"/staff/events/{published.event_id}/", f"/staff/events/times/{published.pk}/"
    for path in (
        "/staff/events/new/", f"{event}edit/", f"{event}publish/", f"{event}unpublish/",
        f"{event}discard/", f"{event}off/", f"{time}add/", f"{time}{person}/came/",
        f"{time}{person}/cancel/", f"{time}{person}/back/", f"{time}{person}/called/",
        "/staff/events/calendars/add/",
    ):  # fmt: skip
        assert client.post(path, typed(came="came")).status_code == 403, path
    assert Registration.objects.filter(cancelled_at=None, attended=None).exists()


GRANTS: dict[str, tuple[str, ...]] = {"city": (), "kodomo": ("kodomo",), "gone": ("nobody",)}
# Whose grant, whose event: who may look, and who may keep it and see who comes.
RIGHTS = [
    ("city", "", True, True),
    ("city", "kodomo", True, True),
    ("kodomo", "kodomo", True, True),
    ("kodomo", "", True, False),
    ("kodomo", "bunka", True, False),
    ("gone", "kodomo", True, False),
    ("gone", "", True, False),
]  # fmt: skip


@pytest.fixture
def departments(db) -> None:
    for slug, name in (("kodomo", "こども課"), ("bunka", "文化課")):
        Department.objects.create(slug=slug, name=name)


def of_departments(name: str, departments: tuple[str, ...]) -> User:
    user: User = create(Role.EDITOR, name)
    RoleGrant.objects.filter(user=user).update(departments=list(departments))
    return user


@pytest.mark.parametrize(("grant", "whose", "looks", "keeps"), RIGHTS)
def test_each_department_keeps_its_own(
    client, published, editor, departments, grant, whose, looks, keeps
):
    department = Department.objects.filter(slug=whose).first()
    Event.objects.update(department=department)
    services.add_by_staff(
        time=published.pk, name="見本", phone="", seats=1, by=editor, now=timezone.now()
    )
    person = Registration.objects.get().pk
    source = services.add_source(
        name="x", address="https://example.jp/", department=whose, by=editor, now=timezone.now()
    )
    client.force_login(of_departments("asker", GRANTS[grant]))
    event, time = f"/staff/events/{published.event_id}/", f"/staff/events/times/{published.pk}/"
    for path in ("/staff/events/", event, "/staff/events/calendars/"):
        assert (client.get(path).status_code == 200) is looks, path
    for path in (f"{event}edit/", f"{event}off/", f"{event}off/{published.pk}/", time,
                 f"{time}people.csv", f"{time}answers.csv"):  # fmt: skip
        assert (client.get(path).status_code == 200) is keeps, path
    page = text(client.get(event))
    assert ("中止にする" in page) is keeps
    assert ("担当の人だけ" in page) is not keeps
    calendars = f"/staff/events/calendars/{source.pk}/"
    for path in (
        f"{time}add/", f"{time}{person}/came/", f"{time}{person}/called/",
        f"{time}{person}/cancel/", f"{time}{person}/back/", f"{event}edit/", f"{event}off/",
        f"{event}unpublish/",
        f"{event}publish/", f"{event}discard/", f"{calendars}read/", f"{calendars}file/",
        f"{calendars}end/",
    ):  # fmt: skip
        sent = typed(came="came", name="二", seats="1", reason="few", department=whose)
        assert (client.post(path, sent).status_code != 403) is keeps, path
    event_now = Event.objects.get()
    assert (event_now.texts["ja"]["title"], event_now.revision) == ("リース作り", int(keeps))
    assert Registration.objects.count() == 1 + keeps


def test_what_somebody_of_a_department_writes_is_its_own_and_stays_with_it(client, departments):
    client.force_login(of_departments("asker", ("kodomo",)))
    for whose in ("", "kodomo"):
        client.post("/staff/events/new/", typed(department=whose))
    assert {event.department and event.department.slug for event in Event.objects.all()} == {
        "kodomo"
    }
    for path in ("new/", f"{Event.objects.first().pk}/edit/"):
        answer = client.post(f"/staff/events/{path}", typed(department="bunka"))
        assert "どの課のものか、選んで" in text(answer)
    client.post("/staff/events/calendars/add/", {"name": "x", "department": ""})
    assert Source.objects.get().department.slug == "kodomo"
    client.force_login(of_departments("gone", ("nobody",)))
    assert "担当の課が、まだありません" in text(client.post("/staff/events/new/", typed()))


def test_what_is_written_is_a_draft_then_public_then_a_draft_again(client, editor):
    answer = client.post("/staff/events/new/", typed(title_en="Wreaths"), follow=True)
    assert "下書きにしました" in text(answer)
    event = Event.objects.get()
    assert event.texts["en"]["title"] == "Wreaths"
    assert to_come() == ()
    for verb, shown in (("publish", 1), ("unpublish", 0), ("publish", 1)):
        client.post(f"/staff/events/{event.pk}/{verb}/")
        assert len(to_come()) == shown
    acts = AuditEntry.objects.filter(act__startswith="event.").values_list("act", flat=True)
    assert list(acts.order_by("number")) == [
        "event.composed", "event.issued", "event.returned", "event.issued",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title_ja": ""}, "名前を入れてください"),
        ({"title_ja": "あ" * 10_000}, "100文字まで"),
        ({"day": ""}, "始まりの日を入れて"),
        ({"day": "2026-13-40"}, "2026-12-03 のように"),
        ({"begins": "25:00"}, "10:00 のように"),
        ({"ends": "09:00"}, "終わりを、始まりより後に"),
        ({"every": "week"}, "最後の日を入れて"),
        ({"skips": "あした"}, "休みの日は"),
        ({"capacity": "0"}, "1から100000までの数"),
        ({"most": "3"}, "定員までです"),
        ({"link": "javascript:alert(1)"}, "https:// から"),
        ({"asks": "1", "q2-choices_ja": "はい"}, "質問1：質問の文を書いて"),
        ({"asks": "1", "q1-text_ja": "？", "q1-choices_ja": "はい"}, "質問1：選択肢を"),
        ({"asks": "1", "q3-text_ja": "？", "q3-kind": "no"}, "質問3：答え方を"),
        ({"asks": "1", "q1-text_ja": "あ" * 201}, "質問1：質問の文は、200文字まで"),
        ({"q1-text_ja": "？", "q1-kind": "text"}, "感想を聞く"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, editor, wrong, said):
    answer = client.post("/staff/events/new/", typed(**wrong))
    assert answer.status_code == 400
    assert said in text(answer)
    page: Any = html.document_fromstring(answer.content)
    assert page.get_element_by_id("id_body_ja").value.strip() == "木の実も使います。"
    assert not Event.objects.exists()


def test_what_stands_in_the_form_is_what_was_saved(client, editor):
    site = f"site-{Site.objects.here()[0].pk}"
    until = (timezone.localdate() + timedelta(days=40)).isoformat()
    written = typed(venue=site, every="week", until=until, opens_day="2026-01-02")
    client.post("/staff/events/new/", written)
    event = Event.objects.get()
    page: Any = html.document_fromstring(client.get(f"/staff/events/{event.pk}/edit/").content)
    [form] = [form for form in page.forms if "seen" in form.fields]
    stands = {name: value for name, value in form.form_values() if value}
    # Whatever was typed stands there, and a save without a change changes nothing.
    assert {name: stands[name] for name in written} == written
    before = list(event.times.order_by("starts").values("pk", "starts", "ends"))
    client.post(f"/staff/events/{event.pk}/edit/", stands)
    event.refresh_from_db()
    assert event.revision == 1
    assert list(event.times.order_by("starts").values("pk", "starts", "ends")) == before
    assert len(before) > 4


def test_a_course_is_written_and_its_line_stands_on_each_of_its_days(client, editor):
    until = (timezone.localdate() + timedelta(days=17)).isoformat()
    assert "くり返しがあって" in text(client.post("/staff/events/new/", typed(whole="1")))
    client.post("/staff/events/new/", typed(every="week", until=until, whole="1"))
    event = Event.objects.get()
    client.post(f"/staff/events/{event.pk}/publish/")
    first, second = event.times.order_by("starts")
    client.post(f"/staff/events/times/{second.pk}/add/", {"name": "見本", "seats": "1"})
    for time in (first, second):
        page = text(client.get(f"/staff/events/times/{time.pk}/"))
        assert "全部の回をまとめて" in page
        assert "1 見本" in page
    person = Registration.objects.get(occurrence=second)
    client.post(f"/staff/events/times/{second.pk}/{person.pk}/came/", {"came": "came"})
    client.post(f"/staff/events/times/{second.pk}/{person.pk}/cancel/")
    assert "申し込んだ人は、まだいません" in text(client.get(f"/staff/events/times/{first.pk}/"))


def test_a_facility_is_chosen_where_something_can_take_place(client, editor):
    hall, toilet = (
        write_facility(
            number=None, written=Facility(source_id="", kind=kind, name=name), by=None,
            now=timezone.now(),
        )
        for kind, name in (("library", "見本図書館"), ("toilet", "見本トイレ"))
    )  # fmt: skip
    page = text(client.get("/staff/events/new/"))
    assert "見本図書館" in page
    assert "見本トイレ" not in page
    for venue in (f"facility-{toilet.pk}", "facility-x", "nonsense"):
        answer = client.post("/staff/events/new/", typed(venue=venue))
        assert "場所を、一覧から選んで" in text(answer)
    client.post("/staff/events/new/", typed(venue=f"facility-{hall.pk}"))
    event = Event.objects.get()
    assert (event.facility_id, event.site_id) == (hall.pk, None)
    form: Any = html.document_fromstring(client.get(f"/staff/events/{event.pk}/edit/").content)
    assert form.xpath("//select[@name='venue']//option[@selected]/text()") == ["見本図書館"]


QUESTIONS = {
    "asks": "1",
    "q1-text_ja": "どこから", "q1-kind": "one", "q1-choices_ja": "市内\r\n=市外", "q1-needed": "1",
    "q1-text_en": "From where?", "q1-choices_en": "In town\r\nElsewhere",
    "q2-text_ja": "=何で", "q2-kind": "many", "q2-choices_ja": "歩き\r\nバス",
    "q3-text_ja": "会場は", "q3-kind": "score",
    "q4-text_ja": "次は", "q4-kind": "text",
}  # fmt: skip


def test_questions_of_ones_own_are_written_asked_counted_and_taken_along(client, editor):
    client.post("/staff/events/new/", typed(**QUESTIONS))
    event = Event.objects.get()
    page: Any = html.document_fromstring(client.get(f"/staff/events/{event.pk}/edit/").content)
    [form] = [form for form in page.forms if "seen" in form.fields]
    stands = {name: value for name, value in form.form_values() if value}
    assert {name: stands[name].replace("\n", "\r\n") for name in QUESTIONS} == QUESTIONS
    client.post(f"/staff/events/{event.pk}/publish/")
    assert "4つの質問を聞きます" in text(client.get(f"/staff/events/{event.pk}/"))
    time = event.times.get()
    path = f"/staff/events/times/{time.pk}/"
    assert "感想" not in text(client.get(path))
    services.ask_who_came(now=time.ends)
    for answers in ([1, [0, 1], 4, "@次も"], [0, [1], None, None], [0, None, 5, None]):
        Answer.objects.create(
            occurrence=time, score=4, text="-1+1", answers=answers, on=timezone.localdate()
        )
    said = text(client.get(path))
    assert "質問1 どこから 3人の答え" in said
    table: Any = html.document_fromstring(client.get(path).content).xpath("//tbody/tr")
    rows = [[cell.text_content().strip() for cell in row] for row in table]
    assert rows[:4] == [
        ["市内", "", "67", "2"], ["=市外", "", "33", "1"],
        ["歩き", "", "50", "1"], ["バス", "", "100", "2"],
    ]  # fmt: skip
    assert "平均 4.5点" in said
    assert "@次も" in said
    data = client.get(f"{path}answers.csv").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(data))) == [
        ["どうでしたか（5点中）", "ひとこと", "質問1　どこから", "質問2　=何で：歩き",
         "質問2　=何で：バス", "質問3　会場は", "質問4　次は"],
        ["4", "'-1+1", "'=市外", "1", "1", "4", "'@次も"],
        ["4", "'-1+1", "市内", "", "1", "", ""],
        ["4", "'-1+1", "市内", "", "", "5", ""],
    ]  # fmt: skip
    assert AuditEntry.objects.filter(act="answer.taken_along").count() == 1


def test_two_who_change_the_same_do_not_write_over_each_other(client, published):
    client.post(f"/staff/events/{published.event_id}/edit/", typed(title_ja="一人め"))
    answer = client.post(f"/staff/events/{published.event_id}/edit/", typed(title_ja="二人め"))
    assert "ほかの人が、先に変えました" in text(answer)
    assert Event.objects.get().texts["ja"]["title"] == "一人め"


def test_the_line_at_the_desk_and_at_the_door(client, published):
    path = f"/staff/events/times/{published.pk}/"
    for name in ("見本 一", "見本 二", "=HYPERLINK(1)"):
        client.post(f"{path}add/", {"name": name, "phone": "042-000-0000", "seats": "1"})
    first, _, third = Registration.objects.order_by("number")
    assert "キャンセル待ち" in text(client.get(path))
    client.post(f"{path}{first.pk}/came/", {"came": "came"})
    client.post(f"{path}{first.pk}/came/", {"came": "nonsense"})
    assert Registration.objects.get(pk=first.pk).attended is True
    client.post(f"{path}{first.pk}/came/", {"came": "unknown"})
    assert Registration.objects.get(pk=first.pk).attended is None
    answer = client.post(f"{path}{first.pk}/cancel/", follow=True)
    assert "受付番号1を取り消しました" in text(answer)
    assert "電話で伝える人が、1人" in text(answer)
    client.post(f"{path}{first.pk}/back/")
    assert [row.seated for row in Registration.objects.order_by("number")] == [True, True, False]
    client.post(f"{path}{third.pk}/called/")
    rows = list(
        csv.reader(io.StringIO(client.get(f"{path}people.csv").content.decode("utf-8-sig")))
    )
    assert rows[3][:5] == ["3", "'=HYPERLINK(1)", "042-000-0000", "1", "キャンセル待ち"]
    assert AuditEntry.objects.filter(act="registration.taken_along").exists()


def test_a_person_of_another_time_is_not_there(client, published):
    path = f"/staff/events/times/{published.pk}/"
    client.post(f"{path}add/", {"name": "見本", "seats": "1"})
    person = Registration.objects.get().pk
    other = Occurrence.objects.create(
        event=published.event, starts=published.ends, ends=published.ends
    )
    wrong = f"/staff/events/times/{other.pk}/{person}/came/"
    assert client.post(wrong, {"came": "came"}).status_code == 404
    assert Registration.objects.get().attended is None


def test_calling_off_is_looked_at_first_and_takes_a_reason(client, published):
    client.post(f"/staff/events/times/{published.pk}/add/", {"name": "見本", "seats": "1"})
    path = f"/staff/events/{published.event_id}/off/"
    assert "メールのない1人に、電話で" in text(client.get(path))
    for sent, said in (
        ({"seen": "0", "reason": "weather"}, "もう一度、確かめて"),
        ({"seen": "1"}, "わけを選んで"),
        ({"seen": "1", "reason": "nonsense"}, "わけを選んで"),
        ({"seen": "1", "reason": "other", "words": " "}, "言葉で書いて"),
        ({"seen": "1", "reason": "few", "words": "あ" * 201}, "200文字まで"),
    ):
        answer = client.post(path, sent)
        assert answer.status_code == 400
        assert said in text(answer)
        assert sent.get("words", "").strip() in text(answer)
        assert Event.objects.get().stage == "published"
    client.post(path, {"seen": "1", "reason": "few", "words": "来年、また開きます。"})
    assert Event.objects.get().stage == "cancelled"
    assert Registration.objects.get().to_call
    said = text(client.get(f"/staff/events/{published.event_id}/"))
    assert "申し込んだ人が少ないためです。 来年、また開きます。" in said


def test_a_calendar_is_brought_as_a_file_and_a_bad_one_takes_nothing_away(client, editor):
    client.post("/staff/events/calendars/add/", {"name": "見本の団体"})
    source = Source.objects.get()
    path = f"/staff/events/calendars/{source.pk}/file/"
    day = f"{timezone.localdate() + timedelta(days=3):%Y%m%dT100000}"
    good = calendar(entry(starts=day, title="団体の会"), entry("b", more="RRULE:FREQ=HOURLY\r\n"))
    for data, said in (
        (good, "1件を読み、1件が変わりました。入れなかった予定が1件"),
        (b"nothing", "ファイルではありません。前に読んだ予定は、そのままです"),
        (b"", "ファイルではありません"),
    ):
        sent = {"calendar": SimpleUploadedFile("x.ics", data)} if data else {}
        answer = client.post(path, sent, follow=True)
        assert said in text(answer)
        assert "：1日に何度もくり返します。 もとのカレンダーで直すと" in text(answer)
        assert [time.event.source for time in to_come()] == ["見本の団体"]
    client.post(f"/staff/events/calendars/{source.pk}/end/")
    assert to_come() == ()


def test_many_that_were_left_out_are_all_counted_and_the_first_are_named(client, editor):
    source = services.add_source(name="x", address="", by=editor, now=timezone.now())
    left = [(f"会{number}", "始まりの日時が読めません") for number in range(2_000)]
    services.take(source=source.pk, reading=Reading([], left), now=timezone.now())
    said = text(client.get("/staff/events/calendars/"))
    assert "入れなかった予定が2000件あります" in said
    assert "会49：" in said
    assert "会50：" not in said
    assert "はじめの50件です" in said
    services.take(source=source.pk, reading=Reading([]), now=timezone.now())
    assert "入れなかった" not in text(client.get("/staff/events/calendars/"))


def test_the_list_takes_as_many_queries_for_one_as_for_many(
    client, editor, django_assert_max_num_queries
):
    for _ in range(12):
        client.post("/staff/events/new/", typed())
    with django_assert_max_num_queries(14):
        client.get("/staff/events/")
